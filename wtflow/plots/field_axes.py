"""Axes and bands of the particle field: how far an axis reaches, and the quantiles of a group over time."""

from typing import Final

import numpy as np

BAND: Final = (0.05, 0.5, 0.95)
"""Quantiles of a chart's band and its middle line."""

OUTER: Final = (0.001, 0.999)
"""What an axis shows at least, when single points far out would press the rest together."""

STRETCH: Final = 1.6
"""An axis covers all values unless that makes it longer than this many times the span of `OUTER`."""

FAR: Final = 1.0
"""A guide further away than this many spans of the points is left outside the axes: it would squash them."""

MARGIN: Final = 0.04
"""Share of the span left free at each end of an axis: a point on the edge is still whole."""


def axis_range(values: np.ndarray, marks: tuple[float, ...] = ()) -> tuple[float, float]:
    """Ends (low, high) of an axis for finite values of any shape:
    all of them, or at least 99.8 % where the rest lies far out.

    Marks widen it as long as they are not further from the values than these are wide. Equal values get an axis around
    them.
    """
    low, high = float(np.min(values)), float(np.max(values))
    inner = [float(end) for end in np.quantile(values, OUTER)]
    if inner[1] > inner[0] and high - low > STRETCH * (inner[1] - inner[0]):
        low, high = inner
    near = [mark for mark in marks if low - FAR * (high - low) <= mark <= high + FAR * (high - low)]
    low, high = min([low, *near]), max([high, *near])
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = 0.05 * abs(low) or 0.5
        return low - half, high + half
    room = MARGIN * (high - low)
    return low - room, high + room


def bands(values: np.ndarray, groups: np.ndarray, n_groups: int) -> list[list[list[float]] | None]:
    """Per group its 5 % quantile, median and 95 % quantile at each time, three lists of length S;
    None for a group without members.

    values (S, N); groups (N,) indices below n_groups.
    """
    members = [np.asarray(values)[:, np.asarray(groups) == group] for group in range(n_groups)]
    return [np.quantile(own, BAND, axis=1).tolist() if own.size else None for own in members]
