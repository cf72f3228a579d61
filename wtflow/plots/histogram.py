"""How the scores of normal and defective images are spread, and what a threshold cuts off."""

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.plots.axes import score_axis
from wtflow.plots.mirrored import edges_of, ends_of, lay_out, mirrored_bars
from wtflow.plots.theme import COLOURS, add_empty_note, outcome_words, style

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
    edges = edges_of(axis, n_bins, threshold)
    called = scores >= threshold
    tallest = {1: 0.0, -1: 0.0}
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
            tallest[side] = max(tallest[side], float(counts.max()))
    figure.add_traces(bars)

    ends = ends_of(tallest)
    ticks: dict[float, str] = {tick: f"{abs(tick):,}" for tick in _ticks(max(tallest.values()), ends)}
    return lay_out(figure, axis, threshold, "number of images", ends, ticks, ("normal images", "defective images"))


def _bars(edges: np.ndarray, counts: np.ndarray, side: int, outcome: str, threshold: float) -> go.Bar:
    return mirrored_bars(
        edges,
        counts,
        side,
        COLOURS[outcome.lower()],
        f"{int(counts.sum()):,} {outcome_words(outcome, int(counts.sum()))}",
        lambda k, low, high: f"{k} {outcome_words(outcome, k)}<br>{_range_words(low, high, threshold)}",
    )


def _range_words(low: float, high: float, threshold: float) -> str:
    words = f"score {format_score(low)} to {format_score(high)}"
    first, last = of_threshold(low, threshold), of_threshold(high, threshold)
    return words if first is None or last is None else f"{words}<br>{first.split(' of ')[0]} to {last}"


def _ticks(tallest: float, ends: list[float]) -> list[int]:
    """Whole numbers of images within the axis, the same step on both sides."""
    step = next(
        times * 10**power for power in range(12) for times in (1, 2, 5) if times * 10**power * MOST_TICKS >= tallest
    )
    return [tick for tick in range(-step * MOST_TICKS, step * MOST_TICKS + 1, step) if ends[0] <= tick <= ends[1]]
