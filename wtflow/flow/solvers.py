"""The solvers: how each takes a step along a velocity field, and how often it evaluates the field for one. Loads no
torch, so that light modules can count evaluations.

Source: textbook Euler and Heun (explicit trapezoid) schemes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from wtflow.config import Solver
from wtflow.errors import FlowError

if TYPE_CHECKING:
    from torch import Tensor

    Velocity = Callable[[Tensor, Tensor], Tensor]
    """(x, t) -> v of x's shape; t is a 0-d tensor of x's dtype and device."""


class Scheme(NamedTuple):
    """How a solver takes one step."""

    step: Callable[[Velocity, Tensor, Tensor, Tensor], Tensor]
    """(velocity, x at t, t, t_next) -> x at t_next. The first evaluation is at the start of the step."""
    evaluations: int
    """Evaluations of the velocity field per step."""


def euler_step(velocity: Velocity, x: Tensor, t: Tensor, t_next: Tensor) -> Tensor:
    """First order: along the velocity at the start of the step."""
    return x.addcmul(velocity(x, t), t_next - t)


def heun_step(velocity: Velocity, x: Tensor, t: Tensor, t_next: Tensor) -> Tensor:
    """Second order: along the mean of the velocities at the start and at Euler's guess of the end."""
    v = velocity(x, t)
    guess = x + (t_next - t) * v
    return x + (t_next - t) * 0.5 * (v + velocity(guess, t_next))


SOLVERS: dict[Solver, Scheme] = {"euler": Scheme(euler_step, 1), "heun": Scheme(heun_step, 2)}


def scheme_of(solver: Solver) -> Scheme:
    """Raises FlowError for a solver that does not exist."""
    if solver not in SOLVERS:
        raise FlowError(f"There is no solver {solver!r}.", fix=f"Use one of: {', '.join(SOLVERS)}.")
    return SOLVERS[solver]


def evaluations(solver: Solver, steps: int) -> int:
    """Evaluations of the velocity field at each position, in so many steps. Raises FlowError as `scheme_of` does."""
    return steps * scheme_of(solver).evaluations
