"""The training loop: the student's mapped features approach the teacher's, stage by stage.
Resumes from its own checkpoint.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from wtflow.errors import FlowError
from wtflow.pretraining.muon import Muon
from wtflow.pretraining.recipe import Recipe
from wtflow.pretraining.student import Student
from wtflow.pretraining.teacher import Teacher

_MAX_GRADIENT_NORM = 2.0


class Pretrainer:
    """A student, its optimisers and the number of steps taken."""

    def __init__(self, student: Student, teacher: Teacher, recipe: Recipe) -> None:
        self.student, self.teacher, self.recipe = student, teacher, recipe
        convolutions = [weight for weight in student.body.parameters() if weight.ndim == 4]
        known = {id(weight) for weight in convolutions}
        others = [weight for weight in student.parameters() if id(weight) not in known]
        self._muon = Muon(convolutions, recipe.learning_rate, weight_decay=recipe.weight_decay)
        self._adam = torch.optim.AdamW(others, recipe.other_rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.step = 0
        self.seconds = 0.0
        """Processor time of all steps."""

    def run(self, batches: Callable[[int], Tensor], on_step: Callable[[int, list[float]], None]) -> None:
        """Train to the recipe's end. `on_step(step, unexplained share of variance per stage)` is
        called after each step.
        """
        self.student.train()
        while self.step < self.recipe.steps:
            begin = time.process_time()
            shares = self._take_step(batches(self.step))
            self.step += 1
            self.seconds += time.process_time() - begin
            on_step(self.step, shares)

    def _take_step(self, batch: Tensor) -> list[float]:
        pace = self.recipe.pace(self.step)
        for optimiser, rate in ((self._muon, self.recipe.learning_rate), (self._adam, self.recipe.other_rate)):
            optimiser.param_groups[0]["lr"] = rate * pace
            optimiser.zero_grad(set_to_none=True)
        errors = self._errors(batch)
        loss = torch.stack(errors).sum()
        if not math.isfinite(float(loss.detach())):
            raise FlowError(f"The loss is not finite at step {self.step + 1}.", fix="Lower the learning rate.")
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), _MAX_GRADIENT_NORM)
        self._muon.step()
        self._adam.step()
        return [float(error.detach()) for error in errors]

    def _errors(self, batch: Tensor) -> list[Tensor]:
        """Mean squared error of each stage. The targets have variance 1, so it is the share of variance that the
        student does not explain.
        """
        batch = self.teacher.normalised(batch)
        targets = self.teacher.targets(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = self.student(batch)
        return [nn.functional.mse_loss(output.float(), target) for output, target in zip(outputs, targets, strict=True)]

    def settle(self, batches: Iterable[Tensor]) -> None:
        """Give the body's batch norms the mean statistics of these batches, in full precision, as it will be used.
        Call it after training.
        """
        for norm in (
            module for module in self.student.body.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)
        ):
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over the batches
        self.student.train()
        with torch.no_grad():
            for batch in batches:
                self.student.body(self.teacher.normalised(batch))

    def evaluate(self, batches: Sequence[Tensor]) -> list[float]:
        """The same shares as in training, of these batches in evaluation mode."""
        self.student.eval()
        with torch.inference_mode():
            errors = torch.tensor([[float(error) for error in self._errors(batch)] for batch in batches])
        self.student.train()
        return errors.mean(0).tolist()

    def save(self, path: Path) -> None:
        """Write everything that resuming needs, replaced in one step."""
        part = path.with_suffix(".part")
        torch.save(
            {name: owner.state_dict() for name, owner in self._owners().items()}
            | {"step": self.step, "seconds": self.seconds},
            part,
        )
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Continue where `save` stopped."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, owner in self._owners().items():
            owner.load_state_dict(state[name])
        self.step, self.seconds = state["step"], state["seconds"]

    def _owners(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        """Objects with a state, by their name in a checkpoint."""
        return {"student": self.student, "muon": self._muon, "adam": self._adam}
