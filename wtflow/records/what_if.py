"""What a run makes of a painted image: before and after, and how strong a defect must be to be seen.
NumPy and plain values.

Shapes: (H, W) image in pixels, (h, w) feature grid, T saved times, R radii, K strengths.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PaintedNorms:
    """Norms of the painted grid positions at T saved times, float64 (T,) each. Empty where nothing is painted."""

    median: np.ndarray
    highest: np.ndarray


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One image before and after it was painted on."""

    sample_id: str
    row: int
    image: np.ndarray
    """float32 (H, W, 3) in [0, 1], as the network saw it."""
    painted: np.ndarray
    """float32 (H, W, 3); the same array of values as `image` where nothing is painted."""
    mask: np.ndarray
    """bool (H, W): pixels that the paint really changed."""
    score_before: float
    """As stored with the run."""
    score_after: float
    pixel_before: np.ndarray
    """float32 (H, W): the stored map at image size."""
    pixel_after: np.ndarray
    grid_before: np.ndarray
    """float32 (h, w): the stored map."""
    grid_after: np.ndarray
    is_painted_position: np.ndarray
    """bool (h, w): grid positions with paint in their cell."""
    t: np.ndarray
    """(T,) the run's own saved steps, from 0 (data) to 1 (noise)."""
    norms_before: PaintedNorms
    norms_after: PaintedNorms
    n_channels: int
    recomputed_difference: float
    """Largest difference between the stored map and this computer's map of the unpainted image:
    how exact a comparison is.
    """

    @property
    def is_painted(self) -> bool:
        return bool((self.painted != self.image).any())

    @property
    def peak_is_painted(self) -> bool:
        """Whether the highest position of the map after lies in the paint."""
        return bool(self.is_painted_position.ravel()[self.grid_after.argmax()])


@dataclass(frozen=True, slots=True)
class Sweep:
    """Scores of one image with one round spot, painted at one place in R sizes and K strengths."""

    sample_id: str
    kind: str
    centre: tuple[float, float]
    """(x, y) in pixels of the image."""
    radii: tuple[float, ...]
    strengths: tuple[float, ...]
    """Rising, 0 to 1."""
    scores: np.ndarray
    """float64 (R, K)."""
    score_before: float

    def first_reaching(self, threshold: float) -> tuple[float | None, ...]:
        """Per radius the least strength of those tried whose score reaches the threshold; None where none does."""
        return tuple(
            next((s for s, score in zip(self.strengths, row, strict=True) if score >= threshold), None)
            for row in self.scores
        )
