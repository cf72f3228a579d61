"""Few solver steps against many, and paths there and back: figures over the number of evaluations."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from wtflow.plots.groups import group_colours, group_words
from wtflow.plots.theme import COLOURS, style
from wtflow.records_flow import ReturnTrip, Spread, StepsRow

SOLVER_LOOK = {"euler": {"dash": "solid", "symbol": "circle"}, "heun": {"dash": "dash", "symbol": "diamond"}}
QUALITY = {"image_auroc": ("image AUROC", "selected"), "aupro": ("AUPRO", "time")}


def plot_steps(rows: Sequence[StepsRow]) -> go.Figure:
    """Quality, endpoint norms and time against evaluations of the network, Euler solid and Heun dashed; the run's own setting ringed."""
    figure = make_subplots(rows=1, cols=3, subplot_titles=("Quality on the test set", "Distance from the origin at t = 1", "Flow time per image"),
                           horizontal_spacing=0.08)  # fmt: skip
    style(figure, height=380)
    for metric, (words, colour) in QUALITY.items():
        for solver in SOLVER_LOOK:
            chosen = [row for row in rows if row.solver == solver and row.metrics.get(metric) is not None]
            _add(figure, 1, chosen, [row.metrics[metric] for row in chosen], f"{words}, {solver}", COLOURS[colour], solver)
    groups = tuple(dict.fromkeys(group for row in rows for group in row.norms))
    for group, colour in group_colours(groups).items():
        for solver in SOLVER_LOOK:
            chosen = [row for row in rows if row.solver == solver and group in row.norms]
            _add(figure, 2, chosen, [row.norms[group][1] for row in chosen], f"{group_words(group)}, {solver}", colour, solver)
    for solver in SOLVER_LOOK:
        chosen = [row for row in rows if row.solver == solver]
        _add(figure, 3, chosen, [row.ms_per_image for row in chosen], f"time, {solver}", COLOURS["reference"], solver)
    for row in rows:
        if row.is_default:
            figure.add_vline(x=row.evaluations, line={"color": COLOURS["threshold"], "width": 1.5, "dash": "dot"})
    figure.update_xaxes(type="log", title_text="evaluations of the network per position", tickvals=[1, 2, 4, 10, 20, 50, 100], title_font_size=12)
    figure.update_yaxes(title_text="higher is better", col=1)
    figure.update_yaxes(title_text="median norm", rangemode="tozero", col=2)
    figure.update_yaxes(title_text="milliseconds", rangemode="tozero", col=3)
    return figure.update_layout(showlegend=True, legend={"y": -0.28, "yanchor": "top"}, margin={"b": 90})


def plot_return(trips: Sequence[ReturnTrip]) -> go.Figure:
    """How far from its start a position comes back, by group: median and 5-95 % against steps each way, both axes logarithmic."""
    figure = style(go.Figure(), height=360)
    groups = tuple(dict.fromkeys(group for trip in trips for group in trip.errors))
    for group, colour in group_colours(groups).items():
        for solver, look in SOLVER_LOOK.items():
            chosen = [trip for trip in trips if trip.solver == solver and group in trip.errors]
            if not chosen:
                continue
            spreads = [trip.errors[group] for trip in chosen]
            figure.add_trace(go.Scatter(
                x=[trip.steps for trip in chosen], y=[spread[1] for spread in spreads], mode="lines+markers", name=f"{group_words(group)}, {solver}",
                line={"color": colour, "dash": look["dash"], "width": 2}, marker={"symbol": look["symbol"], "size": 8}, error_y=_bars(spreads),
                hovertemplate="%{x} steps each way<br>median error %{y:.3g} of the start's norm<extra></extra>",
            ))  # fmt: skip
    figure.update_xaxes(type="log", title_text="solver steps each way", tickvals=[1, 2, 4, 10, 20, 50, 100])
    figure.update_yaxes(type="log", title_text="|return − start| / |start|", exponentformat="power")
    figure.add_hline(y=1, line={"color": COLOURS["reference"], "dash": "dot"}, annotation_text="as far away as the start is from the origin")
    return figure.update_layout(showlegend=True)


def _add(figure: go.Figure, column: int, rows: Sequence[StepsRow], values: list[float], name: str, colour: str, solver: str) -> None:
    if not rows:
        return
    look = SOLVER_LOOK[solver]
    marker = {"symbol": look["symbol"], "size": [13 if row.is_default else 7 for row in rows], "line": {"width": 0}}
    hover = [f"{row.solver}, {row.steps} step{'s' * (row.steps > 1)}{' (this run)' * row.is_default}" for row in rows]
    figure.add_trace(
        go.Scatter(x=[row.evaluations for row in rows], y=values, name=name, mode="lines+markers", line={"color": colour, "dash": look["dash"]},
                   marker=marker, hovertext=hover, hovertemplate="%{hovertext}<br>%{y:.4g}<extra>" + name + "</extra>"),
        row=1, col=column,
    )  # fmt: skip


def _bars(spreads: list[Spread]) -> dict[str, object]:
    up, down = [high - middle for _, middle, high in spreads], [middle - low for low, middle, _ in spreads]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1, "width": 3}
