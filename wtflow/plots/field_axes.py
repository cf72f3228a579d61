"""Axes and bands of the particle field: how far an axis reaches, and the quantiles of a group over time."""

from typing import Final

import numpy as np

BAND: Final = (0.05, 0.5, 0.95)
"""Quantiles of a chart's band and its middle line."""

OUTER: Final = (0.0025, 0.9975)
"""Quantiles at the ends of an axis: 99.5 % of the points lie between them at every time. The browser marks what lies
beyond with an arrow at the edge.
"""

STRETCH: Final = 1.15
"""An axis covers all values unless that makes it longer than this many times the span of `OUTER`: a cut that wins less
is not worth its arrows.
"""

FAR: Final = 1.0
"""A guide further away than this many spans of the points is left outside the axes: it would squash them."""

MARGIN: Final = 0.04
"""Share of the span left free at each end of an axis: a point on the edge is still whole."""


def axis_range(values: np.ndarray, marks: tuple[float, ...] = ()) -> tuple[float, float]:
    """Ends (low, high) of an axis for finite values, (S, ...) with times first: all of them, or at least 99.5 % of each
    time where the rest lies far out.

    Marks widen it as long as they are not further from the values than these are wide. Equal values get an axis around
    them.
    """
    low, high = float(np.min(values)), float(np.max(values))
    of_time = np.asarray(values).reshape(len(values), -1)
    ends = np.quantile(of_time, OUTER, axis=1)
    inner = float(ends[0].min()), float(ends[1].max())
    if inner[1] > inner[0] and high - low > STRETCH * (inner[1] - inner[0]):
        low, high = inner
    near = [mark for mark in marks if low - FAR * (high - low) <= mark <= high + FAR * (high - low)]
    return whole_range(np.array([low, high]), tuple(near))


def whole_range(values: np.ndarray, marks: tuple[float, ...] = ()) -> tuple[float, float]:
    """Ends (low, high) of an axis that holds all finite values and all marks, with a little room."""
    low, high = min([float(np.min(values)), *marks]), max([float(np.max(values)), *marks])
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
