"""The scores of new images against those of images known before, mirrored on one axis."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from wtflow.numbers import PERCENT_SIGN, percent
from wtflow.numbers import score as format_score
from wtflow.plots.axes import TEXT_PX, ground_shape, score_axis, side_note, threshold_shape
from wtflow.plots.histogram import HEADROOM
from wtflow.plots.theme import COLOURS, add_empty_note, style

N_BINS = 40


def plot_against(
    new: ArrayLike, known: ArrayLike, threshold: float, *, names: tuple[str, str], height_px: int = 300
) -> go.Figure:
    """Bars of the scores of new images upward and of known ones downward, each as a share of its own images, since
    there may be a hundred times as many of one as of the other.

    new: (N,) and known: (M,) finite floats, higher is worse; names: what both are called, in the plural. Each bar
    carries `customdata = [low, high]`, the scores it counts. The threshold is an edge between two bins; new images at
    or above it have the colour of defects, known images are grey.
    """
    new, known = np.asarray(new, dtype=float), np.asarray(known, dtype=float)
    figure = style(go.Figure(), height=height_px)
    if new.size + known.size == 0:
        return add_empty_note(figure, "No scores to show.")
    axis = score_axis(np.concatenate([new, known, [threshold]]))  # where it lies to the scores is the question
    edges = axis.edges(N_BINS)
    edges[0], edges[-1] = axis.low, axis.high  # rounding in geomspace must not push the extreme images out
    if axis.low < threshold < axis.high:
        edges = np.union1d(edges, threshold)
    called = new >= threshold
    groups = (
        (new[~called], new.size, 1, "normal", "called normal"),
        (new[called], new.size, 1, "defect", "called defective"),
        (known, known.size, -1, "reference", names[1]),
    )
    tallest = {1: 0.0, -1: 0.0}
    for scores, n, side, colour, words in groups:
        if scores.size:
            counts = np.histogram(scores, edges)[0]
            tallest[side] = max(tallest[side], float(counts.max()) / n)
            figure.add_trace(_bars(edges, counts, n, side, COLOURS[colour], words))
    room = HEADROOM * sum(tallest.values())
    ends = [-tallest[-1] - room, tallest[1] + room]
    line = threshold_shape(axis, threshold)
    ticks = _ticks(max(tallest.values()), ends)
    figure.update_layout(
        barmode="overlay",
        showlegend=True,
        shapes=[line | {"label": line["label"] | {"font": {"size": TEXT_PX}}}, ground_shape()],
        annotations=[side_note(f"↑ {names[0]}", 1), side_note(f"↓ {names[1]}", -1)] if known.size else [],
        legend={"font": {"size": TEXT_PX}},
        xaxis=axis.layout() | {"tickfont": {"size": TEXT_PX}},
        yaxis={
            "title": {"text": "share of the images"},
            "range": ends,
            "zeroline": False,
            "tickfont": {"size": TEXT_PX},
            "tickvals": ticks,
            "ticktext": [f"{100 * abs(tick):.3g}{PERCENT_SIGN}" for tick in ticks],
        },
    )
    return figure


def _bars(edges: np.ndarray, counts: np.ndarray, n: int, side: int, colour: str, words: str) -> go.Bar:
    """The bins that hold something: an empty bar could not be seen but could be clicked."""
    held = np.flatnonzero(counts)
    low, high = edges[:-1][held], edges[1:][held]
    return go.Bar(
        x=(low + high) / 2,
        width=high - low,
        y=side * counts[held] / n,
        customdata=[[float(a), float(b)] for a, b in zip(low, high, strict=True)],
        name=f"{int(counts.sum()):,} {words}",
        marker={"color": colour, "line": {"width": 0}},
        hovertext=[
            f"{k:,} {words}: {percent(k / n)} of {n:,}<br>score {format_score(a)} to {format_score(b)}"
            for k, a, b in zip(counts[held], low, high, strict=True)
        ],
        hoverinfo="text",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}},
    )


def _ticks(tallest: float, ends: list[float]) -> list[float]:
    """Round shares within the axis, the same step on both sides."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if s * 3 >= tallest or s == 0.5)
    return [k * step for k in range(-3, 4) if ends[0] <= k * step <= ends[1]]
