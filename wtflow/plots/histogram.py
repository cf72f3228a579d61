"""How the scores of normal and defective images are spread, and what a threshold cuts off."""

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.plots.axes import TEXT_PX, ground_shape, score_axis, side_note, threshold_shape
from wtflow.plots.theme import COLOURS, add_empty_note, outcome_words, style

HEADROOM = 0.13
"""Share of the height that the tallest bars leave on each side for the threshold's label and the side's name."""
MOST_TICKS = 3
"""On each side of the axis at most, besides 0."""


def plot_score_histogram(
    scores: np.ndarray, is_defective: np.ndarray, threshold: float, n_bins: int = 40, height_px: int = 300
) -> go.Figure:
    """Bars of image scores on one axis, normal images upward and defective ones downward, with the threshold. Bars have
    the colour of their outcome, so that false alarms and missed defects stand out.

    scores: (N,) finite floats, higher is worse; is_defective: (N,) bool. Each bar carries `customdata = [low, high]`,
    the scores it counts: low <= score < high, and score <= high in the last bin. The threshold is an edge between two
    bins. Bins are spaced logarithmically where scores span over two decades. An outcome that no image has gets no bars.
    """
    scores, is_defective = np.asarray(scores, dtype=float), np.asarray(is_defective, dtype=bool)
    figure = style(go.Figure(), height=height_px)
    if scores.size == 0:
        return add_empty_note(figure, "No images to show.")

    axis = score_axis(scores)
    edges = axis.edges(n_bins)
    edges[0], edges[-1] = axis.low, axis.high  # rounding in geomspace must not push the extreme images out
    if axis.low < threshold < axis.high:
        edges = np.union1d(edges, threshold)
    called = scores >= threshold
    tallest = {1: 0, -1: 0}
    bars = []
    for outcome, side, own in (
        ("TN", 1, ~is_defective & ~called),
        ("FP", 1, ~is_defective & called),
        ("FN", -1, is_defective & ~called),
        ("TP", -1, is_defective & called),
    ):
        if own.any():
            counts = np.histogram(scores[own], edges)[0]
            bars.append(_bars(edges, counts, side, outcome, threshold))
            tallest[side] = max(tallest[side], int(counts.max()))
    figure.add_traces(bars)

    line = threshold_shape(axis, threshold)
    room = HEADROOM * sum(tallest.values())
    ends = [-tallest[-1] - room, tallest[1] + room]
    ticks = _ticks(max(tallest.values()), ends)
    figure.update_layout(
        barmode="overlay",
        showlegend=True,
        shapes=[line | {"label": line["label"] | {"font": {"size": TEXT_PX}}}, ground_shape()],
        annotations=[side_note("↑ normal images", 1), side_note("↓ defective images", -1)],
        legend={"font": {"size": TEXT_PX}},
        xaxis=axis.layout() | {"tickfont": {"size": TEXT_PX}},
        yaxis={
            "title": {"text": "number of images"},
            "range": ends,
            "zeroline": False,
            "tickfont": {"size": TEXT_PX},
            "tickvals": ticks,
            "ticktext": [f"{abs(tick):,}" for tick in ticks],
        },
    )
    return figure


def _bars(edges: np.ndarray, counts: np.ndarray, side: int, outcome: str, threshold: float) -> go.Bar:
    """The bins that hold something: an empty bar could not be seen but could be clicked."""
    held = np.flatnonzero(counts)
    low, high = edges[:-1][held], edges[1:][held]
    n = int(counts.sum())
    return go.Bar(
        x=(low + high) / 2,
        width=high - low,
        y=side * counts[held],
        customdata=[[float(a), float(b)] for a, b in zip(low, high, strict=True)],
        name=f"{n:,} {outcome_words(outcome, n)}",
        marker={"color": COLOURS[outcome.lower()], "line": {"width": 0}},
        hovertext=[
            f"{k} {outcome_words(outcome, k)}<br>{_range_words(a, b, threshold)}"
            for k, a, b in zip(counts[held], low, high, strict=True)
        ],
        hoverinfo="text",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}},
    )


def _range_words(low: float, high: float, threshold: float) -> str:
    words = f"score {format_score(low)} to {format_score(high)}"
    first, last = of_threshold(low, threshold), of_threshold(high, threshold)
    return words if first is None or last is None else f"{words}<br>{first.split(' of ')[0]} to {last}"


def _ticks(tallest: int, ends: list[float]) -> list[int]:
    """Whole numbers of images within the axis, the same step on both sides."""
    step = next(
        times * 10**power for power in range(12) for times in (1, 2, 5) if times * 10**power * MOST_TICKS >= tallest
    )
    return [tick for tick in range(-step * MOST_TICKS, step * MOST_TICKS + 1, step) if ends[0] <= tick <= ends[1]]
