"""Scores and maps of new images. Imports torch.

Images may come from several threads at once: nothing here is changed by scoring.
"""

from typing import NamedTuple

import numpy as np

from wtflow.detector.record import OpenedDetector
from wtflow.errors import FlowError
from wtflow.scoring.pixels import scores_of, upsample


class Found(NamedTuple):
    """What a detector says of B images."""

    scores: np.ndarray
    """float64 (B,); higher is worse."""
    maps: np.ndarray
    """float32 (B, h, w): raw scores of grid positions, levelled near the edge."""
    whole: np.ndarray
    """float64 (B,): scores of the images as wholes, in the same unit; NaN where they are not scored."""
    means: np.ndarray
    """float32 (B, K): mean normalised feature of each image, to compare with `OpenedDetector.index`."""


def score_images(opened: OpenedDetector, images: np.ndarray) -> Found:
    """Scores, maps and mean features of images (B, H, W, 3), float32 in [0, 1], of the detector's shape.

    Raises FlowError for images of another shape or type, BackboneError for features that are not finite.
    """
    if images.ndim != 4 or images.shape[1:] != (*opened.shape, 3) or images.dtype != np.float32 or not len(images):
        raise FlowError(
            f"The detector {opened.name} takes float32 images (B, {opened.shape[0]}, {opened.shape[1]}, 3), found"
            f" {images.dtype} of shape {images.shape}.",
            fix="Resize the images first, as load_image does.",
        )
    detector = opened.detector
    x = detector.start(opened.backbone.compute(images))
    return found_of(opened, detector.raw_after(x), detector.whole_scores(x), x.mean((1, 2)).cpu().numpy())


def found_of(opened: OpenedDetector, raw: np.ndarray, whole: np.ndarray, means: np.ndarray) -> Found:
    """What follows from raw maps after the flow (B, h, w), whole-image scores (B,) and mean features (B, K)."""
    maps = opened.detector.levelled(raw)
    scores = scores_of(upsample(maps, opened.shape, opened.settings.score), whole, opened.settings.top_fraction)
    return Found(scores, maps, whole, means)


def pixel_maps(opened: OpenedDetector, found: Found) -> np.ndarray:
    """The maps at image size, float32 (B, H, W), as every page shows them."""
    return upsample(found.maps, opened.shape, opened.settings.score)
