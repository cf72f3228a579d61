"""The network whose features are copied: timm's mobilenetv2_100 with Apache-2.0 weights, frozen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wtflow.config import settings_from
from wtflow.features.backbone import load_backbone

NAME = "mobilenetv2_100"
_BLOCKS = (1, 2, 4)
"""The groups of blocks that end at stride 4, 8 and 16."""
_WIDE = (2, 4)
"""Those of them whose wide layer is copied, too; at stride 4 it would cost more than it teaches."""
_MEAN, _DEVIATION = (
    torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1),
    torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1),
)
_LIMIT = 6.0
"""Standardised features beyond this are cut: a few outliers would otherwise make up most of the squared error."""


class Teacher:
    """Gives, at stride 4, 8 and 16, the output of a group of blocks standardised per channel; at stride 8 and 16 joined
    with the wide layer before it.

    The outputs are few and linear (24, 32 and 96 channels); the wide layers (192 and 576) show what they are made of.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._wide: list[Tensor] = []
        blocks: Any = model.blocks  # timm's sequence of groups; nn.Module's own annotation does not cover indexing
        for group in _WIDE:
            blocks[group][-1].conv_pwl.register_forward_pre_hook(lambda module, inputs: self._wide.append(inputs[0]))
        model.blocks = blocks[: _BLOCKS[-1] + 1]  # the rest works at stride 32
        self._centre: list[Tensor] = []
        self._scale: list[Tensor] = []

    def normalised(self, batch: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in [0, 1] in ImageNet's colours, which teacher and student both expect."""
        return ((batch - _MEAN) / _DEVIATION).contiguous(memory_format=torch.channels_last)

    def features(self, batch: Tensor) -> list[Tensor]:
        """Three tensors (B, C, H, W) of a normalised batch (B, 3, S, S), not standardised."""
        self._wide.clear()
        with torch.no_grad():
            outputs = self._model(batch)
        wide = dict(zip(_WIDE, self._wide, strict=True))
        return [
            torch.cat([output, wide[group]], 1) if group in wide else output
            for group, output in zip(_BLOCKS, outputs, strict=True)
        ]

    def settle(self, batches: Sequence[Tensor]) -> None:
        """Fix mean and deviation of each channel from these pictures."""
        stages = zip(*(self.features(self.normalised(batch)) for batch in batches), strict=True)
        joined = [torch.cat([part.transpose(0, 1).flatten(1) for part in stage], 1) for stage in stages]
        self._centre = [stage.mean(1).view(1, -1, 1, 1) for stage in joined]
        self._scale = [
            1 / stage.std(1).clamp_min(0.05 * stage.std(1).median()).view(1, -1, 1, 1) for stage in joined
        ]  # a channel that never varies stays small

    @property
    def channels(self) -> list[int]:
        """Channels of each stage; available after `settle`."""
        return [stage.shape[1] for stage in self._centre]

    def targets(self, batch: Tensor) -> list[Tensor]:
        """As `features`, standardised and cut at +-6."""
        return [
            ((stage - centre) * scale).clamp_(-_LIMIT, _LIMIT)
            for stage, centre, scale in zip(self.features(batch), self._centre, self._scale, strict=True)
        ]


def load_teacher(weights: Path) -> Teacher:
    """Raises WeightsError when the file is absent or does not fit."""
    settings = settings_from(
        "fast", {"backbone": NAME, "backbone_args": {"pad_type": "same"}, "weights": str(weights), "stages": (1, 2, 3)}
    )
    return Teacher(load_backbone(settings).model.to(memory_format=torch.channels_last))
