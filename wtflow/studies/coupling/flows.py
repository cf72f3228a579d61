"""The small flows of the study: how they are trained, alike but for the coupling. Imports torch.

The noise of the optimal flow is that of the worst one, mirrored: a pairing is optimal for -z where it is worst for z,
and -z has the same law. So both learn from one assignment, and their gammas are each other's opposites.
"""

from collections.abc import Callable
from contextlib import closing
from typing import Final

import torch
from torch import Tensor, nn

from wtflow.config import Coupling, Settings
from wtflow.flow.coupling import couple
from wtflow.flow.velocity import build_velocity
from wtflow.machine.cores import side_by_side
from wtflow.machine.prefetch import prepared
from wtflow.studies.coupling.plan import IMAGE_GROUP, Plan
from wtflow.training.loop import N_EACH, Trainer
from wtflow.training.pool import Batch

CPU: Final = torch.device("cpu")
PAIRED: Final[tuple[tuple[Coupling, float], ...]] = (("worst", 1.0), ("optimal", -1.0))
"""Coupling -> what the noise of the worst pairing is multiplied by."""

LEARNING_RATE: Final = 2e-3
"""Small networks with few steps need more than the default of long trainings."""


def position_settings(settings: Settings, plan: Plan, coupling: Coupling, group_size: int, seed: int) -> Settings:
    """The run's settings, as the small flows of single positions have them."""
    request = plan.request
    return settings.changed(
        {
            "smaller_sizes": (),  # what counts here is the number of components, wherever they come from
            "network": "mlp",
            "scope": "local",
            "coupling": coupling,
            "group_size": group_size,
            "batch_size": plan.n_pairs,
            "times_per_pair": 1,
            "width": request.width,
            "iterations": request.iterations,
            "epochs": 0,
            "learning_rate": LEARNING_RATE,
            "schedule": "cosine",
            "score": "endpoint",
            "solver": "euler",
            "seed": seed,
        }
    )


def image_settings(settings: Settings, plan: Plan, coupling: Coupling, seed: int) -> Settings:
    """The run's settings, as the small U-Net has them."""
    return position_settings(settings, plan, coupling, IMAGE_GROUP, seed).changed(
        {
            "batch_size": IMAGE_GROUP,
            "network": "unet",
            "scope": "image",
            "width": plan.image_width,
            "iterations": plan.image_iterations,
        }
    )


def grid_batches(grids: Tensor, settings: Settings) -> Callable[[int], Batch]:
    """Batches of whole grids, each paired as one vector: step -> (B, g, g, K), (B, g, g, K), (B,)."""

    def draw(step: int) -> Batch:
        generator = torch.Generator().manual_seed(1_000_003 * settings.seed + step)
        x = grids[torch.randperm(len(grids), generator=generator)[: settings.batch_size]]
        noise = torch.randn(x.shape, generator=generator)
        noise = noise[couple(x, noise, settings.coupling, settings.group_size)]
        return x, noise, torch.rand(len(x), generator=generator)

    return draw


def train_flows(
    draw: Callable[[int], Batch], settings: Settings, channels: int, tell: Callable[[float], None]
) -> dict[Coupling, nn.Module]:
    """The flow of the settings' coupling, in evaluation mode; where that is worst also the optimal one's, from the same
    draws and first weights. `tell(share)` may raise to stop.
    """
    wanted = PAIRED if settings.coupling == "worst" else ((settings.coupling, 1.0),)
    trainers = [Trainer(build_velocity(settings, channels), settings, settings.iterations, CPU) for _ in wanted]
    for trainer in trainers:
        trainer.velocity.train()
    drawn = prepared(draw, range(settings.iterations), CPU, N_EACH)
    with closing(drawn), side_by_side(trainers[0].n_portions()) as each:
        for x, noise, t in drawn:
            for trainer, (_, sign) in zip(trainers, wanted, strict=True):
                trainer.take_step((x, sign * noise, t), each)
            tell(trainers[0].step / settings.iterations)
    return {coupling: trainer.velocity.eval() for trainer, (coupling, _) in zip(trainers, wanted, strict=True)}
