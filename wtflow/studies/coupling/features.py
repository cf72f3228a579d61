"""A run's features for the study of couplings: training positions, whole grids, test images. Imports torch.

The leading components of a run are those that it would have with `max_channels` set to their number: its own principal
components with its own whitening, brought to mean variance 1 by one factor. All of them are its features as they are.
A run without principal components, or with several image sizes, gets those of its normalised features, without
whitening.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.errors import FlowError
from wtflow.machine.progress import Progress
from wtflow.records.core import GOOD
from wtflow.records.spacing import spaced
from wtflow.records.truth import Truth
from wtflow.results import RunResults, ScoreRow, each_image, truth_of
from wtflow.studies.coupling.plan import GRID
from wtflow.studies.pca import fit_pca
from wtflow.studies.run_flow import RunFlow

MOST_TRAINING: Final = 400
"""Training images that are read, evenly spread."""
TRUTH_SIDE: Final = 64
"""Truth and maps are compared at about this many pixels a side, or those of the grid: scoring at 256 would take most of
the time.
"""


@dataclass(frozen=True, slots=True)
class StudyFeatures:
    """Normalised features at t = 0, on the CPU."""

    pool: Tensor
    """float16 (N, K): training positions, evenly over the images."""
    grids: Tensor
    """float32 (n, g, g, K): whole training grids, averaged to g = GRID."""
    test: Tensor
    """float16 (n, h, w, K): test images."""
    images: tuple[ScoreRow, ...]
    truths: tuple[Truth | None, ...]
    """None where pixel metrics leave the image out."""
    shape: tuple[int, int]
    """Of the truths."""
    is_pca: bool

    @property
    def labels(self) -> np.ndarray:
        return np.array([image.is_defective for image in self.images], bool)

    @property
    def n_channels(self) -> int:
        return self.pool.shape[1]


def read_features(flow: RunFlow, n_positions: int, n_scored: int, progress: Progress) -> StudyFeatures:
    """Read them from the cache, or compute them where it no longer has them.

    n_scored: test positions at most; test images beyond are left out, evenly over good images and defect types.
    `progress(done, total)` may raise to stop. Raises as `RunFlow.grids` does, and FlowError without training images.
    """
    ids = flow.training_ids()
    ids = [ids[i] for i in spaced(len(ids), MOST_TRAINING)]
    images = chosen_images(flow.results, n_scored)
    done, total = 0, len(ids) + len(images)
    pool: list[Tensor] = []
    grids: list[Tensor] = []
    generator = torch.Generator().manual_seed(0)
    for _, grid in flow.training_grids(ids):
        start = flow.detector.start(grid[None])[0].float().cpu()
        flat = start.reshape(-1, start.shape[-1])
        n_each = min(len(flat), max(1, n_positions // len(ids)))
        pool.append(flat[torch.randperm(len(flat), generator=generator)[:n_each]].half())
        grids.append(averaged(start))
        done += 1
        progress(done, total)
    if not pool:
        raise FlowError("The run learned from no image.", fix="Train the category again.")
    test: list[Tensor] = []
    for _, grid in flow.grids(np.array([image.row for image in images], int)):
        test.append(flow.detector.start(grid[None])[0].half().cpu())
        done += 1
        progress(done, total)
    shape = (0, *flow.results.maps.shape[1:], pool[0].shape[1])
    factor = joined_pixels(flow.results.shape, max(TRUTH_SIDE, *flow.results.maps.shape[1:]))
    drawn = (truth_of(flow.results, image) for image in images)
    truths = tuple(None if truth is None else coarse(truth, factor) for truth in drawn)
    height, width = flow.results.shape
    tested = torch.stack(test) if test else torch.empty(shape, dtype=torch.float16)
    is_pca = flow.settings.normalise == "pca" and len(flow.settings.sizes) == 1  # each size has components of its own
    joined = height // factor, width // factor
    return StudyFeatures(torch.cat(pool), torch.stack(grids), tested, images, truths, joined, is_pca)


def chosen_images(results: RunResults, n_positions: int) -> tuple[ScoreRow, ...]:
    """Test images of at most so many positions in all, but one of each kind at least: good ones and each defect type
    in their proportion, evenly spread, in the order of the score table.
    """
    test = results.test
    most = max(1, n_positions // max(1, results.maps.shape[1] * results.maps.shape[2]))
    share = min(1.0, most / max(1, len(test)))
    kept: list[int] = []
    for kind in sorted(set(test.defect), key=lambda name: (name != GOOD, name)):
        rows = test.row[test.defect == kind].to_numpy()
        kept += rows[spaced(len(rows), max(1, int(share * len(rows))))].tolist()
    return tuple(image for image in each_image(test) if int(image.row) in set(kept))


def averaged(grid: Tensor, side: int = GRID) -> Tensor:
    """A grid (..., H, W, K) averaged to (..., side, side, K); as it is where it has this size."""
    if grid.shape[-3:-1] == (side, side):
        return grid
    moved = nn.functional.adaptive_avg_pool2d(grid.movedim(-1, -3), side)
    return moved.movedim(-3, -1)


def joined_pixels(shape: tuple[int, int], least: int) -> int:
    """How many pixels of a side can become one, so that at least this many are left on each side, and no part."""
    return max(f for f in range(1, max(1, min(shape) // least) + 1) if not (shape[0] % f or shape[1] % f))


def coarse(truth: Truth, factor: int) -> Truth:
    """The same truth with squares of `factor` x `factor` pixels as one: no region is lost, and shares stay shares of a
    pixel's area.
    """
    height, width = truth.shape[0] // factor, truth.shape[1] // factor

    def joined(pixel: np.ndarray, region: np.ndarray, share: np.ndarray):
        at = (pixel // truth.shape[1] // factor) * width + pixel % truth.shape[1] // factor
        key, place = np.unique(region.astype(np.int64) * height * width + at, return_inverse=True)
        area = np.bincount(place, share.astype(np.float64), minlength=len(key)) / factor**2
        region, pixel = np.divmod(key, height * width)
        return pixel.astype(np.int32), region.astype(np.int32), np.minimum(area, 1).astype(np.float32)

    left_pixel, _, left_share = joined(truth.left_pixel, np.zeros_like(truth.left_pixel), truth.left_share)
    return Truth((height, width), *joined(truth.pixel, truth.region, truth.share), left_pixel, left_share)


def leading(features: StudyFeatures, d: int) -> Callable[[Tensor], Tensor]:
    """A map from normalised features (..., K), of any float type, to float32 (..., d) of mean variance 1 over the pool;
    the features as they are where d is K.
    """
    if d == features.n_channels:
        return lambda x: x.float()
    if features.is_pca:
        mean, axes = torch.zeros(features.n_channels), torch.eye(features.n_channels)[:, :d]
    else:
        found = fit_pca(features.pool.float().numpy(), d)
        mean, axes = torch.from_numpy(found.mean).float(), torch.from_numpy(found.axes.T.copy()).float()
    variance = ((features.pool.float() - mean) @ axes).var(0, correction=0).mean()
    matrix = axes / variance.sqrt().clamp_min(1e-12)
    return lambda x: (x.float() - mean) @ matrix


def mean_square_one(grids: Tensor) -> tuple[Tensor, float]:
    """Mean grid (g, g, K) of whole grids, and the factor that brings their distance from it to mean variance 1."""
    mean = grids.mean(0)
    return mean, float((grids - mean).square().mean().clamp_min(1e-24).rsqrt())
