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
    CHANGED,
    COUPLINGS,
    DODGE,
    FIELD_PANELS,
    METRIC_COLOURS,
    NO_DEFECTS,
    PALE,
    By,
    before_by,
    change_range,
    changes_by,
    effects_by,
    levels_by,
    places_of,
)
from wtflow.plots.still.sheet import COLUMN_MM, FULL_MM, INK, add_legend, log_axis, name_axes, new_rows, new_sheet
from wtflow.plots.theme import COLOURS
from wtflow.records.coupling import SCORED, STEPS, CouplingFigures, Effect, Level

_GROUP_MARKERS = ("o", "^", "s", "D", "p", "P", "X")
_MARKERS = {"worst": ("o", True), "independent": ("x", True), "optimal": ("o", False)}
"""Coupling -> marker, whether it is filled."""
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
    """Image AUROC (a) and AUPRO (b) under each coupling with four steps; what the worst and the optimal one change
    against the independent one, with four steps (c, d) and with one (e, f). Bars: 95 % intervals.

    by and pale marks: as in `plots.coupling.plot_effects`. Raises SettingsError without a defect to measure on.
    """
    if not effects_by(figures, by):
        raise SettingsError(NO_DEFECTS, fix="Choose a run whose test images hold both.")
    figure, (above, *below) = new_rows(FULL_MM, 140, 3, 2)
    places = places_of(figures, by)
    for axes, key in zip(above, SCORED, strict=True):
        look = {"color": COLOURS["reference"], "linestyle": _DOT, "linewidth": 1.0}
        axes.plot(range(len(places)), before_by(figures, by, key), label="norm before the flow", **look)
        for slot, coupling in enumerate(_MARKERS):
            rows = levels_by(figures, by, key, coupling)
            x = [place + DODGE * (slot - 1) for place, _ in rows]
            _interval(axes, x, [one for _, one in rows], COLOURS[METRIC_COLOURS[key]], coupling)
        name_axes(axes, "", f"{METRICS[key].short}, {count(STEPS[-1], 'step')}")
    for panels, steps in zip(below, CHANGED, strict=True):
        for axes, key in zip(panels, SCORED, strict=True):
            axes.axhline(0, color=COLOURS["threshold"], linewidth=0.9, zorder=0.5)
            for slot, coupling in enumerate(COUPLINGS):
                x, rows = changes_by(figures, by, key, coupling, steps, slot)
                _interval(axes, x, rows, COLOURS[METRIC_COLOURS[key]], coupling)
            axes.set_ylim(change_range(figures, by, steps))
            is_last = panels is below[-1]
            name_axes(axes, AXIS_TITLES[by] if is_last else "", f"change, {count(steps, 'step')}")
            axes.set_xticks(range(len(places)), [f"{place:,}" for place in places])
            axes.set_xlim(-0.5, len(places) - 0.5)
    for coupling, (marker, is_filled) in _MARKERS.items():
        face = INK if is_filled else "white"
        above[0].plot([], [], marker, color=INK, markersize=4, markerfacecolor=face, label=coupling)
    if any(one.is_blind for one in effects_by(figures, by)):
        grey = (1 - PALE,) * 3  # a legend takes no transparency
        above[0].plot([], [], "o", color=grey, markersize=4, label="pale: no better than chance")
    add_legend(figure, above, 5)
    return figure


def still_coupling_fields(figures: CouplingFigures) -> Figure:
    """Each flow and the closed forms (dotted) against its gamma: (a) along x, (b) from -x, (c) the well, (d) bend."""
    figure, panels = new_sheet(FULL_MM, 56, len(FIELD_PANELS))
    opposed, depth, bend = figures.gaussian
    exact = {"turned": opposed, "departure": abs(opposed), "depth": depth, "bend": bend}
    for axes, (name, _, title) in zip(panels, FIELD_PANELS, strict=True):
        axes.plot(opposed, exact[name], color=COLOURS["reference"], linestyle=_DOT, linewidth=1.2, label="closed form")
        for coupling, (marker, is_filled) in _MARKERS.items():
            rows = [one for one in figures.points if one.coupling == coupling]
            face = COLOURS["selected"] if is_filled else "white"
            look = {"marker": marker, "markerfacecolor": face, "markersize": 3.2, "markeredgewidth": 0.8}
            x, y = [one.opposed for one in rows], [getattr(one, name) for one in rows]
            axes.plot(x, y, linestyle="none", color=COLOURS["selected"], label=coupling, **look)
        name_axes(axes, "γ", title)
    add_legend(figure, panels, 4)
    return figure


def _interval(axes: Axes, x: Sequence[float], rows: Sequence[Effect | Level], colour: str, coupling: str) -> None:
    marker, is_filled = _MARKERS[coupling]
    look = {"marker": marker, "markersize": 3.6, "markerfacecolor": colour if is_filled else "white"}
    for at, one in zip(x, rows, strict=True):
        low, middle, high = one.interval.low, one.interval.value, one.interval.high
        alpha = PALE if isinstance(one, Effect) and one.is_blind else 1.0
        bars = {"elinewidth": 0.9, "capsize": 1.5, "linestyle": "none", "alpha": alpha}
        axes.errorbar([at], [middle], yerr=[[middle - low], [high - middle]], color=colour, **bars, **look)


def _decades(values: Sequence[int]) -> list[float]:
    """Powers of ten around the values."""
    found, at = [1.0], 1.0
    while at < max(values):
        at *= 10
        found.append(at)
    return found
