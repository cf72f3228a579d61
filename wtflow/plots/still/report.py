"""Figures of a report: how scores are spread, by label and by defect type, and what every threshold would give.

Drawn for a page of 183 mm. Their ink is `sheet.INK` and their ground white, which the report turns into the colours of
its own theme.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from wtflow.errors import SettingsError
from wtflow.metrics import FPR_LIMIT
from wtflow.numbers import PERCENT_SIGN
from wtflow.numbers import score as format_score
from wtflow.plots.axes import ScoreAxis, score_axis
from wtflow.plots.compare import RUN_COLOURS
from wtflow.plots.curves import point_at
from wtflow.plots.groups import group_words
from wtflow.plots.still.points import MOST_SHAPES
from wtflow.plots.still.sheet import FULL_MM, INK, add_legend, log_axis, name_axes, new_sheet
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD, Curve

_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))

_BINS = 40
_HEADROOM = 1.15
_DOT_SPREAD = 0.32
"""Dots of a type lie within this share of a line above and below its middle."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What every threshold would give in one run; the legend shows `label`. A curve that the data does not
    define is None.
    """

    label: str
    roc: Curve | None
    pr: Curve | None
    pro: Curve | None
    threshold: float | None = None
    """Marked on ROC and precision-recall."""


def still_scores(scores: np.ndarray, is_defective: np.ndarray, threshold: float) -> Figure:
    """Stacked bars of image scores by label, with the threshold. scores: (N,) finite, N >= 1; is_defective: (N,) bool.

    Raises SettingsError without scores.
    """
    scores, is_defective = np.asarray(scores, dtype=float), np.asarray(is_defective, dtype=bool)
    if not scores.size:
        raise SettingsError("There is no score to draw.", fix="Score at least one image.")
    figure, (axes,) = new_sheet(FULL_MM, 52)
    axis = score_axis(scores)
    edges = axis.edges(_BINS)
    edges[0], edges[-1] = axis.low, axis.high  # rounding must not push the extreme images out
    below = np.zeros(_BINS)
    for name, flag, words in (("normal", False, "normal"), ("defect", True, "defective")):
        counts = np.histogram(scores[is_defective == flag], edges)[0]
        if counts.any():
            axes.bar(
                edges[:-1],
                counts,
                np.diff(edges),
                below,
                align="edge",
                color=COLOURS[name],
                label=f"{words} ({counts.sum():,})",
            )
        below += counts
    axes.set_ylim(0, below.max() * _HEADROOM)
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    _score_axis(axes, axis)
    _threshold(axes, axis, threshold)
    name_axes(axes, axis.title, "number of images")
    add_legend(figure, [axes], 3)
    return figure


def still_types(scores: Mapping[str, np.ndarray], threshold: float) -> Figure:
    """A line of dots for each type, one dot per image, with its median, and the threshold across all. scores: type ->
    (n,) finite scores.

    Raises SettingsError without scores.
    """
    scores = {name: np.asarray(values, dtype=float) for name, values in scores.items() if len(values)}
    if not scores:
        raise SettingsError("There is no score to draw.", fix="Score at least one image.")
    figure, (axes,) = new_sheet(FULL_MM, 16 + 8 * len(scores))
    axis = score_axis(np.concatenate(list(scores.values())), padding=0.02)
    generator = np.random.default_rng(0)  # dots are spread for the eye alone, and the same figure comes out twice
    n_dots = sum(len(values) for values in scores.values())
    for line, (name, values) in enumerate(scores.items()):
        height = line + generator.uniform(-_DOT_SPREAD, _DOT_SPREAD, len(values))
        colour = COLOURS["normal" if name == GOOD else "defect"]
        dots = {"linestyle": "", "marker": "o", "markersize": 2.6, "markeredgewidth": 0, "color": colour, "alpha": 0.75}
        axes.plot(values, height, **dots, rasterized=n_dots > MOST_SHAPES)
        median = float(np.median(values))
        axes.plot(
            [median, median], [line - 0.4, line + 0.4], color=INK, linewidth=1.4, label="median" if line == 0 else None
        )
    # Names come from folders: without parse_math=False a dollar sign in one would begin a formula.
    labels = [f"{group_words(name)} ({len(values):,})" for name, values in scores.items()]
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    _score_axis(axes, axis)
    _threshold(axes, axis, threshold)
    name_axes(axes, axis.title, "")
    add_legend(figure, [axes], 3)
    return figure


def still_rates(runs: Sequence[Rates]) -> Figure:
    """ROC (a), precision against recall (b) and region overlap against false-positive pixels (c)
    of one to four runs on common axes.

    Panels that no run has a curve for are left out. Raises SettingsError where none has any.
    """
    panels = [name for name in ("roc", "pr", "pro") if any(getattr(run, name) is not None for run in runs)]
    if not panels:
        raise SettingsError("There is no curve to draw.", fix="Test on normal and defective images.")
    figure, all_axes = new_sheet(FULL_MM, 58, len(panels))
    for name, axes in zip(panels, all_axes, strict=True):
        for run, colour, dash in zip(runs, RUN_COLOURS, _DASHES, strict=False):
            curve = getattr(run, name)
            if curve is None:
                continue
            axes.plot(
                curve.x,
                curve.y,
                color=colour,
                linestyle=dash,
                linewidth=1.4,
                label=run.label if len(runs) > 1 else None,
            )
            at = point_at(curve, run.threshold) if run.threshold is not None and name != "pro" else None
            if at is not None:
                words = "at the threshold" if run is runs[0] else None
                axes.plot(
                    curve.x[at],
                    curve.y[at],
                    "o",
                    markersize=5,
                    color=COLOURS["threshold"],
                    markeredgewidth=0,
                    label=words,
                    zorder=3,
                )
        _rates(axes, name)
    add_legend(figure, all_axes, 3)
    return figure


_TITLES = {
    "roc": ("false alarms (of all normals)", "defects found"),
    "pr": ("recall (defects found)", "precision"),
    "pro": ("false-positive pixels", "mean overlap with true regions"),
}


def _rates(axes: Axes, name: str) -> None:
    if name == "roc":
        axes.plot(
            [0, 1],
            [0, 1],
            color=COLOURS["reference"],
            linewidth=0.9,
            linestyle=(0, (1, 1.2)),
            label="chance",
            zorder=0.5,
        )
    name_axes(axes, *_TITLES[name])
    axes.set_xlim(-0.01 * (end := FPR_LIMIT if name == "pro" else 1.0), 1.01 * end)
    axes.set_ylim(-0.01, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=PERCENT_SIGN))


def _score_axis(axes: Axes, axis: ScoreAxis) -> None:
    if axis.is_log:
        log_axis(axes, "x", axis.log_ticks())
    axes.set_xlim(axis.low, axis.high)


def _threshold(axes: Axes, axis: ScoreAxis, threshold: float) -> None:
    """A dashed line; where the threshold lies beyond the axis it stands at its end."""
    words = f"threshold {format_score(threshold)}" + (" (beyond)" if axis.clamp(threshold) != threshold else "")
    axes.axvline(
        axis.clamp(threshold), color=COLOURS["threshold"], linewidth=1.2, linestyle=(0, (4, 2)), label=words, zorder=2
    )
