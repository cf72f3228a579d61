"""How the scores of normal and defective images are spread, and what a threshold cuts off."""

import numpy as np
import plotly.graph_objects as go

from wtflow.plots.axes import format_score, score_axis, threshold_shape
from wtflow.plots.theme import COLOURS, add_empty_note, style

HEADROOM = 1.15
"""The tallest bar leaves this much room for the threshold's label."""


def plot_score_histogram(scores: np.ndarray, is_defective: np.ndarray, threshold: float, n_bins: int = 40) -> go.Figure:
    """Stacked bars of image scores by label, with the threshold.

    scores: (N,) finite floats, higher is worse; is_defective: (N,) bool. Each bar carries `customdata = [low, high]`,
    the scores it counts: low <= score < high, and score <= high in the last bin. Bins are spaced logarithmically where
    scores span over two decades. A label that no image has gets no bars.
    """
    scores, is_defective = np.asarray(scores, dtype=float), np.asarray(is_defective, dtype=bool)
    figure = style(go.Figure())
    if scores.size == 0:
        return add_empty_note(figure, "No images to show.")

    axis = score_axis(scores)
    edges = axis.edges(n_bins)
    edges[0], edges[-1] = axis.low, axis.high  # rounding in geomspace must not push the extreme images out
    counts = {
        name: np.histogram(scores[is_defective == flag], edges)[0]
        for name, flag in (("normal", False), ("defect", True))
    }
    for name, words in (("normal", "normal"), ("defect", "defective")):
        if counts[name].any():
            figure.add_trace(_bars(edges, counts[name], COLOURS[name], words))

    tallest = int((counts["normal"] + counts["defect"]).max())
    figure.update_layout(barmode="stack", showlegend=True, shapes=[threshold_shape(axis, threshold)])
    figure.update_xaxes(axis.layout())
    figure.update_yaxes(title_text="number of images", range=[0, tallest * HEADROOM], rangemode="tozero")
    if tallest < 5:  # with few images Plotly would mark halves of an image
        figure.update_yaxes(dtick=1)
    return figure


def _bars(edges: np.ndarray, counts: np.ndarray, colour: str, words: str) -> go.Bar:
    """The bins that hold something: an empty bar could not be seen but could be clicked."""
    held = np.flatnonzero(counts)
    low, high = edges[:-1][held], edges[1:][held]
    return go.Bar(
        x=(low + high) / 2,
        width=high - low,
        y=counts[held],
        customdata=[[float(a), float(b)] for a, b in zip(low, high, strict=True)],
        name=f"{words} ({int(counts.sum())})",
        marker={"color": colour, "line": {"width": 0}},
        hovertext=[
            f"{n} {words} image{'' if n == 1 else 's'}<br>score {format_score(a)} to {format_score(b)}"
            for n, a, b in zip(counts[held], low, high, strict=True)
        ],
        hoverinfo="text",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}},
    )
