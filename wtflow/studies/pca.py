"""Principal axes of features, and features placed on them. NumPy, no torch."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wtflow.errors import FlowError
from wtflow.records.flow import Projection

MOMENT_CHUNK: Final = 16_384
"""Rows held in double precision at once by the principal axes."""


@dataclass(frozen=True, slots=True)
class Pca:
    """Principal axes of features in d dimensions. float64."""

    mean: np.ndarray
    """(d,)"""
    axes: np.ndarray
    """(k, d) orthonormal, largest variance first; the largest entry of each is positive, so that a
    second fit is no mirror image.
    """
    explained: np.ndarray
    """(k,) share of the variance along each axis."""

    def place(self, x: np.ndarray) -> np.ndarray:
        """Coordinates of x (..., d) on the axes; float32 (..., k), computed in double precision. Raises FlowError."""
        if x.shape[-1] != self.mean.size:
            raise FlowError(
                f"The axes belong to {self.mean.size} channels, found {x.shape[-1]}.",
                fix="Use features of the same run.",
            )
        flat = x.reshape(-1, x.shape[-1])
        placed = np.empty((len(flat), len(self.axes)), np.float32)
        for i in range(0, len(flat), MOMENT_CHUNK):
            placed[i : i + MOMENT_CHUNK] = (flat[i : i + MOMENT_CHUNK].astype(np.float64) - self.mean) @ self.axes.T
        return placed.reshape(*x.shape[:-1], -1)


def fit_pca(x: np.ndarray, n_axes: int = 2) -> Pca:
    """The first n_axes principal axes of x (N, d). Axes beyond the data's rank are orthonormal with share 0.

    Raises FlowError for fewer than two points, equal points, values that are not finite, or more axes than channels.
    """
    if x.ndim != 2 or len(x) < 2:
        raise FlowError(
            f"Principal axes need at least two points, found shape {x.shape}.", fix="Choose more images or positions."
        )
    if not 1 <= n_axes <= x.shape[1]:
        raise FlowError(
            f"{n_axes} axes cannot come from {x.shape[1]} channels.",
            fix="Choose at least 1 and at most as many axes as channels.",
        )
    refuse_non_finite(x)
    mean = x.mean(0, dtype=np.float64)
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for i in range(0, len(x), MOMENT_CHUNK):
        centred = x[i : i + MOMENT_CHUNK].astype(np.float64) - mean
        covariance += centred.T @ centred
    total = float(np.trace(covariance))
    if total <= len(x) * x.shape[1] * (1e-12 * np.abs(mean).max()) ** 2:  # nothing but the rounding of the mean is left
        raise FlowError(
            "All points are equal: they have no principal axes.", fix="Choose positions of different images."
        )
    values, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1][:, :n_axes].T
    axes = axes * np.sign(axes[np.arange(n_axes), np.abs(axes).argmax(1)])[:, None]
    return Pca(mean, np.ascontiguousarray(axes), np.maximum(values[::-1][:n_axes], 0) / total)


def project_pca(x: np.ndarray, t: np.ndarray, normal_start: np.ndarray) -> Projection:
    """x (S, N, d) at times t (S,) on the first two principal axes of normal features at t=0, normal_start (M, d).

    The same axes at all times: a straight path stays straight. Raises FlowError as `fit_pca` does.
    """
    check_times(x, t)
    pca = fit_pca(normal_start)
    share = (float(pca.explained[0]), float(pca.explained[1]))
    return Projection("pca", np.asarray(t, np.float32), pca.place(x), len(normal_start), share)


def check_times(x: np.ndarray, t: np.ndarray) -> None:
    """Raises FlowError unless x is (S, N, d) and t (S,)."""
    if x.ndim != 3 or len(t) != len(x):
        raise FlowError(
            f"Features of shape {x.shape} and {len(t)} times do not fit.", fix="Give (S, N, d) and S times."
        )


def refuse_non_finite(x: np.ndarray) -> None:
    """Raises FlowError where a value of x is not finite."""
    if not np.isfinite(x).all():
        raise FlowError(
            "Some features are not finite.",
            fix="Train the run again, with a smaller learning rate if its loss was not finite.",
        )
