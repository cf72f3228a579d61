"""Curves over training steps and over thresholds."""

import numpy as np
import plotly.graph_objects as go

from wtflow.numbers import PERCENT_SIGN
from wtflow.numbers import score as format_score
from wtflow.plots.theme import COLOURS, add_empty_note, style
from wtflow.records.core import Curve

MAX_POINTS = 1500
"""More points than a screen has columns only make the page slower; the loss is averaged in blocks down to this."""

SMOOTH_SHARE = 0.05
"""The smoothed loss is averaged over this share of the steps seen so far."""


def plot_loss(step: np.ndarray, loss: np.ndarray) -> go.Figure:
    """Training loss (N,) against step (N,): each logged value faintly, and their running mean.

    The loss of flow matching does not fall to 0: the part of the noise that the data does not determine is left.
    """
    step, loss = np.asarray(step, dtype=float), np.asarray(loss, dtype=float)
    figure = style(go.Figure(), height=260)
    if step.size == 0:
        return add_empty_note(figure, "No training step logged yet.")
    step, loss = _thin(step, loss)
    smooth = _running_mean(loss, max(1, round(SMOOTH_SHARE * loss.size)))
    line = {"color": COLOURS["selected"]}
    hover = "step %{x:,.0f}<br>loss %{y:.4g}<extra></extra>"
    figure.add_trace(
        go.Scatter(
            x=step, y=loss, name="logged", mode="lines", line=line | {"width": 1}, opacity=0.35, hoverinfo="skip"
        )
    )
    mode = "lines" if step.size > 1 else "markers"
    figure.add_trace(
        go.Scatter(x=step, y=smooth, name="running mean", mode=mode, line=line | {"width": 2.5}, hovertemplate=hover)
    )
    figure.update_xaxes(title_text="training step", rangemode="tozero")
    figure.update_yaxes(title_text="loss (mean squared error)")
    return figure


def plot_roc(curve: Curve, threshold: float) -> go.Figure:
    """ROC curve of the images, the point at the threshold, and the line of chance."""
    figure = _plot_rates(curve, threshold, "found", "false alarms")
    chance = {"color": COLOURS["reference"], "width": 1.5, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], name="chance", mode="lines", line=chance, hoverinfo="skip"))
    figure.update_xaxes(title_text="false alarms (of all normals)")
    figure.update_yaxes(title_text="defects found (of all defective)")
    return figure


def plot_pr(curve: Curve, threshold: float) -> go.Figure:
    """Precision against recall of the images, and the point at the threshold."""
    figure = _plot_rates(curve, threshold, "precision", "recall")
    figure.update_xaxes(title_text="recall (defects found)")
    figure.update_yaxes(title_text="precision (calls that are right)")
    return figure


def point_at(curve: Curve, threshold: float) -> int | None:
    """Index of the point of a curve that a threshold stands for, None where the curve has no such point.

    An image is called defective when its score >= threshold, so calls stay the same up to the next higher score: the
    point is the one with the smallest threshold that is not below.
    """
    reached = np.where(np.asarray(curve.thresholds, dtype=float) >= threshold)[0]
    return int(reached[np.argmin(curve.thresholds[reached])]) if reached.size else None


def _plot_rates(curve: Curve, threshold: float, y_words: str, x_words: str) -> go.Figure:
    figure = style(go.Figure())
    if len(curve.x) == 0:
        return add_empty_note(figure, "This curve needs normal and defective test images.")
    hover = (
        f"{y_words} %{{y:.1f}}{PERCENT_SIGN}<br>{x_words} %{{x:.1f}}{PERCENT_SIGN}<br>"
        "at threshold %{customdata:.4g}<extra></extra>"
    )
    line = {"color": COLOURS["selected"], "width": 2.5}
    thresholds = [float(value) for value in curve.thresholds]
    figure.add_trace(
        go.Scatter(
            x=100 * curve.x,
            y=100 * curve.y,
            customdata=thresholds,
            name="this run",
            mode="lines",
            line=line,
            hovertemplate=hover,
        )
    )
    at = point_at(curve, threshold)
    if at is not None:
        marker = {"color": COLOURS["threshold"], "size": 13, "line": {"width": 0}}
        name = f"threshold {format_score(threshold)}"
        place = {"x": [100 * curve.x[at]], "y": [100 * curve.y[at]], "customdata": [thresholds[at]]}
        figure.add_trace(go.Scatter(**place, name=name, mode="markers", marker=marker, hovertemplate=hover))
    figure.update_xaxes(range=[-1, 101], ticksuffix=PERCENT_SIGN)
    figure.update_yaxes(range=[-2, 103], ticksuffix=PERCENT_SIGN)
    return figure


def _thin(step: np.ndarray, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    block = -(-step.size // MAX_POINTS)
    starts = np.arange(0, step.size, block)
    sizes = np.diff(np.append(starts, step.size))
    return np.add.reduceat(step, starts) / sizes, np.add.reduceat(loss, starts) / sizes


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the last `window` values, over fewer at the start."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    end = np.arange(1, values.size + 1)
    start = np.maximum(0, end - window)
    return (sums[end] - sums[start]) / (end - start)
