"""Few solver steps against many, and paths there and back: figures over the number of evaluations."""

from collections.abc import Iterable, Sequence
from typing import Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.metrics import METRICS
from wtflow.plots.groups import group_colours, group_words
from wtflow.plots.letters import figure_letters
from wtflow.plots.theme import COLOURS, style
from wtflow.records.flow import ReturnTrip, Spread, StepsRow, ordered_groups

SOLVER_LOOK: Final = {"euler": {"dash": "solid", "symbol": "circle"}, "heun": {"dash": "dash", "symbol": "diamond"}}
QUALITY_COLOURS: Final = {"image_auroc": "selected", "aupro": "time"}
TICKS: Final = (1, 2, 4, 10, 20, 50, 100, 200, 400)

GONE: Final = 1e6
"""A return error from here on means that the path was lost: records hold an infinite one as the largest float32, and
quantiles between it and a small error lie anywhere below.
"""

NEVER: Final = 10.0
"""Lost paths are drawn this many times above the largest error of those that came back, or above 1: an axis that held
their numbers would show nothing else.
"""

LEAST: Final = 1e-8
"""Where errors of exactly 0 are drawn: float32 cannot distinguish smaller ones from 0, and a
logarithmic axis has no 0.
"""


def plot_steps(rows: Sequence[StepsRow]) -> go.Figure:
    """Quality, endpoint norms and time against evaluations of the network, Euler solid and Heun dashed.

    The run's own setting is ringed, and a dotted line stands at its number of evaluations. A metric that is None is
    left out.
    """
    rows = sorted(rows, key=lambda row: row.evaluations)
    figure = make_subplots(
        rows=1,
        cols=3,
        subplot_titles=("Quality on the test set", "Distance from the origin at t = 1", "Flow time per image"),
        horizontal_spacing=0.08,
    )
    style(figure, height=380)
    for metric, colour in QUALITY_COLOURS.items():
        for solver in SOLVER_LOOK:
            known = [(row, row.metrics.get(metric)) for row in rows if row.solver == solver]
            drawn = [(row, value) for row, value in known if value is not None]
            _add(
                figure,
                1,
                [row for row, _ in drawn],
                [value for _, value in drawn],
                f"{METRICS[metric].short}, {solver}",
                COLOURS[colour],
                solver,
            )
    for group, colour in _colours(row.norms for row in rows).items():
        for solver in SOLVER_LOOK:
            chosen = [row for row in rows if row.solver == solver and group in row.norms]
            _add(
                figure,
                2,
                chosen,
                [row.norms[group][1] for row in chosen],
                f"{figure_letters(group_words(group))}, {solver}",
                colour,
                solver,
            )
    for solver in SOLVER_LOOK:
        chosen = [row for row in rows if row.solver == solver]
        _add(figure, 3, chosen, [row.ms_per_image for row in chosen], f"time, {solver}", COLOURS["reference"], solver)
    for row in rows:
        if row.is_default:
            figure.add_vline(x=row.evaluations, line={"color": COLOURS["threshold"], "width": 1.5, "dash": "dot"})
    figure.update_xaxes(
        type="log", title_text="evaluations of the network per position", tickvals=TICKS, title_font_size=12
    )
    figure.update_yaxes(title_text="higher is better", col=1)
    figure.update_yaxes(title_text="median norm", rangemode="tozero", col=2)
    figure.update_yaxes(title_text="milliseconds", rangemode="tozero", col=3)
    return figure.update_layout(showlegend=True, legend={"y": -0.28, "yanchor": "top"}, margin={"b": 90})


