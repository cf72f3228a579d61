"""When the coupling matters, on paper: strength, what it changes, and fields next to closed forms.

The marks are those of the page: filled is worst, open is optimal, a cross is independent.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wtflow.errors import SettingsError
from wtflow.metrics import METRICS
from wtflow.numbers import count
from wtflow.plots.coupling import (
    AXIS_TITLES,
    COUPLINGS,
    DODGE,
    FIELD_PANELS,
    METRIC_COLOURS,
    NO_DEFECTS,
    By,
    effects_by,
    places_of,
)
from wtflow.plots.still.sheet import COLUMN_MM, FULL_MM, INK, add_legend, log_axis, name_axes, new_sheet
from wtflow.plots.theme import COLOURS
from wtflow.records.coupling import SCORED, STEPS, CouplingFigures, Effect

_GROUP_MARKERS = ("o", "^", "s", "D", "p", "P", "X")
_DOT = (0, (1.2, 1.2))
_RING = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.3, "linestyle": "none"}


def still_coupling_strength(figures: CouplingFigures) -> Figure:
    """gamma of the worst coupling against the dimension for each group size; dotted: Gaussian data."""
    figure, (axes,) = new_sheet(COLUMN_MM, 76)
    for n, marker in zip(figures.group_sizes, _GROUP_MARKERS, strict=False):
        rows = [one for one in figures.strengths if one.part == "positions" and one.group_size == n]
        d = [one.dimension for one in rows]
        label = "Gaussian data" if n == figures.group_sizes[0] else "_"
        gaussian = [one.gaussian for one in rows]
        axes.plot(d, gaussian, color=COLOURS["reference"], linestyle=_DOT, linewidth=1.0, zorder=1, label=label)
        look = {"color": COLOURS["selected"], "linewidth": 1.0, "marker": marker, "markersize": 4}
        axes.plot(d, [one.gamma for one in rows], label=f"groups of {n:,}", **look)
    grids = [one for one in figures.strengths if one.part == "images"]
    if grids:
        x, y = [one.dimension for one in grids], [one.gamma for one in grids]
        axes.plot(x, y, "*", color=COLOURS["selected"], markersize=8, label="whole grids of 8 x 8")
    own = [one for one in figures.strengths if (one.part, one.dimension, one.group_size) == figures.own]
    x, y = [one.dimension for one in own], [one.gamma for one in own]
    axes.plot(x, y, "o", color=INK, label="this run", **_RING)
    log_axis(axes, "x", _decades([one.dimension for one in figures.strengths]))
    log_axis(axes, "y")
    name_axes(axes, AXIS_TITLES["dimension"], "γ of the worst coupling")
    add_legend(figure, [axes], 3)
    return figure


def still_coupling_effects(figures: CouplingFigures, by: By) -> Figure:
    """What couplings change against the independent one, with 95 % intervals: image AUROC (a), AUPRO (b).

    by: as in `plots.coupling.plot_effects`. Grey: one step. Raises SettingsError without a defect to measure on.
    """
    chosen = effects_by(figures, by)
    if not chosen:
        raise SettingsError(NO_DEFECTS, fix="Choose a run whose test images hold both.")
    figure, panels = new_sheet(FULL_MM, 70, 2, share_axes=True)
    places = places_of(figures, by)
    for axes, key in zip(panels, SCORED, strict=True):
        axes.axhline(0, color=COLOURS["threshold"], linewidth=0.9, zorder=0.5)
        slots = [(coupling, steps) for steps in reversed(STEPS) for coupling in COUPLINGS]
        for slot, (coupling, steps) in enumerate(slots):
            rows = [one for one in chosen if (one.key, one.coupling, one.steps) == (key, coupling, steps)]
            colour = COLOURS[METRIC_COLOURS[key] if steps == STEPS[-1] else "reference"]
            x = [places.index(getattr(one, by)) + DODGE * (slot - 1.5) for one in rows]
            _interval(axes, x, rows, colour, is_filled=coupling == "worst")
        axes.set_xticks(range(len(places)), [f"{place:,}" for place in places])
        axes.set_xlim(-0.5, len(places) - 0.5)
        name_axes(axes, AXIS_TITLES[by], f"change of {METRICS[key].short}")
    for coupling in COUPLINGS:
        face = INK if coupling == "worst" else "white"
        panels[0].plot([], [], "o", color=INK, markersize=4, markerfacecolor=face, label=coupling)
    for steps in reversed(STEPS):
        colours = [METRIC_COLOURS[key] for key in SCORED] if steps == STEPS[-1] else ["reference"]
        for name in colours:
            label = count(steps, "step") + (f", {_short_of(name)}" if len(colours) > 1 else "")
            panels[0].plot([], [], "-", color=COLOURS[name], linewidth=1.4, label=label)
    add_legend(figure, panels, 5)
    return figure


def still_coupling_fields(figures: CouplingFigures) -> Figure:
    """Each flow and the closed forms (dotted) against its gamma: (a) along x, (b) from -x, (c) the well, (d) bend."""
    figure, panels = new_sheet(FULL_MM, 56, len(FIELD_PANELS))
    opposed, depth, bend = figures.gaussian
    exact = {"turned": opposed, "departure": abs(opposed), "depth": depth, "bend": bend}
    looks = {"worst": ("o", COLOURS["selected"]), "independent": ("x", COLOURS["selected"]), "optimal": ("o", "white")}
    for axes, (name, _, title) in zip(panels, FIELD_PANELS, strict=True):
        axes.plot(opposed, exact[name], color=COLOURS["reference"], linestyle=_DOT, linewidth=1.2, label="closed form")
        for coupling, (marker, face) in looks.items():
            rows = [one for one in figures.points if one.coupling == coupling]
            look = {"marker": marker, "markerfacecolor": face, "markersize": 3.2, "markeredgewidth": 0.8}
            x, y = [one.opposed for one in rows], [getattr(one, name) for one in rows]
            axes.plot(x, y, linestyle="none", color=COLOURS["selected"], label=coupling, **look)
        name_axes(axes, "γ", title)
    add_legend(figure, panels, 4)
    return figure


def _interval(axes: Axes, x: Sequence[float], rows: Sequence[Effect], colour: str, *, is_filled: bool) -> None:
    middle = [one.interval.value for one in rows]
    down = [one.interval.value - one.interval.low for one in rows]
    up = [one.interval.high - one.interval.value for one in rows]
    look = {"marker": "o", "markersize": 3.6, "markerfacecolor": colour if is_filled else "white"}
    axes.errorbar(x, middle, yerr=[down, up], color=colour, linestyle="none", elinewidth=0.9, capsize=1.5, **look)


def _short_of(colour: str) -> str:
    return next(METRICS[key].short for key in SCORED if METRIC_COLOURS[key] == colour)


def _decades(values: Sequence[int]) -> list[float]:
    """Powers of ten around the values."""
    found, at = [1.0], 1.0
    while at < max(values):
        at *= 10
        found.append(at)
    return found
