"""What is known of features on the very steps that the run scores with, and what follows from it at any time. NumPy and
plain values.

Shapes: S saved states (the start and one after every step), P positions in any shape, such as (H, W).
"""

from dataclasses import dataclass

import numpy as np

from wtflow.records.flow import PositionSet


@dataclass(frozen=True, slots=True)
class OwnPaths:
    """Positions moved by the run's own solver and steps. Within a step a feature moves in a straight line, so these
    numbers give its distance from the origin at every time, not at saved ones alone. float32.
    """

    t: np.ndarray
    """(S,) from 0 (data) to 1."""
    norm: np.ndarray
    """(S, *P) distance from the origin after each step; the last as the run's scoring computes it."""
    between: np.ndarray
    """(S - 1, *P) inner product of the two states at the ends of each step."""
    plane_end: np.ndarray
    """(*P, 2) the end on the first two principal axes of normal features at t=0."""
    n_channels: int


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Positions of all test images, half normal and half in defects, to compare one path with; P is (N,)."""

    positions: PositionSet
    paths: OwnPaths
    mean: np.ndarray
    """(C,) float64: middle of the normal features at t=0."""
    axes: np.ndarray
    """(2, C) float64: the principal axes that `plane_end` of all paths of the run is measured on."""


@dataclass(frozen=True, slots=True)
class OverTime:
    """The test images scored as if the flow ended after each step: the endpoint score, levelled near the edge and
    joined with whole images by what the run's training normals show there.
    """

    t: np.ndarray
    """(S,)"""
    image_auroc: np.ndarray
    """(S,) float64 of the score of images; NaN where labels do not define it."""
    places_auroc: np.ndarray
    """(S,) float64 of the highest pixels alone; the same where images as a whole are not scored."""
    factors: np.ndarray
    """(S, R) float32: what maps are divided by, by the distance to the edge; 1 where they are not levelled."""
    color_range: tuple[float, float]
    """Ends of the colour scale: the run's own, or that of the endpoint score where the run scores by another."""
    n_images: int
    n_defective: int
    has_whole: bool
    """Whether images as a whole enter `image_auroc`."""
    is_own: bool
    """Whether the last step is the run's own score."""


def norm_at(paths: OwnPaths, times: np.ndarray) -> np.ndarray:
    """(T, *P) distance from the origin at times (T,) from 0 to 1; float64."""
    i, share = _moments(paths.t, times)
    share = share.reshape(-1, *(1,) * (paths.norm.ndim - 1))
    a, b = (paths.norm[k].astype(np.float64) ** 2 for k in (i, i + 1))
    square = (1 - share) ** 2 * a + 2 * share * (1 - share) * paths.between[i].astype(np.float64) + share**2 * b
    return np.sqrt(np.maximum(square, 0))


def score_at(paths: OwnPaths, factors: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T, *P) the score of each position if the flow ended at times (T,): half the mean square over factors (S, *P),
    which are known after each step. float64.
    """
    i, share = _moments(paths.t, times)
    share = share.reshape(-1, *(1,) * (paths.norm.ndim - 1))
    by = (1 - share) * factors[i] + share * factors[i + 1]
    return norm_at(paths, times) ** 2 / (2 * paths.n_channels) / by


def only(paths: OwnPaths, chosen: np.ndarray) -> OwnPaths:
    """The paths of some positions; chosen: an index of P."""
    return OwnPaths(paths.t, paths.norm[:, chosen], paths.between[:, chosen], paths.plane_end[chosen], paths.n_channels)


def _moments(t: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The saved state at or before each time (never the last), and the share of the way to the next."""
    t, times = np.asarray(t, np.float64), np.asarray(times, np.float64)
    i = np.clip(np.searchsorted(t, times, side="right") - 1, 0, len(t) - 2)
    return i, np.clip((times - t[i]) / (t[i + 1] - t[i]), 0, 1)
