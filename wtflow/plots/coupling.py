"""When the coupling matters: its strength by dimension, what it changes, and its fields next to closed forms.

Filled marks are the worst coupling, open ones the optimal one, crosses the independent one. Image AUROC is violet and
AUPRO green, as among the figures of steps; grey is what is compared with. Bars are 95 % intervals.
"""

from collections.abc import Sequence
from typing import Final, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.metrics import METRICS
from wtflow.numbers import count, difference, metric
from wtflow.plots.theme import COLOURS, add_empty_note, style
from wtflow.records.coupling import SCORED, STEPS, CouplingFigures, Effect, FieldPoint, Level

By = Literal["dimension", "group_size"]
AXIS_TITLES: Final[dict[By, str]] = {
    "dimension": "leading components (dimension)",
    "group_size": "group size",
}
METRIC_COLOURS: Final = {"image_auroc": "selected", "aupro": "time"}
GROUP_SYMBOLS: Final = ("circle", "triangle-up", "square", "diamond", "pentagon", "cross", "x")
COUPLINGS: Final = ("worst", "optimal")
CHANGED: Final = tuple(reversed(STEPS))
"""Numbers of steps of the rows of changes, from above."""
DODGE: Final = 0.22
"""Between the marks of one place, in places."""
PALE: Final = 0.3
"""Opacity of marks where the flows find no defects."""
NO_DEFECTS: Final = "Nothing to compare: the test images have no defects, or no normal images."

FIELD_SYMBOLS: Final = {"worst": "circle", "independent": "x-thin-open", "optimal": "circle-open"}
FIELD_PANELS: Final = (
    ("turned", "field at t = 0: what it adds to −x, along x", "γ of the field"),
    ("departure", "field at t = 0: how far it is from −x", "s |v + x| / |x|"),
    ("depth", "depth of the well at t = 0", "depth / independent"),
    ("bend", "how bent paths are", "mean |v − line|² / d"),
)
"""Number of a FieldPoint, title of its panel, of its axis."""


def plot_strength(figures: CouplingFigures) -> go.Figure:
    """gamma of the worst coupling against the dimension, a line per group size; dotted: Gaussian data. Both axes are
    logarithmic. The run's own cell is ringed.
    """
    figure = style(go.Figure(), height=420)
    for n, symbol in zip(figures.group_sizes, GROUP_SYMBOLS, strict=False):
        rows = [one for one in figures.strengths if one.part == "positions" and one.group_size == n]
        d, name = [one.dimension for one in rows], f"groups of {n:,}"
        line = {"color": COLOURS["reference"], "dash": "dot", "width": 1.5}
        gaussian = [one.gaussian for one in rows]
        figure.add_trace(
            go.Scatter(x=d, y=gaussian, mode="lines", line=line, showlegend=False, hoverinfo="skip", legendgroup=name)
        )
        figure.add_trace(
            go.Scatter(
                x=d,
                y=[one.gamma for one in rows],
                customdata=[(one.gaussian, one.most, one.even) for one in rows],
                mode="lines+markers",
                name=name,
                legendgroup=name,
                line={"color": COLOURS["selected"], "width": 2},
                marker={"symbol": symbol, "size": 9},
                hovertemplate="%{x:,} dimensions<br>γ = %{y:.3f}<br>Gaussian data %{customdata[0]:.3f}<br>bound"
                " %{customdata[1]:.3f}<br>drawn evenly, standardised %{customdata[2]:.3f}<extra>" + name + "</extra>",
            )
        )
    grids = [one for one in figures.strengths if one.part == "images"]
    figure.add_trace(
        go.Scatter(
            x=[one.dimension for one in grids],
            y=[one.gamma for one in grids],
            mode="markers",
            name="whole grids of 8 x 8",
            marker={"symbol": "star", "size": 13, "color": COLOURS["selected"]},
            hovertemplate="%{x:,} values<br>γ = %{y:.4f}<extra>whole grids</extra>",
        )
    )
    figure.add_trace(_named("Gaussian data", {"color": COLOURS["reference"], "dash": "dot"}))
    own = [one for one in figures.strengths if (one.part, one.dimension, one.group_size) == figures.own]
    ring = {"symbol": "circle-open", "size": 20, "color": COLOURS["threshold"], "line": {"width": 3}}
    x, y = [one.dimension for one in own], [one.gamma for one in own]
    figure.add_trace(go.Scatter(x=x, y=y, mode="markers", name="this run", marker=ring, hoverinfo="skip"))
    figure.update_xaxes(type="log", title_text=AXIS_TITLES["dimension"], dtick=1)
    figure.update_yaxes(type="log", title_text="γ of the worst coupling", dtick=1, exponentformat="none")
    return figure.update_layout(showlegend=True)


