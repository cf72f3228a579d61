"""The scores of new images against those of images known before, mirrored on one axis."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from wtflow.numbers import PERCENT_SIGN, percent
from wtflow.numbers import score as format_score
from wtflow.plots.axes import score_axis
from wtflow.plots.mirrored import edges_of, ends_of, lay_out, mirrored_bars
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
    edges = edges_of(axis, N_BINS, threshold)
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
    ends = ends_of(tallest)
    ticks = {tick: f"{100 * abs(tick):.3g}{PERCENT_SIGN}" for tick in _ticks(max(tallest.values()), ends)}
    return lay_out(figure, axis, threshold, "share of the images", ends, ticks, names if known.size else ())


def _bars(edges: np.ndarray, counts: np.ndarray, n: int, side: int, colour: str, words: str) -> go.Bar:
    return mirrored_bars(
        edges,
        counts,
        side / n,
        colour,
        f"{int(counts.sum()):,} {words}",
        lambda k, low, high: (
            f"{k:,} {words}: {percent(k / n)} of {n:,}<br>score {format_score(low)} to {format_score(high)}"
        ),
    )


def _ticks(tallest: float, ends: list[float]) -> list[float]:
    """Round shares within the axis, the same step on both sides."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if s * 3 >= tallest or s == 0.5)
    return [k * step for k in range(-3, 4) if ends[0] <= k * step <= ends[1]]
