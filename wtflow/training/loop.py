"""The training loop, readable in one go. No files, no processes, no UI.

Flow matching on the linear path: draw x_data, x_noise and t; regress v(x_t, t) on x_noise - x_data [Paper].
"""

import math
from collections.abc import Callable
from contextlib import closing

import torch
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import FlowError
from wtflow.flow.path import interpolate, target_velocity
from wtflow.machine.cores import SideBySide, n_cores, side_by_side
from wtflow.machine.prefetch import prepared, prepared_ahead
from wtflow.scoring.precision import autocast
from wtflow.training.pool import Batch

WARM_UP_STEPS = 50
MAX_GRADIENT_NORM = 1.0
FEWEST_ROWS = 128
"""Rows of a batch for one core. With fewer, the fixed cost of a step outweighs that of its
rows (1.5 of 4.9 ms at 128).
"""
N_EACH = 4
"""Batches that each core draws before all of them train on a CPU: some 4 MB a batch in preset fast."""


class Trainer:
    """A velocity field, its optimiser and the number of steps taken; everything that resuming needs."""

    def __init__(self, velocity: nn.Module, settings: Settings, total_steps: int, device: torch.device) -> None:
        self.velocity, self.settings, self.total_steps, self.device = velocity.to(device), settings, total_steps, device
        self.optimiser = torch.optim.AdamW(
            velocity.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.step = 0

    def run(
        self, batches: Callable[[int], Batch], on_step: Callable[[int, float], None], n_threads: int | None = None
    ) -> None:
        """Train to `total_steps`. `on_step(step, loss)` is called after each step and may raise to stop between two.

        n_threads: threads that draw the next batches meanwhile; 0 draws each when it is needed, None chooses by the
        device. The weights do not depend on it.
        """
        self.velocity.train()
        steps = range(self.step, self.total_steps)
        drawn = (
            prepared(batches, steps, self.device, N_EACH)
            if n_threads is None
            else prepared_ahead(batches, steps, n_threads)
        )
        with closing(drawn), side_by_side(self.n_portions()) as each:
            for batch in drawn:
                loss = self.take_step(batch, each)
                on_step(self.step, loss)

    def n_portions(self) -> int:
        """How many cores share a batch, a portion each: as many as torch has, on a CPU, where no row of a batch
        depends on another.
        """
        if self.device.type != "cpu" or not getattr(self.velocity, "is_positionwise", False):
            return 1
        return max(1, min(n_cores(), self.settings.batch_size // FEWEST_ROWS))

    def take_step(self, batch: Batch, each: SideBySide) -> float:
        """Learn from one batch, whose rows `each` shares among cores; its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.total_steps, self.settings)
        parts = each(self._loss_and_gradients, _split(batch, self.n_portions()))
        for i, parameter in enumerate(self.velocity.parameters()):
            parameter.grad = sum((gradients[i] for _, gradients in parts[1:]), parts[0][1][i])
        nn.utils.clip_grad_norm_(self.velocity.parameters(), MAX_GRADIENT_NORM)
        self.optimiser.step()
        value = float(sum(loss for loss, _ in parts))
        if not math.isfinite(value):
            raise FlowError(
                f"The loss is not finite at step {self.step + 1}.",
                fix="Lower the learning rate, or check the images and weights.",
            )
        self.step += 1
        return value

    def _loss_and_gradients(self, portion: tuple[Batch, float]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The mean square error over a portion's rows and its gradients, both times the portion's
        share in the batch.
        """
        batch, share = portion
        x_data, x_noise, t = (part.to(self.device, non_blocking=True) for part in batch)
        with autocast(self.device, self.settings):
            predicted = self.velocity(interpolate(x_data, x_noise, t), t)
            loss = share * nn.functional.mse_loss(predicted.float(), target_velocity(x_data, x_noise))
        return loss.detach(), torch.autograd.grad(loss, tuple(self.velocity.parameters()))

    def optimiser_tensors(self) -> dict[str, Tensor]:
        """The optimiser's state as flat tensors, named parameter.quantity."""
        names = [name for name, _ in self.velocity.named_parameters()]
        state = self.optimiser.state_dict()["state"]
        return {
            f"{names[i]}|{key}": torch.as_tensor(value) for i, parts in state.items() for key, value in parts.items()
        }

    def restore(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Continue after `step` steps with the optimiser state that `optimiser_tensors` gave."""
        position = {name: i for i, (name, _) in enumerate(self.velocity.named_parameters())}
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            name, _, quantity = key.partition("|")
            state.setdefault(position[name], {})[quantity] = value
        self.optimiser.load_state_dict({"state": state, "param_groups": self.optimiser.state_dict()["param_groups"]})
        self.step = step


def _split(batch: Batch, n: int) -> list[tuple[Batch, float]]:
    """The batch as n portions of nearly equal length, each with its share in the batch."""
    columns = [part.tensor_split(n) for part in batch]
    return [(portion, len(portion[0]) / len(batch[0])) for portion in zip(*columns, strict=True)]


def learning_rate(step: int, total: int, settings: Settings) -> float:
    """The rate of a step, a function of its number alone: a short linear rise, then cosine to 0 or two drops by ten."""
    warm = min(1.0, (step + 1) / min(WARM_UP_STEPS, max(1, total // 10)))
    done = step / total
    if settings.schedule == "cosine":
        return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
    return settings.learning_rate * warm * (1.0 if done < 0.6 else 0.1 if done < 0.85 else 0.01)


def total_steps(settings: Settings, n_images: int) -> int:
    """Training steps: `epochs` passes over the images if set (unet), else `iterations`."""
    if settings.epochs and settings.network == "unet":
        return settings.epochs * math.ceil(n_images / min(settings.batch_size, n_images))
    return settings.iterations