def plot_effects(figures: CouplingFigures, by: By) -> go.Figure:
    """Image AUROC and AUPRO under each coupling with four steps (above), and what the worst and the optimal one change
    against the independent one, with four steps and with one (below), with intervals.

    by: dimension, at the run's group size; or group size, with all components. Pale: the flows find no defects there.
    """
    titles = [METRICS[key].title for key in SCORED]
    figure = make_subplots(
        rows=3, cols=2, subplot_titles=titles, shared_xaxes=True, horizontal_spacing=0.1, vertical_spacing=0.05
    )
    style(figure, height=680)
    if not effects_by(figures, by):
        return add_empty_note(figure, NO_DEFECTS)
    places = places_of(figures, by)
    for column, key in enumerate(SCORED, start=1):
        _add_levels(figure, figures, by, key, column)
        for row, steps in enumerate(CHANGED, start=2):
            for slot, coupling in enumerate(COUPLINGS):
                x, rows = changes_by(figures, by, key, coupling, steps, slot)
                for is_blind in (False, True):  # two traces, because bars are as opaque as their trace
                    chosen = [i for i, one in enumerate(rows) if one.is_blind == is_blind]
                    at, of = [x[i] for i in chosen], [rows[i] for i in chosen]
                    marks = _marks(at, of, coupling, COLOURS[METRIC_COLOURS[key]])
                    marks.update(showlegend=False, opacity=PALE if is_blind else 1.0)
                    figure.add_trace(marks, row=row, col=column)
    for row, steps in enumerate(CHANGED, start=2):
        figure.add_hline(y=0, line={"color": COLOURS["threshold"], "width": 1.5}, row=row)
        figure.update_yaxes(range=change_range(figures, by, steps), tickformat="+.3~f", row=row)
        figure.update_yaxes(title_text=f"change, {count(steps, 'step')}", row=row, col=1)
    ticks = {"tickvals": list(range(len(places))), "ticktext": [f"{place:,}" for place in places]}
    figure.update_xaxes(range=[-0.5, len(places) - 0.5], showgrid=False, zeroline=False, **ticks)
    figure.update_xaxes(title_text=AXIS_TITLES[by], row=3)
    figure.update_yaxes(title_text=f"level, {count(STEPS[-1], 'step')}", row=1, col=1)
    return figure.update_layout(showlegend=True, legend={"y": -0.1, "yanchor": "top"}, margin={"b": 80})


def changes_by(
    figures: CouplingFigures, by: By, key: str, coupling: str, steps: int, slot: int
) -> tuple[list[float], list[Effect]]:
    """Where the changes of a coupling stand, and the changes. slot: of the coupling among COUPLINGS."""
    rows = [one for one in effects_by(figures, by) if (one.key, one.coupling, one.steps) == (key, coupling, steps)]
    places = places_of(figures, by)
    return [places.index(getattr(one, by)) + DODGE * (slot - 0.5) for one in rows], rows


def change_range(figures: CouplingFigures, by: By, steps: int) -> tuple[float, float]:
    """An axis that holds every change where the flows find defects; others may run out of it."""
    rows = [one for one in effects_by(figures, by) if one.steps == steps]
    seen = [one for one in rows if not one.is_blind] or rows
    most = 1.15 * max(max(-one.interval.low, one.interval.high, 0.01) for one in seen)
    return -most, most


def levels_by(figures: CouplingFigures, by: By, key: str, coupling: str) -> list[tuple[int, Level]]:
    """(place, level with four steps) under a coupling; the independent one has no groups and stands at every size."""
    own = figures.own_group if by == "dimension" else None
    found = []
    for one in figures.levels:
        if (one.part, one.key, one.coupling, one.steps) != ("positions", key, coupling, STEPS[-1]):
            continue
        if by == "dimension" and one.group_size in (own, 0):
            found.append((figures.dimensions.index(one.dimension), one))
        if by == "group_size" and one.dimension == figures.dimensions[-1]:
            sizes = (one.group_size,) if one.group_size else figures.group_sizes
            found += [(figures.group_sizes.index(n), one) for n in sizes]
    return found


def before_by(figures: CouplingFigures, by: By, key: str) -> list[float]:
    """The metric of the norm before the flow at each place."""
    values = figures.before[:, SCORED.index(key)].tolist()
    return values if by == "dimension" else [values[-1]] * len(figures.group_sizes)


