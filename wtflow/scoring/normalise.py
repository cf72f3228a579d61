"""Bring features to the scale of standard noise before the flow sees them. Fitted on training normals, then fixed.

pca: rotate to principal components and divide each by variance^(power/2) ("partial whitening"); ours, see METHOD 2.
channel: mean 0 and deviation 1 per channel. layernorm: parameter-free LayerNorm over (H, W, C) per image, as in preset
`paper`: every image lies on the shell sqrt(d).
"""

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.config import Normalise
from wtflow.errors import FlowError

RELATIVE_FLOOR = 1e-6
"""Variances below this share of the largest are raised to it:
whitening must not blow up directions that are only rounding.
"""


class Normaliser(nn.Module):
    """`forward` maps channels-last grids (B, H, W, C) or positions (N, C) to the same with K channels."""

    mean: Tensor
    matrix: Tensor

    def __init__(self, kind: Normalise, mean: Tensor, matrix: Tensor, n_sizes: int = 1) -> None:
        """n_sizes: for how many image sizes of equally many channels pca is one each, then `matrix` (C, K) has as many
        blocks on its diagonal.
        """
        super().__init__()
        self.kind, self.n_sizes = kind, n_sizes
        self.register_buffer("mean", mean)
        self.register_buffer("matrix", matrix)

    @property
    def channels(self) -> int:
        """Channels after normalising, K."""
        return self.matrix.shape[-1] if self.kind == "pca" else self.mean.shape[0]

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "layernorm":
            return nn.functional.layer_norm(x, x.shape[-3:])
        if self.kind == "channel":
            return (x - self.mean) * self.matrix
        if self.n_sizes == 1:
            return (x - self.mean) @ self.matrix
        columns = self.matrix.tensor_split(self.n_sizes, dim=1)
        parts = zip(x.tensor_split(self.n_sizes, -1), self.mean.tensor_split(self.n_sizes), columns, strict=True)
        rows = len(self.mean) // self.n_sizes
        return torch.cat([(part - mean) @ own[i * rows :][:rows] for i, (part, mean, own) in enumerate(parts)], -1)


def empty_normaliser(kind: Normalise, channels: int, kept: int, n_sizes: int = 1) -> Normaliser:
    """One of the right shapes, to load a checkpoint into."""
    matrix = torch.zeros(channels, kept) if kind == "pca" else torch.ones(channels)
    return Normaliser(kind, torch.zeros(channels), matrix, n_sizes)


def fit_normaliser(
    kind: Normalise, positions: np.ndarray, whiten_power: float, max_channels: int, n_sizes: int = 1
) -> Normaliser:
    """Fit on training positions (N, C), float16 or float32, in double precision; pca on the channels of each of n_sizes
    image sizes by themselves.

    For pca the components come out largest first, their mean variance is 1, and each has a fixed sign (largest entry
    positive), so that a second fit on the same data gives the same numbers. Raises FlowError when all positions are
    equal.
    """
    if kind == "pca" and n_sizes > 1:
        parts = [
            fit_normaliser(kind, part, whiten_power, max_channels)
            for part in np.array_split(positions, n_sizes, axis=1)
        ]
        mean, matrix = torch.cat([part.mean for part in parts]), torch.block_diag(*(part.matrix for part in parts))
        return Normaliser(kind, mean, matrix, n_sizes)
    n, channels = positions.shape
    if kind == "layernorm":
        return empty_normaliser(kind, channels, channels)
    mean, covariance = _moments(positions)
    variance = np.diag(covariance)
    if not np.isfinite(variance).all() or variance.max() <= 0:
        raise FlowError(
            "The features of the training images are all the same or not finite.",
            fix="Check that the images differ and the weights fit the backbone.",
        )
    if kind == "channel":
        scale = 1.0 / np.sqrt(np.maximum(variance, RELATIVE_FLOOR * variance.max()))
        return Normaliser(kind, torch.from_numpy(mean).float(), torch.from_numpy(scale).float())
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = min(max_channels or channels, channels, max(n - 1, 1))
    values, vectors = np.maximum(values[:kept], RELATIVE_FLOOR * values[0]), vectors[:, :kept]
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), np.arange(kept)])
    scaled = vectors * values ** (-whiten_power / 2)
    scaled /= np.sqrt((values ** (1 - whiten_power)).mean())
    return Normaliser(kind, torch.from_numpy(mean).float(), torch.from_numpy(np.ascontiguousarray(scaled)).float())


def _moments(positions: np.ndarray, chunk: int = 4096) -> tuple[np.ndarray, np.ndarray]:
    """Mean (C,) and covariance (C, C) in float64, a chunk at a time."""
    n, channels = positions.shape
    mean = sum((positions[i : i + chunk].sum(0, dtype=np.float64) for i in range(0, n, chunk)), np.zeros(channels)) / n
    covariance = np.zeros((channels, channels))
    for i in range(0, n, chunk):
        centred = positions[i : i + chunk].astype(np.float64)
        centred -= mean
        covariance += centred.T @ centred
    return mean, covariance / n
