"""From raw maps on the feature grid to pixels and image scores. NumPy only: pages show maps without loading torch.

Source: [Paper] arXiv 2508.05461 for the relative map and the mean of the top 3 %.
"""

import functools
import math

import numpy as np

from wtflow.config import Score
from wtflow.errors import FlowError
from wtflow.records.coverage import covered_share
from wtflow.records.shapes import Shape, shape_of


def upsample(maps: np.ndarray, size_px: int | Shape, score_kind: Score) -> np.ndarray:
    """Maps at image size, float32 (B, H, W), bilinear (corners not aligned).

    size_px: side or (height, width). maps: (B, h, w) of `scoring.maps.compute_map`, any float type. For score_kind
    "relative" each image then becomes A = max_pixels(exp(-E)) - exp(-E), in [0, 1): relative to its own best pixel,
    saturating.
    Raises FlowError for another shape or a size below 1. Source: [Paper].
    """
    shape = shape_of(size_px)
    if maps.ndim != 3 or maps.size == 0 or min(shape) < 1:
        raise FlowError(
            f"Cannot bring maps of shape {maps.shape} to {shape[0]} x {shape[1]} pixels.",
            fix="Give maps (B, h, w) and a size of 1 or more.",
        )
    rows, columns = bilinear(maps.shape[1], shape[0]), bilinear(maps.shape[2], shape[1])
    large = rows @ maps.astype(np.float32) @ columns.T
    if score_kind != "relative":
        return large
    density = np.exp(-large)
    return density.max(axis=(1, 2), keepdims=True) - density


def image_scores(pixel_maps: np.ndarray, top_fraction: float) -> np.ndarray:
    """One score per image, float64 (B,): the mean of its highest pixels.

    pixel_maps: (B, H, W). top_fraction: share of the pixels in the mean, rounded down, at least one pixel; 0 gives the
    maximum. Raises FlowError for another shape, a share outside [0, 1], or values that are not finite. Source: [Paper]
    for 0.03.
    """
    if pixel_maps.ndim != 3 or pixel_maps.size == 0 or not 0 <= top_fraction <= 1:
        raise FlowError(
            f"No image score from maps of shape {pixel_maps.shape} and their top {top_fraction}.",
            fix="Give maps (B, H, W) and a share between 0 and 1.",
        )
    flat = pixel_maps.reshape(len(pixel_maps), -1)
    n_top = n_highest(pixel_maps.shape[1:], top_fraction)
    if n_top == 1:
        scores = flat.max(axis=1).astype(np.float64)
    else:
        scores = np.partition(flat, -n_top, axis=1)[:, -n_top:].mean(axis=1, dtype=np.float64)
    if not np.isfinite(scores).all():
        raise FlowError(
            "An anomaly map contains values that are not finite.", fix="Score the run again; if it stays, train again."
        )
    return scores


def n_highest(shape: Shape | tuple[int, ...], top_fraction: float) -> int:
    """How many pixels of maps (H, W) an image score is the mean of."""
    return max(1, math.floor(top_fraction * math.prod(shape)))


def scores_of(pixel_maps: np.ndarray, whole: np.ndarray, top_fraction: float) -> np.ndarray:
    """What an image's score is, float64 (B,): that of its highest pixels or of the image as a
    whole, whichever is higher.

    pixel_maps: (B, H, W), levelled. whole: (B,) in the same unit, NaN where the image as a whole is not scored.
    """
    return np.fmax(image_scores(pixel_maps, top_fraction), whole)


@functools.lru_cache(maxsize=8)
def bilinear(n_in: int, n_out: int) -> np.ndarray:
    """Weights (n_out, n_in) of linear interpolation between cell centres, constant beyond the outermost ones."""
    centres = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
    low = np.floor(centres).astype(int)
    high = np.minimum(low + 1, n_in - 1)
    weights = np.zeros((n_out, n_in), np.float32)
    weights[np.arange(n_out), low] += 1 - (centres - low)
    weights[np.arange(n_out), high] += centres - low
    weights.flags.writeable = False
    return weights


COVERED = 0.5
"""A position counts as defective when the mask covers at least this share of its cell."""


def grid_mask(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """bool (h, w): the cells of a grid that a mask covers by half or more; never empty for a mask that is not.

    mask: (H, W), bool, or the share of each pixel that is covered.

    A defect smaller than every cell keeps the cells that it covers most.
    """
    shares = covered_share(mask, shape)
    # The tolerance is for halves that rounding makes a little less than a half.
    return shares >= min(COVERED, shares.max()) - 1e-9 if shares.max() > 0 else np.zeros(shape, bool)