def _add_levels(figure: go.Figure, figures: CouplingFigures, by: By, key: str, column: int) -> None:
    before = before_by(figures, by, key)
    line = {"color": COLOURS["reference"], "dash": "dot", "width": 1.5}
    hover = "norm before the flow %{y:.3f}<extra></extra>"
    norm = go.Scatter(x=list(range(len(before))), y=before, mode="lines", line=line, hovertemplate=hover)
    figure.add_trace(norm.update(name="norm before the flow", showlegend=column == 1), row=1, col=column)
    for slot, coupling in enumerate(FIELD_SYMBOLS):
        rows = levels_by(figures, by, key, coupling)
        x = [place + DODGE * (slot - 1) for place, _ in rows]
        marks = _marks(x, [one for _, one in rows], coupling, COLOURS[METRIC_COLOURS[key]])
        figure.add_trace(marks.update(showlegend=column == 1), row=1, col=column)


def _marks(x: list[float], rows: Sequence[Effect | Level], coupling: str, colour: str) -> go.Scatter:
    marker = {"symbol": FIELD_SYMBOLS[coupling], "size": 8, "color": colour, "line": {"color": colour, "width": 1.5}}
    return go.Scatter(
        x=x,
        y=[one.interval.value for one in rows],
        error_y=_bars(rows, colour),
        mode="markers",
        name=coupling,
        marker=marker,
        hovertext=[_interval_words(one) for one in rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def plot_fields(figures: CouplingFigures) -> go.Figure:
    """Each flow next to the closed forms, against its gamma: below 0 optimal, 0 independent, above 0 worst."""
    titles = [title for _, title, _ in FIELD_PANELS]
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, horizontal_spacing=0.1, vertical_spacing=0.16)
    style(figure, height=640)
    opposed, depth, bend = figures.gaussian
    exact = {"turned": opposed, "departure": abs(opposed), "depth": depth, "bend": bend}
    for place, (name, _, axis) in enumerate(FIELD_PANELS):
        at = {"row": 1 + place // 2, "col": 1 + place % 2}
        line = {"color": COLOURS["reference"], "width": 2, "dash": "dot"}
        figure.add_trace(
            go.Scatter(
                x=opposed,
                y=exact[name],
                mode="lines",
                line=line,
                name="closed form",
                showlegend=not place,
                hoverinfo="skip",
            ),
            **at,
        )
        for coupling in ("worst", "independent", "optimal"):
            rows = [one for one in figures.points if one.coupling == coupling]
            figure.add_trace(
                go.Scatter(
                    x=[one.opposed for one in rows],
                    y=[getattr(one, name) for one in rows],
                    mode="markers",
                    name=coupling,
                    showlegend=not place,
                    marker={
                        "symbol": FIELD_SYMBOLS[coupling],
                        "size": 8,
                        "color": COLOURS["selected"],
                        "opacity": 0.75,
                    },
                    hovertext=[_point_words(one) for one in rows],
                    hovertemplate="%{hovertext}<br>γ = %{x:.3f}<br>%{y:.3f}<extra></extra>",
                ),
                **at,
            )
        figure.update_yaxes(title_text=axis, **at)
    figure.update_xaxes(title_text="γ: optimal below 0, worst above 0", row=2)
    return figure.update_layout(showlegend=True, legend={"y": -0.1, "yanchor": "top"}, margin={"b": 80})


def effects_by(figures: CouplingFigures, by: By) -> list[Effect]:
    """Effects of positions at the run's group size (by dimension), or of all components (by group size)."""
    if by == "dimension":
        return [one for one in figures.effects if one.part == "positions" and one.group_size == figures.own_group]
    return [one for one in figures.effects if one.part == "positions" and one.dimension == figures.dimensions[-1]]


def places_of(figures: CouplingFigures, by: By) -> tuple[int, ...]:
    return figures.dimensions if by == "dimension" else figures.group_sizes


def _bars(rows: Sequence[Effect | Level], colour: str) -> dict[str, object]:
    up = [one.interval.high - one.interval.value for one in rows]
    down = [one.interval.value - one.interval.low for one in rows]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "thickness": 1.5,
        "width": 3,
        "color": colour,
    }


def _interval_words(one: Effect | Level) -> str:
    write = difference if isinstance(one, Effect) else metric
    low, high = write(one.interval.low), write(one.interval.high)
    groups = f", groups of {one.group_size:,}" if one.group_size else ""
    return (
        f"{one.coupling}, {one.dimension:,} dimensions{groups}, {count(one.steps, 'step')}<br>"
        f"{METRICS[one.key].short} {write(one.interval.value)}, {low} to {high}"
    )


def _point_words(one: FieldPoint) -> str:
    groups = f", groups of {one.group_size:,}" if one.group_size else ""
    what = "whole grids, " if one.part == "images" else ""
    return f"{what}{one.coupling}, {one.dimension:,} dimensions{groups}, seed {one.seed + 1}"


def _named(name: str, line: dict[str, object]) -> go.Scatter:
    """An entry of the legend for lines drawn by others."""
    return go.Scatter(x=[None], y=[None], mode="lines", name=name, line=line)
