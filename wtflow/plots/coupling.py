"""When the coupling matters: its strength by dimension, what it changes, and its fields next to closed forms.

Filled marks are the worst coupling, open ones the optimal one. Image AUROC is violet and AUPRO green, as among the
figures of steps; grey is what is compared with. Bars are 95 % intervals.
"""

from collections.abc import Sequence
from typing import Final, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.metrics import METRICS
from wtflow.numbers import count, difference
from wtflow.plots.theme import COLOURS, add_empty_note, style
from wtflow.records.coupling import SCORED, STEPS, CouplingFigures, Effect, FieldPoint

By = Literal["dimension", "group_size"]
AXIS_TITLES: Final[dict[By, str]] = {
    "dimension": "leading components (dimension)",
    "group_size": "group size",
}
METRIC_COLOURS: Final = {"image_auroc": "selected", "aupro": "time"}
GROUP_SYMBOLS: Final = ("circle", "triangle-up", "square", "diamond", "pentagon", "cross", "x")
COUPLINGS: Final = ("worst", "optimal")
DODGE: Final = 0.18
"""Between the marks of one place, in places."""
NO_DEFECTS: Final = "Nothing to compare: the test images have no defects, or no normal images."

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
    """What the worst and the optimal coupling change against the independent one, with intervals.

    by: dimension, at the run's group size; or group size, with all components. Violet and green marks: four steps; grey
    ones: one step.
    """
    chosen = effects_by(figures, by)
    figure = make_subplots(
        rows=1, cols=2, subplot_titles=[METRICS[key].title for key in SCORED], horizontal_spacing=0.1
    )
    style(figure, height=400)
    if not chosen:
        return add_empty_note(figure, NO_DEFECTS)
    places = places_of(figures, by)
    for column, key in enumerate(SCORED, start=1):
        for slot, (coupling, steps) in enumerate(_slots()):
            rows = [one for one in chosen if (one.key, one.coupling, one.steps) == (key, coupling, steps)]
            colour = COLOURS[METRIC_COLOURS[key] if steps == STEPS[-1] else "reference"]
            name = f"{coupling}, {count(steps, 'step')}"
            figure.add_trace(
                go.Scatter(
                    x=[places.index(getattr(one, by)) + DODGE * (slot - 1.5) for one in rows],
                    y=[one.interval.value for one in rows],
                    error_y=_bars(rows, colour),
                    mode="markers",
                    name=f"{METRICS[key].short}: {name}",
                    marker={"symbol": f"circle{'-open' * (coupling != 'worst')}", "size": 8, "color": colour},
                    hovertext=[_effect_words(one) for one in rows],
                    hovertemplate="%{hovertext}<extra></extra>",
                ),
                row=1,
                col=column,
            )
    figure.add_hline(y=0, line={"color": COLOURS["threshold"], "width": 1.5})
    figure.update_xaxes(
        title_text=AXIS_TITLES[by], tickvals=list(range(len(places))), ticktext=[f"{place:,}" for place in places]
    )
    figure.update_xaxes(range=[-0.5, len(places) - 0.5], showgrid=False, zeroline=False)
    figure.update_yaxes(tickformat="+.3f", matches="y")
    figure.update_yaxes(title_text="change against independent", col=1)
    return figure.update_layout(showlegend=True, legend={"y": -0.22, "yanchor": "top"}, margin={"b": 90})


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
    return figure.update_layout(showlegend=True, margin={"t": 60})


FIELD_SYMBOLS: Final = {"worst": "circle", "independent": "x-thin-open", "optimal": "circle-open"}


def effects_by(figures: CouplingFigures, by: By) -> list[Effect]:
    """Effects of positions at the run's group size (by dimension), or of all components (by group size)."""
    if by == "dimension":
        return [one for one in figures.effects if one.part == "positions" and one.group_size == figures.own_group]
    return [one for one in figures.effects if one.part == "positions" and one.dimension == figures.dimensions[-1]]


def places_of(figures: CouplingFigures, by: By) -> tuple[int, ...]:
    return figures.dimensions if by == "dimension" else figures.group_sizes


def _slots() -> list[tuple[str, int]]:
    return [(coupling, steps) for steps in reversed(STEPS) for coupling in COUPLINGS]


def _bars(rows: Sequence[Effect], colour: str) -> dict[str, object]:
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


def _effect_words(one: Effect) -> str:
    low, high = difference(one.interval.low), difference(one.interval.high)
    return (
        f"{one.coupling}, {one.dimension:,} dimensions, groups of {one.group_size:,}, {count(one.steps, 'step')}<br>"
        f"{METRICS[one.key].short} {difference(one.interval.value)}, {low} to {high}"
    )


def _point_words(one: FieldPoint) -> str:
    groups = f", groups of {one.group_size:,}" if one.group_size else ""
    what = "whole grids, " if one.part == "images" else ""
    return f"{what}{one.coupling}, {one.dimension:,} dimensions{groups}, seed {one.seed + 1}"


def _named(name: str, line: dict[str, object]) -> go.Scatter:
    """An entry of the legend for lines drawn by others."""
    return go.Scatter(x=[None], y=[None], mode="lines", name=name, line=line)
