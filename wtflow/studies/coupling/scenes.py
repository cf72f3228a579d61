"""What the flows of one dimension have in common: their data, and the images that they are scored on. Imports torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Coupling, Settings
from wtflow.records.coupling import Part, Strength
from wtflow.studies.coupling.features import StudyFeatures, averaged, leading, mean_square_one
from wtflow.studies.coupling.flows import grid_batches, image_settings, position_settings
from wtflow.studies.coupling.measure import groups_of, strength_of
from wtflow.studies.coupling.plan import IMAGE_GROUP, Plan
from wtflow.studies.coupling.scores import BATCH, ImageSet, Starts
from wtflow.training.pool import Batch, position_batches, rarities

APART: Final = 1_000_000
"""Number of the first batch that no training draws."""
N_WALKED: Final = 1000
"""Positions of normal images that are followed."""
ROWS_FOR_FIELD: Final = 2048
"""Vectors that the field at t = 0 is measured on, or a tenth of it of whole grids."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything but the coupling, the group size and the seed."""

    part: Part
    channels: int
    """Of the network."""
    settings: Callable[[Coupling, int, int], Settings]
    """(coupling, group size, seed) -> of a small flow."""
    batches: Callable[[Settings], Callable[[int], Batch]]
    normals: Tensor
    """Data of normal test images at t = 0, or of training images where there are none; a row is one vector."""
    starts: Starts
    images: ImageSet
    strengths: Callable[[], list[Strength]]

    def drawn(self, settings: Settings) -> Tensor:
        """Data as training draws them, which no flow of the study was trained on in this choice."""
        n = ROWS_FOR_FIELD if self.part == "positions" else ROWS_FOR_FIELD // 10
        draw = self.batches(settings)
        return torch.cat([draw(APART + i)[0] for i in range(max(1, n // settings.batch_size))])


def position_scene(run: Settings, plan: Plan, features: StudyFeatures, images: ImageSet, d: int) -> Scene:
    """The leading d components of single positions. run: settings of the run."""
    reduce = leading(features, d)
    pool = reduce(features.pool)
    rarity = rarities(pool, 1) if run.rarity_power else None
    rows = np.flatnonzero(~features.labels)
    normals = reduce(features.test[rows].flatten(0, 2)) if len(rows) else pool

    def settings(coupling: Coupling, group_size: int, seed: int) -> Settings:
        return position_settings(run, plan, coupling, group_size, seed)

    def strengths() -> list[Strength]:
        white = (pool - pool.mean(0)) / pool.std(0, correction=0).clamp_min(1e-6)
        found = []
        for n in plan.group_sizes:
            own = settings("worst", n, 0).changed({"batch_size": n * groups_of(n)})
            x, noise, _ = position_batches(pool, own, rarity=rarity)(APART)
            even = position_batches(white, own.changed({"rarity_power": 0.0}))(APART)
            found.append(strength_of("positions", n, x, noise, even[:2]))
        return found

    return Scene(
        part="positions",
        channels=d,
        settings=settings,
        batches=lambda own: position_batches(pool, own, rarity=rarity),
        normals=normals[torch.linspace(0, len(normals) - 1, min(N_WALKED, len(normals))).long()],
        starts=lambda: (reduce(part) for part in features.test.split(BATCH)),
        images=images,
        strengths=strengths,
    )


def grid_scene(run: Settings, plan: Plan, features: StudyFeatures, images: ImageSet) -> Scene:
    """Whole grids of 8 x 8, each one vector, with all components."""
    mean, factor = mean_square_one(features.grids)

    def bring(grids: Tensor) -> Tensor:
        return (averaged(grids.float()) - mean) * factor

    grids, rows = bring(features.grids), np.flatnonzero(~features.labels)

    def strengths() -> list[Strength]:
        draw = grid_batches(grids, image_settings(run, plan, "worst", 0))
        drawn = [draw(APART + i) for i in range(groups_of(IMAGE_GROUP) // 8)]  # a batch is one group, of some megabytes
        x, noise = (torch.cat([batch[i] for batch in drawn]) for i in range(2))
        return [strength_of("images", len(drawn[0][0]), x, noise, None)]

    return Scene(
        part="images",
        channels=grids.shape[-1],
        settings=lambda coupling, _, seed: image_settings(run, plan, coupling, seed),
        batches=lambda own: grid_batches(grids, own),
        normals=bring(features.test[rows]) if len(rows) else grids,
        starts=lambda: (bring(part) for part in features.test.split(BATCH)),
        images=images,
        strengths=strengths,
    )
