"""What a comparison of runs passes between layers: intervals, differences, and what a run counts per image. NumPy
and plain values.
"""

from dataclasses import dataclass

import numpy as np

from wtflow.errors import MetricError


@dataclass(frozen=True, slots=True)
class Interval:
    """A number measured on a sample, and the ends of its confidence interval, which holds the number.
    Raises MetricError for any other: then number and ends were not measured on the same.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise MetricError(
                f"{self.value} lies outside its own interval, {self.low} to {self.high}.",
                fix="Take the value and its interval from the same images, maps and masks.",
            )

    @property
    def holds_zero(self) -> bool:
        """Of a difference: it is within noise."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of all runs. Without intervals `intervals` and `differences` are empty; where it is not defined
    `values` holds None.
    """

    key: str
    values: tuple[float | None, ...]
    intervals: tuple[Interval, ...] = ()
    differences: tuple[Interval, ...] = ()
    """To the first run, whose own is exactly 0."""
    reason: str = ""
    """Why there are no values."""


@dataclass(frozen=True, slots=True)
class PixelTally:
    """How many pixels of each test image reach each threshold: all that pixel metrics of any choice of images need.

    An image that pixel metrics leave out (defective, without a valid mask) counts nothing anywhere.
    """

    row: np.ndarray
    """(N,) rows of the score table."""
    thresholds: np.ndarray
    """float32 (T,) falling, the last one 0: every pixel reaches it, so the last column holds the totals."""
    normal: np.ndarray
    """float32 (N, T) normal pixels with a score at or above the threshold."""
    defect: np.ndarray
    """float32 (N, T) defective pixels with a score at or above the threshold."""
    overlap: np.ndarray
    """float32 (N, T) share of a defective region that reaches the threshold, summed over the
    image's 8-connected regions.
    """


@dataclass(frozen=True, slots=True)
class Panel:
    """One run's map of an image, and how it is coloured."""

    title: str
    values: np.ndarray
    """float (S, S)."""
    color_range: tuple[float, float]
