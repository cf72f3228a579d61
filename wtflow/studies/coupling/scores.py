"""The test images scored by a small flow, and the same on resampled images. Imports torch.

The image score is that of the highest pixels, and the map is the endpoint's, divided by the run's own edge factors
where its grid is the same. The image as a whole, in which no flow has a part, is left out: it would hide what a
coupling changes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.compare.intervals import resample, weighted_auroc
from wtflow.compare.pixel_tally import count_maps, pixel_metrics
from wtflow.config import Settings
from wtflow.metrics import undefined_reason
from wtflow.records.coupling import SCORED, STEPS
from wtflow.records.truth import Truth
from wtflow.scoring.edges import level
from wtflow.scoring.maps import compute_map, endpoint_score
from wtflow.scoring.pixels import image_scores, upsample

BATCH: Final = 16
"""Images moved at once."""

Starts = Callable[[], Iterator[Tensor]]
"""Gives the test images at t = 0 anew, some (B, h, w, C) float32 at a time."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """What all flows of one grid are scored with: N test images."""

    labels: np.ndarray
    """bool (N,)"""
    truths: tuple[Truth | None, ...]
    shape: tuple[int, int]
    """Of truths, and of maps when they are compared."""
    weights: np.ndarray
    """float32 (1 + R, N): every image once, then the resamples."""
    factors: np.ndarray | None
    """What maps are divided by near the edge, as `scoring.edges` has them."""
    top_fraction: float

    @property
    def is_marked(self) -> np.ndarray:
        """bool (N,): images of which pixel metrics have a defect."""
        return np.array([truth is not None and not truth.is_normal for truth in self.truths], bool)


def weights_of(labels: np.ndarray, truths: tuple[Truth | None, ...], n_resamples: int) -> np.ndarray:
    """`ImageSet.weights`: in each resample as many normal, defective and marked images as there are."""
    marked = np.array([truth is not None and not truth.is_normal for truth in truths], bool)
    return np.concatenate([np.ones((1, len(labels)), np.float32), resample(labels + 2 * marked, n_resamples, seed=0)])


def score_flow(velocity: nn.Module, starts: Starts, images: ImageSet, settings: Settings) -> np.ndarray:
    """float64 (M, 1 + R): for each number of `STEPS` the metrics of `SCORED`, first of all images, then of the
    resamples; NaN where undefined.
    """
    found = []
    for steps in STEPS:
        own = settings.changed({"steps": steps})
        found.append(score_maps([compute_map(velocity, x, own, 0) for x in starts()], images))
    return np.concatenate(found)


def score_before(starts: Starts, images: ImageSet) -> np.ndarray:
    """The metrics of the norm before the flow, float64 (len(SCORED),)."""
    with torch.inference_mode():
        return score_maps([endpoint_score(x).numpy() for x in starts()], images)[:, 0]


def score_maps(parts: list[np.ndarray], images: ImageSet) -> np.ndarray:
    """float64 (len(SCORED), 1 + R) of raw maps, (B, h, w) each."""
    undefined = np.full(len(images.weights), np.nan)
    if undefined_reason(images.labels):
        return np.stack([undefined] * len(SCORED))
    maps = np.concatenate(parts)
    large = upsample(maps if images.factors is None else level(maps, images.factors), images.shape, "endpoint")
    auroc = weighted_auroc(image_scores(large, images.top_fraction), images.labels, images.weights)
    if not images.is_marked.any():
        return np.stack([auroc, undefined])
    rows = np.arange(len(maps))
    tally = count_maps(rows, large.__getitem__, images.truths.__getitem__, images.labels, lambda *_: None)
    return np.stack([auroc, pixel_metrics(tally, rows, images.weights)["aupro"]])
