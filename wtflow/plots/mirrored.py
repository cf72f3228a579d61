"""Two groups of scores as bars on one axis, one upward and one downward, with the threshold between bins."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from wtflow.plots.axes import TEXT_PX, ScoreAxis, ground_shape, side_note, threshold_shape

HEADROOM = 0.13
"""Share of the height that the tallest bars leave on each side for the threshold's label and the side's name."""


def edges_of(axis: ScoreAxis, n_bins: int, threshold: float) -> np.ndarray:
    """The edges of bins over the axis, rising, with the threshold among them where it lies within."""
    edges = axis.edges(n_bins)
    edges[0], edges[-1] = axis.low, axis.high  # rounding in geomspace must not push the extreme images out
    return np.union1d(edges, threshold) if axis.low < threshold < axis.high else edges


def mirrored_bars(
    edges: np.ndarray,
    counts: np.ndarray,
    scale: float,
    colour: str,
    name: str,
    hover: Callable[[int, float, float], str],
) -> go.Bar:
    """The bins that hold something: an empty bar could not be seen but could be clicked. Each carries
    `customdata = [low, high]`, the scores it counts.

    counts: (B,) images per bin; scale: what a count is multiplied by, negative for bars that hang; hover: words of a
    bar from its count and its two edges.
    """
    held = np.flatnonzero(counts)
    low, high = edges[:-1][held], edges[1:][held]
    return go.Bar(
        x=(low + high) / 2,
        width=high - low,
        y=scale * counts[held],
        customdata=[[float(a), float(b)] for a, b in zip(low, high, strict=True)],
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        hovertext=[hover(k, a, b) for k, a, b in zip(counts[held], low, high, strict=True)],
        hoverinfo="text",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0.55}},
    )


def ends_of(tallest: dict[int, float]) -> list[float]:
    """The ends of the vertical axis for the tallest bars upward (1) and downward (-1)."""
    room = HEADROOM * sum(tallest.values())
    return [-tallest[-1] - room, tallest[1] + room]


def lay_out(
    figure: go.Figure,
    axis: ScoreAxis,
    threshold: float,
    title: str,
    ends: list[float],
    ticks: dict[float, str],
    sides: Sequence[str],
) -> go.Figure:
    """The figure with both axes, the threshold and what each side holds: `sides` upward, then downward, or none.
    ticks: place on the vertical axis -> its words.
    """
    line = threshold_shape(axis, threshold)
    return figure.update_layout(
        barmode="overlay",
        showlegend=True,
        shapes=[line | {"label": line["label"] | {"font": {"size": TEXT_PX}}}, ground_shape()],
        annotations=[
            side_note(f"{arrow} {words}", way) for words, arrow, way in zip(sides, "↑↓", (1, -1), strict=False)
        ],
        legend={"font": {"size": TEXT_PX}},
        xaxis=axis.layout() | {"tickfont": {"size": TEXT_PX}},
        yaxis={
            "title": {"text": title},
            "range": ends,
            "zeroline": False,
            "tickfont": {"size": TEXT_PX},
            "tickvals": list(ticks),
            "ticktext": list(ticks.values()),
        },
    )