def plot_return(trips: Sequence[ReturnTrip]) -> go.Figure:
    """How far from its start a position comes back, by group:
    median and 5-95 % against steps each way, both axes logarithmic.

    Where half of a group's positions never return, a triangle at the upper edge marks this.
    """
    trips = sorted(trips, key=lambda trip: trip.steps)
    figure = style(go.Figure(), height=360)
    returned = [value for trip in trips for spread in trip.errors.values() for value in spread if value < GONE]
    edge = NEVER * max([1.0, *returned])
    for group, colour in _colours(trip.errors for trip in trips).items():
        for solver, look in SOLVER_LOOK.items():
            chosen = [trip for trip in trips if trip.solver == solver and group in trip.errors]
            if not chosen:
                continue
            spreads = [trip.errors[group] for trip in chosen]
            drawn = [_within(spread, edge) for spread in spreads]
            figure.add_trace(
                go.Scatter(
                    x=[trip.steps for trip in chosen],
                    y=[middle for _, middle, _ in drawn],
                    mode="lines+markers",
                    name=f"{figure_letters(group_words(group))}, {solver}",
                    line={"color": colour, "dash": look["dash"], "width": 2},
                    marker={"symbol": look["symbol"], "size": 8},
                    error_y=_bars(drawn),
                    hovertext=[_return_words(spread) for spread in spreads],
                    hovertemplate="%{x} steps each way<br>%{hovertext}<extra></extra>",
                )
            )
            lost = [trip.steps for trip, (_, middle, _) in zip(chosen, spreads, strict=True) if middle >= GONE]
            if lost:
                figure.add_trace(
                    _over(lost, [edge] * len(lost), {"symbol": "triangle-up", "color": colour, "size": 14})
                )
    # Labels of shapes: an annotation's y would count in powers of ten on a logarithmic axis.
    lines = {1.0: "as far away as the start is from the origin"}
    if any(value >= GONE for trip in trips for spread in trip.errors.values() for value in spread):
        lines[edge] = "never returned"
    for y, words in lines.items():
        label = {"text": words, "textposition": "end", "yanchor": "bottom", "font": {"size": 12}}
        figure.add_hline(y=y, line={"color": COLOURS["reference"], "dash": "dot"}, label=label)
    figure.update_xaxes(type="log", title_text="solver steps each way", tickvals=TICKS)
    figure.update_yaxes(type="log", title_text="|return − start| / |start|", exponentformat="power", dtick=1)
    return figure.update_layout(showlegend=True)


def _colours(found: Iterable[dict[str, Spread]]) -> dict[str, str]:
    """Group -> colour, in the order of `PositionSet.groups`, so that a type has the same colour as
    in other figures.
    """
    return group_colours(ordered_groups(name for one in found for name in one))


def _within(spread: Spread, edge: float) -> Spread:
    low, middle, high = (min(max(value, LEAST), edge) for value in spread)
    return low, middle, high


def _return_words(spread: Spread) -> str:
    low, middle, high = spread
    if low >= GONE:
        return "none returned"
    if middle >= GONE:
        return f"most never returned; the nearest 5\N{NBSP}% came within {low:.3g} of the start's norm"
    return f"median error {middle:.3g} of the start's norm" + "; some never returned" * (high >= GONE)


def _add(
    figure: go.Figure, column: int, rows: Sequence[StepsRow], values: list[float], name: str, colour: str, solver: str
) -> None:
    if not rows:
        return
    look = SOLVER_LOOK[solver]
    hover = [f"{row.solver}, {row.steps} step{'s' * (row.steps > 1)}{' (this run)' * row.is_default}" for row in rows]
    figure.add_trace(
        go.Scatter(
            x=[row.evaluations for row in rows],
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": look["dash"]},
            marker={"symbol": look["symbol"], "size": 7},
            hovertext=hover,
            hovertemplate="%{hovertext}<br>%{y:.4g}<extra>" + name + "</extra>",
        ),
        row=1,
        col=column,
    )
    own = [(row.evaluations, value) for row, value in zip(rows, values, strict=True) if row.is_default]
    if own:
        x, y = zip(*own, strict=True)
        figure.add_trace(
            _over(x, y, {"symbol": "circle-open", "color": COLOURS["selected"], "size": 15, "line": {"width": 2}}),
            row=1,
            col=column,
        )


def _over(x: Sequence[float], y: Sequence[float], marker: dict[str, object]) -> go.Scatter:
    """Marks over points that already belong to a line, without their own entry in the legend,
    which shows the line's first point.
    """
    return go.Scatter(x=list(x), y=list(y), mode="markers", marker=marker, showlegend=False, hoverinfo="skip")


def _bars(drawn: Sequence[Spread]) -> dict[str, object]:
    up, down = [high - middle for _, middle, high in drawn], [middle - low for low, middle, _ in drawn]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1, "width": 3}
