"""What a threshold is expected to cost."""

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import score as format_score
from wtflow.plots.theme import COLOURS, style

HEIGHT_PX = 220


def plot_cost(thresholds: np.ndarray, cost: np.ndarray, chosen: float, place: tuple[float, float] | None) -> go.Figure:
    """The expected cost of an image in units of a false alarm (T,) against the threshold (T,), rising; the chosen one
    as a line, the interval of its place as a band.
    """
    figure = style(go.Figure(), height=HEIGHT_PX)
    figure.add_trace(
        go.Scatter(
            x=thresholds,
            y=cost,
            mode="lines",
            line={"color": COLOURS["reference"], "width": 2, "shape": "hv"},
            hovertext=[f"at {format_score(x)}: {format_score(y)}" for x, y in zip(thresholds, cost, strict=True)],
            hoverinfo="text",
        )
    )
    if place is not None:
        figure.add_vrect(*place, fillcolor=COLOURS["threshold"], opacity=0.15, line_width=0)
    figure.add_vline(chosen, line={"color": COLOURS["threshold"], "width": 2, "dash": "dash"})
    figure.update_layout(showlegend=False)
    figure.update_xaxes(title_text="threshold")
    figure.update_yaxes(title_text="cost of an image", rangemode="tozero")
    return figure
