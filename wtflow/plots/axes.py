"""How scores are laid out on an axis: linear, or logarithmic where they span too much for a linear one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from wtflow.numbers import score as format_score
from wtflow.plots.theme import COLOURS, SCORE_TITLE

DECADES_BEFORE_LOG = 2.0
"""Above this span an axis is logarithmic, however the scores are spread within it."""
DECADES_OF_A_TAIL, PRESSED = 1.0, 0.05
"""Above this span it is also logarithmic if a linear axis would press half of the images into
this first share of its length.
"""


TEXT_PX = 13
"""Of ticks and legend where a chart answers a page's first question: Plotly's own are too small beside the text."""


@dataclass(frozen=True, slots=True)
class ScoreAxis:
    """An axis that holds all scores: its kind, its ends in score units (low < high), and its title."""

    is_log: bool
    low: float
    high: float

    @property
    def title(self) -> str:
        return SCORE_TITLE + (", log scale" if self.is_log else "")

    @property
    def plotly_range(self) -> list[float]:
        """The ends as Plotly expects them: exponents of ten where the axis is logarithmic."""
        return [float(np.log10(self.low)), float(np.log10(self.high))] if self.is_log else [self.low, self.high]

    def edges(self, n_bins: int) -> np.ndarray:
        """(n_bins + 1,) rising edges, evenly spaced as the axis shows them."""
        return (
            np.geomspace(self.low, self.high, n_bins + 1)
            if self.is_log
            else np.linspace(self.low, self.high, n_bins + 1)
        )

    def clamp(self, value: float) -> float:
        """The value itself, or the end of the axis that it lies beyond."""
        return float(min(max(value, self.low), self.high))

    def layout(self, suffix: str = "") -> dict[str, object]:
        """The axis as Plotly's layout expects it; `suffix` follows each number on it."""
        axis: dict[str, object] = {
            "title": {"text": self.title},
            "type": "log" if self.is_log else "linear",
            "range": self.plotly_range,
        }
        return axis | (
            {"tickvals": (ticks := self.log_ticks()), "ticktext": [f"{tick:,g}{suffix}" for tick in ticks]}
            if self.is_log
            else {"ticksuffix": suffix}
        )

    def log_ticks(self) -> list[float]:
        """Ones, twos and fives within the axis, ones alone where it is long. Plotly's own twos and fives are too
        small to read.
        """
        steps = (1, 2, 5) if np.log10(self.high / self.low) < 2.5 else (1,)
        powers = range(int(np.floor(np.log10(self.low))), int(np.ceil(np.log10(self.high))) + 1)
        return [
            tick for power in powers for step in steps if self.low <= (tick := float(f"{step}e{power}")) <= self.high
        ]


def score_axis(scores: np.ndarray, *, padding: float = 0.0) -> ScoreAxis:
    """The axis for finite scores (N,), N >= 1; `padding` is the share of its length left free at both ends.

    Equal scores get an axis around them, so that it never has length 0.
    """
    low, high = float(np.min(scores)), float(np.max(scores))
    decades = np.log10(high / low) if low > 0 else 0.0
    if decades > DECADES_BEFORE_LOG or (
        decades > DECADES_OF_A_TAIL and np.median(scores) - low < PRESSED * (high - low)
    ):
        room = (high / low) ** padding
        return ScoreAxis(True, low / room, high * room)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = 0.05 * abs(low) or 0.5
        return ScoreAxis(False, low - half, high + half)
    room = padding * (high - low)
    return ScoreAxis(False, low - room, high + room)


def threshold_shape(axis: ScoreAxis, threshold: float) -> dict[str, Any]:
    """A dashed line across the plot at the threshold, with its value next to it.

    A threshold beyond the axis is drawn at the axis' end, with an arrow that points beyond it.
    """
    x = axis.clamp(threshold)
    arrow = "" if x == threshold else (" →" if threshold > x else " ←")
    start, end = axis.plotly_range
    share = ((np.log10(x) if axis.is_log else x) - start) / (end - start)
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "name": "threshold",
        "line": {"color": COLOURS["threshold"], "width": 2, "dash": "dash"},
        "label": {
            "text": f"threshold {format_score(threshold)}{arrow}",
            "textposition": "end",
            "textangle": 0,
            "padding": 4,
            "xanchor": "right" if share > 0.6 else "left",
            "yanchor": "top",
        },
    }


def ground_shape() -> dict[str, Any]:
    """The line that bars stand on where some rise and others hang."""
    line = {"color": COLOURS["reference"], "width": 1}
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "line": line}


def side_note(words: str, side: int) -> dict[str, Any]:
    """What stands on a side (1: above the ground, -1: below), at the right end, where the fewest bars are high."""
    at = {"xref": "paper", "yref": "paper", "x": 1, "xanchor": "right", "showarrow": False}
    place = {"y": 1, "yanchor": "top"} if side > 0 else {"y": 0, "yanchor": "bottom"}
    return at | place | {"text": words, "font": {"size": TEXT_PX}}
