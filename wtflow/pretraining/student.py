"""The network that learns: a timm model up to stride 16, with one linear map per stage onto the teacher's features."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from wtflow.config import settings_from
from wtflow.features.backbone import load_backbone
from wtflow.features.timm_models import channels_of

STAGES = (1, 2, 3)
"""Strides 4, 8 and 16."""


class Student(nn.Module):
    """`body` is kept; the maps only serve the comparison."""

    def __init__(self, body: nn.Module, n_targets: Sequence[int]) -> None:
        super().__init__()
        self.body = body
        self.maps = nn.ModuleList(
            nn.Conv2d(own, wanted, 1) for own, wanted in zip(channels_of(body), n_targets, strict=True)
        )

    def forward(self, batch: Tensor) -> list[Tensor]:
        return [to_teacher(stage) for to_teacher, stage in zip(self.maps, self.body(batch), strict=True)]


def new_student(backbone: str, n_targets: Sequence[int], seed: int) -> Student:
    """A student with random weights from the seed."""
    body = load_backbone(
        settings_from("fast", {"backbone": backbone, "weights": "untrained", "stages": STAGES, "seed": seed})
    ).model
    torch.manual_seed(seed)
    student = Student(body, n_targets).to(memory_format=torch.channels_last)
    return student.requires_grad_(True).train()


def save_body(student: Student, path: Path, facts: dict[str, Any]) -> None:
    """Write the body as float16 safetensors; the counters of batch norm, which nothing reads, are left out. `facts` go
    into the header as JSON.

    They form one entry there: several would be written in a different order each time.
    """
    weights = {
        key: value.half().contiguous()
        for key, value in student.body.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    safetensors.torch.save_file(weights, path, {"facts": json.dumps(facts)})
