"""Does the image as a whole differ from normal ones? A slightly rough surface or other light shows in no single place.

A description of an image is the logarithm of how strongly each component of its features varies over the image.
Descriptions of normals are modelled as Gaussian. There are fewer images than components, so its covariance is shrunk.
The exact flow of that Gaussian ends at the whitened description for every coupling (METHOD 5.2). So the score is the
same as for a position: half the mean square of the endpoint. Sources: Ledoit and Wolf 2004 for the shrinkage, by
scikit-learn; the rest ours.
"""

import numpy as np
import torch
from torch import Tensor

from wtflow.errors import FlowError
from wtflow.records.whole import WholeImage

QUIET = 1e-3
"""Added to variances, whose mean is about 1: components that hardly vary at all would
otherwise count by their rounding.
"""

N_FOLDS = 5
"""Distances of normals are read from Gaussians that were fitted without them."""
FEWEST = 2 * N_FOLDS
"""Fewest normals for a Gaussian. `ENOUGH` in wtflow/scoring/normals.py is the number from which it helps."""
FARTHEST = 5.0
"""Deviations that a component of a normal may be from the mean;
farther ones count as so far, so that one odd image weighs less.
"""
LEAST_SCALE = 0.01
"""Components whose description differs less from image to image count as differing by so much."""


def described_part(x: Tensor, n_sizes: int) -> Tensor:
    """The channels that describe images as wholes: those of the smallest of n image sizes, which come last. There the
    whole weighs most against its details.
    """
    return x[..., -(x.shape[-1] // n_sizes) :]


def describe(x: Tensor) -> np.ndarray:
    """Half the logarithm of each component's variance over the grid: features at t=0 (B, H, W, K) -> float32 (B, K)."""
    return logarithm_of_spread(x).cpu().numpy()


def logarithm_of_spread(x: Tensor) -> Tensor:
    """`describe` as a tensor."""
    x = x.flatten(1, -2).float()
    variance = (x - x.mean(1, keepdim=True)).square_().mean(1)  # torch.var takes eight times as long over this axis
    return 0.5 * torch.log(variance + QUIET)


def fit_whole(descriptions: np.ndarray) -> WholeImage:
    """The Gaussian of normals' descriptions (N, K), in double precision. Raises FlowError for fewer than `FEWEST`."""
    if len(descriptions) < FEWEST:
        raise FlowError(
            f"{len(descriptions)} normals are too few to model whole images.",
            fix=f"Give {FEWEST}, or set whole_image to false.",
        )
    fold = np.arange(len(descriptions)) % N_FOLDS
    distances = np.empty(len(descriptions))
    for k in range(N_FOLDS):
        without = WholeImage(*gaussian(descriptions[fold != k]), centre=0.0, spread=1.0, n_images=0)
        distances[fold == k] = without.distances(descriptions[fold == k])
    logarithms = np.log(distances)
    return WholeImage(
        *gaussian(descriptions), float(logarithms.mean()), max(float(logarithms.std()), 1e-6), len(descriptions)
    )


def gaussian(descriptions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (K,) and whitening matrix (K, K), float32. Shrinking is done on components of one scale, else it would
    favour the loud ones.
    """
    from sklearn.covariance import ledoit_wolf  # to fit alone: a detector that scores needs no scikit-learn

    values = descriptions.astype(np.float64)
    mean, scale = values.mean(0), np.maximum(values.std(0), LEAST_SCALE)
    standard = np.clip((values - mean) / scale, -FARTHEST, FARTHEST)
    mean = mean + scale * standard.mean(0)
    covariance, _ = ledoit_wolf(standard - standard.mean(0), assume_centered=True)
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 1e-6 * max(variances[-1], 1e-12))
    return mean.astype(np.float32), (directions / np.sqrt(variances) / scale[:, None]).astype(np.float32)
