"""Where one image stands among all others."""

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import score as format_score
from wtflow.plots.axes import score_axis, threshold_shape
from wtflow.plots.theme import COLOURS, style

ROWS = (("normal", "normal", 0), ("defect", "defective", 1))
"""Meaning, words, height of the row."""


def plot_score_strip(scores: np.ndarray, is_defective: np.ndarray, this_score: float, threshold: float) -> go.Figure:
    """Each image as a dot in the row of its label, this image as a line through both, and the threshold.

    scores: (N,) finite floats, higher is worse; is_defective: (N,) bool; `this_score` need not be among them (a tried
    image).
    """
    scores, is_defective = np.asarray(scores, dtype=float), np.asarray(is_defective, dtype=bool)
    figure = style(go.Figure(), height=210)
    axis = score_axis(np.append(scores, this_score), padding=0.03)
    rows = [row for row in ROWS if (is_defective == bool(row[2])).any()]
    for name, words, height in rows:
        own = np.sort(scores[is_defective == bool(height)])
        marker = {"color": COLOURS[name], "size": 7, "opacity": 0.75, "line": {"width": 0}}
        hover = f"{words}<br>score %{{x:.4g}}<extra></extra>"
        y = height + _spread(own.size)
        figure.add_trace(
            go.Scatter(x=own, y=y, name=words, mode="markers", marker=marker, hovertemplate=hover, showlegend=False)
        )

    marker = {"symbol": "diamond", "size": 12, "color": COLOURS["selected"], "line": {"width": 0}}
    figure.add_trace(
        go.Scatter(
            x=[this_score] * 2,
            y=[-0.5, 1.5],
            mode="lines+markers",
            name=f"this image, {format_score(this_score)}",
            line={"color": COLOURS["selected"], "width": 2.5},
            marker=marker,
            hovertemplate="this image<br>score %{x:.4g}<extra></extra>",
        )
    )
    shape = threshold_shape(axis, threshold)
    shape["label"] |= {"yanchor": "bottom", "padding": 2}
    figure.update_layout(
        shapes=[shape], showlegend=True, margin={"t": 52}, legend={"yref": "container", "y": 0.99, "yanchor": "top"}
    )
    figure.update_xaxes(axis.layout())
    heights = [height for *_, height in rows]
    figure.update_yaxes(
        range=[-0.6, 1.6], tickvals=heights, ticktext=[words for _, words, _ in rows], showgrid=False, zeroline=False
    )
    return figure


def _spread(n: int) -> np.ndarray:
    """(n,) offsets in [-0.3, 0.3] that keep neighbours in score apart;
    the same each time (steps of the golden ratio).
    """
    return 0.6 * ((np.arange(n) * 0.6180339887) % 1.0 - 0.5)
