"""A frozen timm model as a source of features: the stages of a convolutional network or the blocks of a transformer,
on one grid.
"""

import contextlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import BackboneError
from wtflow.features.explained import taking
from wtflow.features.grids import averaged, join, no_finer, of_all_sizes
from wtflow.features.stages import n_channels
from wtflow.features.tiles import AT_ONCE, AT_ONCE_ON_GPU, joined_grids
from wtflow.features.timm_models import channels_of, checked_args, description, skip_unread
from wtflow.features.weight_sources import build_model
from wtflow.features.weights import hash_weights


class Backbone:
    """A frozen feature extractor. `compute` maps images in [0, 1] to one grid of channels-last features."""

    def __init__(self, model: nn.Module, settings: Settings, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.model = model
        self.settings = settings
        self.channels = n_channels(settings, tuple(channels_of(model))) * len(settings.sizes)
        self.weights_hash = hash_weights(model)
        skip_unread(model)
        self.mean, self.std = mean, std
        self._mean = torch.tensor(mean).view(1, -1, 1, 1)
        self._std = torch.tensor(std).view(1, -1, 1, 1)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def to(self, device: torch.device) -> "Backbone":
        self.model.to(device)
        self._mean, self._std = self._mean.to(device), self._std.to(device)
        return self

    def compute(self, images: np.ndarray) -> np.ndarray:
        """Features of images (B, H, W, 3) float32 in [0, 1] -> float16 (B, h, w, C).

        Each stage, or group of blocks, is averaged over the window, brought to the finest grid (bilinear) and joined.
        Where the settings have tiles, images of the run's canvas are cut into squares, whose features are joined.
        Features of smaller sizes follow those of the image size, on its grid.
        Raises BackboneError when a value does not fit float16.
        """
        batch = torch.from_numpy(np.ascontiguousarray(images)).to(self.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), _half_on_gpu(self.device):
            joined = self._grids(batch) if self.settings.tile == "off" else self._grids_of_tiles(batch)
            # torch converts to half precision, because NumPy takes 20 times as long. Values that are too large become
            # infinite and are found below.
            grid = joined.permute(0, 2, 3, 1).half().contiguous().cpu()
            bounds = torch.stack(torch.aminmax(grid))  # a NaN stays visible
        if not torch.isfinite(bounds).all():
            raise BackboneError(
                f"{self.settings.backbone} gives features that are not finite or too large (beyond 65504).",
                fix="Check that the weights fit this model and its arguments, or choose other stages.",
            )
        return grid.numpy()

    def _grids(self, batch: Tensor) -> Tensor:
        """Images (B, 3, H, W) in [0, 1] -> float32 (B, C, h, w)."""
        return of_all_sizes(batch, self.settings.sizes, self._grids_of_one_size)

    def _grids_of_one_size(self, batch: Tensor) -> Tensor:
        with taking(self.settings.backbone, batch.shape[2]):
            stages = self.model(((batch - self._mean) / self._std).contiguous(memory_format=torch.channels_last))
        return self.joined(stages)

    def joined(self, stages: Sequence[Tensor]) -> Tensor:
        """What the network gives for each stage, on one grid: float32 (B, C, h, w)."""
        is_channels_last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"  # Swin and similar models
        grids = [stage.float().permute(0, 3, 1, 2) if is_channels_last else stage.float() for stage in stages]
        kept = averaged(no_finer(grids, self.settings), self.settings.block_groups)
        return join(kept, self.settings.pool_window, self.settings.pool_stride)

    def _grids_of_tiles(self, batch: Tensor) -> Tensor:
        settings = self.settings
        n = AT_ONCE if self.device.type == "cpu" else AT_ONCE_ON_GPU
        try:
            return joined_grids(
                batch, settings.image_size, settings.tile_overlap, settings.coarsest_cell, self._grids, n
            )
        except ValueError as error:
            raise BackboneError(
                f"The features of {settings.backbone} cannot be joined from tiles: {error}.",
                fix="Choose another backbone or other stages, or leave tiles out.",
            ) from error


def load_backbone(settings: Settings) -> Backbone:
    """Build the frozen network that the settings name, on the CPU, in evaluation mode.

    Raises BackboneError for an unknown model, stage or argument; WeightsError for weights that are absent or do not
    fit.
    """
    args = checked_args(settings)
    about = description(settings.backbone)
    model = build_model(settings, args)
    model.eval().requires_grad_(False)
    return Backbone(model, settings, tuple(about.mean), tuple(about.std))


def _half_on_gpu(device: torch.device) -> contextlib.AbstractContextManager:
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else contextlib.nullcontext()
