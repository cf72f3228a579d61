"""All that a detector does to resized pixels, as one module: what an exporter can write down as a graph.

It is the app's own computation in float32, with every loop unrolled and every table of the grid as a constant. Features
are rounded to half precision on the way, as the app stores them.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.config import Score, Settings
from wtflow.detector.record import OpenedDetector
from wtflow.errors import ExportError
from wtflow.features.grids import of_all_sizes
from wtflow.flow.path import interpolate, target_velocity
from wtflow.flow.unrolled import unrolled
from wtflow.records.whole import MARGIN, WholeImage
from wtflow.scoring.edges import distance_to_edge
from wtflow.scoring.maps import deviation_score, endpoint_score, noises
from wtflow.scoring.pixels import bilinear, n_highest
from wtflow.scoring.whole import described_part, logarithm_of_spread


class Found(NamedTuple):
    score: Tensor
    """(N,)"""
    map: Tensor
    """(N, H, W)"""


def refuse_unexportable(settings: Settings) -> None:
    """Raise ExportError for what no graph is made of."""
    if settings.tile != "off":
        raise ExportError(
            "A detector with tiles cannot be exported to ONNX: the graph does not cut and join a canvas.",
            fix="Train without tiles, or take the detector's file: export RUN --detector FILE.wtf.",
        )


class WholeDetector(nn.Module):
    """Pixels (N, H, W, 3), float32 in [0, 1] -> score (N,) and map (N, H, W), float32."""

    mean: Tensor
    std: Tensor
    factors: Tensor
    rows: Tensor
    columns: Tensor

    def __init__(self, opened: OpenedDetector, grid: tuple[int, int]) -> None:
        """grid: (h, w) of the raw maps."""
        super().__init__()
        refuse_unexportable(opened.settings)
        detector, settings, self.shape = opened.detector, opened.settings, opened.shape
        self.settings = settings
        self.backbone, self.grids = opened.backbone.model, opened.backbone.joined
        self.normaliser = detector.normaliser
        self.read = READINGS[settings.score](detector.velocity, settings, (*grid, detector.normaliser.channels))
        self.whole = None if detector.whole is None else _Whole(detector.whole, len(settings.sizes))
        factors = np.ones(grid, np.float32) if detector.edges is None else detector.edges.after[distance_to_edge(*grid)]
        self.register_buffer("mean", torch.tensor(opened.backbone.mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(opened.backbone.std).view(1, -1, 1, 1))
        self.register_buffer("factors", torch.from_numpy(factors.copy()))
        self.register_buffer("rows", torch.from_numpy(bilinear(grid[0], self.shape[0]).copy()))
        self.register_buffer("columns", torch.from_numpy(bilinear(grid[1], self.shape[1]).copy()).T.contiguous())

    def start(self, pixels: Tensor) -> Tensor:
        """Features at t=0, (N, h, w, K)."""
        grids = of_all_sizes(pixels.permute(0, 3, 1, 2), self.settings.sizes, self._grids_of_one_size)
        return self.normaliser(grids.permute(0, 2, 3, 1).half().float())

    def forward(self, pixels: Tensor) -> Found:
        x = self.start(pixels)
        large = self.rows @ (self.read(x) / self.factors) @ self.columns
        if self.settings.score == "relative":
            density = torch.exp(-large)
            large = density.amax((1, 2), keepdim=True) - density
        n_top, flat = n_highest(self.shape, self.settings.top_fraction), large.flatten(1)
        score = flat.amax(1) if n_top == 1 else flat.topk(n_top, 1, sorted=False).values.mean(1)
        return Found(score if self.whole is None else torch.maximum(score, self.whole(x)), large)

    def _grids_of_one_size(self, images: Tensor) -> Tensor:
        return self.grids(self.backbone((images - self.mean) / self.std))


class _Endpoint(nn.Module):
    def __init__(self, velocity: nn.Module, settings: Settings, _: tuple[int, ...]) -> None:
        super().__init__()
        self.flow = unrolled(velocity, settings.steps, settings.solver)

    def forward(self, x: Tensor) -> Tensor:
        return endpoint_score(self.flow(x))


class _Deviation(nn.Module):
    def __init__(self, velocity: nn.Module, settings: Settings, _: tuple[int, ...]) -> None:
        super().__init__()
        self.velocity, self.t = velocity, settings.deviation_time

    def forward(self, x: Tensor) -> Tensor:
        return deviation_score(self.velocity, x, self.t)


class _Mismatch(nn.Module):
    """Its noises, which every image meets, are constants of the graph."""

    noises: Tensor

    def __init__(self, velocity: nn.Module, settings: Settings, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.velocity, self.n = velocity, settings.mismatch_samples
        self.register_buffer("noises", torch.stack(list(noises(shape, self.n, settings.seed))))

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x[..., 0])
        for k in range(self.n):
            noise = self.noises[k].expand_as(x)
            t = torch.tensor((k + 0.5) / self.n)
            error = self.velocity(interpolate(x, noise, t), t) - target_velocity(x, noise)
            total = total + error.square().mean(-1)
        return total / self.n


READINGS: dict[Score, Callable[[nn.Module, Settings, tuple[int, ...]], nn.Module]] = {
    "endpoint": _Endpoint,
    "relative": _Endpoint,
    "deviation": _Deviation,
    "mismatch": _Mismatch,
}
"""The counterpart of `scoring.maps.SCORES`: (velocity, settings, shape of the normalised features) -> module that reads
raw maps off features.
"""


class _Whole(nn.Module):
    """`WholeImage.scores` of features at t=0."""

    mean: Tensor
    whiten: Tensor

    def __init__(self, whole: WholeImage, n_sizes: int) -> None:
        super().__init__()
        self.whole, self.n_sizes = whole, n_sizes
        self.register_buffer("mean", torch.from_numpy(whole.mean))
        self.register_buffer("whiten", torch.from_numpy(whole.whiten))

    def forward(self, x: Tensor) -> Tensor:
        ends = (logarithm_of_spread(described_part(x, self.n_sizes)) - self.mean) @ self.whiten
        distances = (0.5 * ends.square().mean(-1)).clamp_min(1e-12)
        deviations = (distances.log() - self.whole.centre) / self.whole.spread
        return (self.whole.place_centre + self.whole.place_spread * (deviations - MARGIN)).clamp_max(80.0).exp()
