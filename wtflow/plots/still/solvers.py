"""What more steps or another solver change: metrics, endpoint norms, time, and whether paths return to their start."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.metrics import METRICS
from wtflow.plots.groups import group_words
from wtflow.plots.letters import still_letters
from wtflow.plots.still.sheet import (
    COLUMN_MM,
    FULL_MM,
    INK,
    TYPE_PT,
    Look,
    add_legend,
    add_shell,
    log_axis,
    looks,
    name_axes,
    new_sheet,
)
from wtflow.plots.still.summary import noise_shell
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import ReturnTrip, Spread, StepsRow, ordered_groups

STEPS_WORDS = "integration steps"
_MARKS = {"image_auroc": (COLOURS["selected"], "o"), "aupro": (COLOURS["time"], "^")}
"""Metric -> colour, marker."""
_SOLVERS = {"euler": ("Euler", "-", True), "heun": ("Heun", (0, (2, 1.2)), False)}
"""Solver -> name, dash, whether its markers are filled."""


LOST = 1e6
"""Larger errors are drawn here: the path never came back, and how far it went means nothing."""


def still_steps(rows: Sequence[StepsRow], n_channels: int | None = None) -> Figure:
    """Metrics (a), endpoint norms (b) and milliseconds per image (c) against steps;
    filled marks are Euler, open ones Heun.

    The run's own setting is marked by a line. `n_channels` adds the shell of noise to (b). Raises SettingsError without
    rows.
    """
    if not rows:
        raise SettingsError("There is no row to draw.", fix="Score the test set with at least one number of steps.")
    figure, (left, middle, right) = new_sheet(FULL_MM, 62, 3)
    for solver in (name for name in _SOLVERS if any(row.solver == name for row in rows)):
        own = sorted((row for row in rows if row.solver == solver), key=lambda row: row.steps)
        steps = [row.steps for row in own]
        for key, (colour, marker) in _MARKS.items():
            values = [np.nan if (value := row.metrics.get(key)) is None else value for row in own]
            if np.isfinite(values).any():
                _line(left, steps, values, Look(colour, marker, "-"), solver, METRICS[key].short)
        _line(
            right,
            steps,
            [row.ms_per_image for row in own],
            Look(COLOURS["reference"], "s", "-"),
            solver,
            "time per image",
        )
    _spreads(middle, [(row.solver, row.steps, row.norms) for row in rows])
    if n_channels is not None:
        add_shell(middle, noise_shell(n_channels), along="x")
    quality = ", ".join(METRICS[key].short for key in _MARKS)
    for axes, title in (
        (left, quality),
        (middle, "endpoint norm"),
        (right, "flow time per image (ms)"),
    ):
        name_axes(axes, STEPS_WORDS, title)
        log_axis(axes, "x", sorted({row.steps for row in rows}))
        for row in rows:
            if row.is_default:
                axes.axvline(row.steps, color=COLOURS["threshold"], linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=0.5)
                at = (row.steps, 1)
                axes.annotate(
                    "this run",
                    at,
                    (2, -8),
                    xycoords=("data", "axes fraction"),
                    textcoords="offset points",
                    fontsize=TYPE_PT,
                    color=COLOURS["threshold"],
                )
    log_axis(right, "y")
    middle.set_ylim(bottom=0)
    _add_solvers(right, {row.solver for row in rows})
    add_legend(figure, [left, middle, right], 6)
    return figure


def still_return(trips: Sequence[ReturnTrip]) -> Figure:
    """Relative distance between start and return (0 -> 1 -> 0) of each group against steps: median and 5-95 % range.

    Raises SettingsError without trips.
    """
    if not trips:
        raise SettingsError(
            "There is no return to draw.", fix="Integrate there and back with at least one number of steps."
        )
    figure, (axes,) = new_sheet(COLUMN_MM, 66)
    capped = [{group: _capped(spread) for group, spread in trip.errors.items()} for trip in trips]
    _spreads(axes, [(trip.solver, trip.steps, errors) for trip, errors in zip(trips, capped, strict=True)])
    is_lost = any(max(spread) > LOST for trip in trips for spread in trip.errors.values())
    name_axes(
        axes, f"{STEPS_WORDS} each way", "return error / norm of the start" + " ($10^6$: never returned)" * is_lost
    )
    log_axis(axes, "x", sorted({trip.steps for trip in trips}))
    log_axis(axes, "y")
    _add_solvers(axes, {trip.solver for trip in trips})
    add_legend(figure, [axes], 3)
    return figure


def _capped(spread: Spread) -> Spread:
    low, middle, high = (min(value, LOST) for value in spread)
    return low, middle, high


def _line(axes: Axes, steps: list[int], values: list[float], look: Look, solver: str, word: str) -> None:
    _, dash, is_filled = _SOLVERS[solver]
    face = look.colour if is_filled else "white"
    marks = {"marker": look.marker, "markersize": 4, "markerfacecolor": face, "markeredgewidth": 0.9}
    axes.plot(steps, values, color=look.colour, linestyle=dash, linewidth=1.1, label=word, **marks)


def _spreads(axes: Axes, found: list[tuple[str, int, dict[str, Spread]]]) -> None:
    """Medians with bars from the 5 % to the 95 % quantile;
    groups stand side by side, so that bars do not hide each other.
    """
    groups = ordered_groups(name for _, _, spreads in found for name in spreads)
    solvers = [name for name in _SOLVERS if any(solver == name for solver, _, _ in found)]
    n_slots = len(groups) * len(solvers)
    for i, (name, look) in enumerate(looks(groups).items()):
        for j, solver in enumerate(solvers):
            own = sorted(
                (steps, spreads[name]) for which, steps, spreads in found if which == solver and name in spreads
            )
            if not own:
                continue
            shift = (
                1.0 if n_slots == 1 else 1.1 ** (2 * (j * len(groups) + i) / (n_slots - 1) - 1)
            )  # a tenth of the steps either way
            low, median, high = np.array([spread for _, spread in own]).T
            _, dash, is_filled = _SOLVERS[solver]
            face = look.colour if is_filled else "white"
            axes.errorbar(
                [steps * shift for steps, _ in own],
                median,
                yerr=[median - low, high - median],
                color=look.colour,
                linestyle=dash,
                linewidth=0.8,
                elinewidth=0.7,
                capsize=1.2,
                capthick=0.7,
                marker=look.marker,
                markersize=4,
                markerfacecolor=face,
                markeredgewidth=0.9,
                label=still_letters(group_words(name)),
            )


def _add_solvers(axes: Axes, solvers: set[str]) -> None:
    """What dashes and open marks mean, where there is more than one solver."""
    for solver, (name, dash, is_filled) in _SOLVERS.items():
        if len(solvers) > 1 and solver in solvers:
            marks = {"marker": "o", "markersize": 4, "markerfacecolor": INK if is_filled else "white"}
            axes.plot([], [], color=INK, linestyle=dash, linewidth=0.9, label=name, **marks)
