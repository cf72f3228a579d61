"""Moving features along a velocity field with fixed steps, from data (t=0) to noise (t=1) or back.

The solvers are in `solvers`. One Euler step from t=0 is the one-step flow of [Paper] arXiv 2508.05461.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor

from wtflow.config import Solver
from wtflow.errors import FlowError
from wtflow.flow.solvers import euler_step, scheme_of

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x, t) -> v of x's shape; t is a 0-d tensor of x's dtype and device."""


def integrate(
    velocity: Velocity,
    x: Tensor,
    steps: int,
    solver: Solver = "euler",
    *,
    t_start: float = 0.0,
    t_end: float = 1.0,
    products: torch.dtype | None = None,
) -> Tensor:
    """Where x is at t_end, in the shape of x.

    steps: equal steps of time. solver: euler (error halves with twice the steps) or heun (quarters, two evaluations a
    step). t_end may lie before t_start. A field with its own way to the end of Euler's steps (`euler_end`) uses it on a
    CPU outside autocast, where it saves time and gives the same to rounding: that of `products`, where given, such as
    bfloat16. Raises FlowError for a wrong setting, or naming the step at which values stop being finite.
    """
    euler_end = getattr(velocity, "euler_end", None)
    is_plain = x.device.type == "cpu" and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")
    if euler_end is not None and scheme_of(solver).step is euler_step and is_plain:
        end = euler_end(x, times_of(x, steps, t_start, t_end), products)
        if _is_finite(end):
            return end  # otherwise the steps below name where
    for _, x_t in _walk(velocity, x, steps, solver, t_start, t_end):
        x = x_t
    return x


def integrate_saved(
    velocity: Velocity, x: Tensor, steps: int, solver: Solver = "euler", *, t_start: float = 0.0, t_end: float = 1.0
) -> tuple[Tensor, Tensor]:
    """All times (S+1,) and the features at them (S+1, ...), start and end included. Otherwise as `integrate`."""
    times, saved = zip(*_walk(velocity, x, steps, solver, t_start, t_end), strict=True)
    return torch.stack(times), torch.stack(saved)


def integrate_moving(
    velocity: Velocity,
    x: Tensor,
    steps: int,
    solver: Solver = "euler",
    *,
    keep: Callable[[Tensor], Tensor] = lambda x: x,
) -> tuple[Tensor, Tensor, Tensor]:
    """As `integrate_saved` from t=0 to t=1, and the velocity at each saved point: (S+1,), (S+1, ...), (S+1, ...).

    keep: what is kept of points and velocities, so that of many that must travel together a few can be followed. Costs
    one evaluation more than integrating: both solvers begin a step with the velocity at its start. Raises FlowError as
    `integrate` does, also for a last velocity that is not finite.
    """
    seen: list[Tensor] = []

    def recorded(x_t: Tensor, t: Tensor) -> Tensor:
        v = velocity(x_t, t)
        seen.append(keep(v))
        return v

    times, saved = [], []
    for t, x_t in _walk(recorded, x, steps, solver, 0.0, 1.0):
        times.append(t)
        saved.append(keep(x_t))
    starts = seen[:: len(seen) // steps]
    last = velocity(x_t, times[-1])
    _check_finite(last, "in the velocity at the end")
    return torch.stack(times), torch.stack(saved), torch.stack([*starts, keep(last)])


def _walk(
    velocity: Velocity, x: Tensor, steps: int, solver: Solver, t_start: float, t_end: float
) -> Iterator[tuple[Tensor, Tensor]]:
    """(t, x) at the start and after every step."""
    step = scheme_of(solver).step
    times = times_of(x, steps, t_start, t_end)
    _check_finite(x, "before the first step")
    yield times[0], x
    for number, (t, t_next) in enumerate(pairwise(times), start=1):
        x = step(velocity, x, t, t_next)
        _check_finite(x, f"at step {number} of {steps}")
        yield t_next, x


def times_of(x: Tensor, steps: int, t_start: float, t_end: float) -> Tensor:
    """When steps begin and end, (S+1,) of x's type and device."""
    if steps < 1:
        raise FlowError(f"Cannot integrate in {steps} steps.", fix="Set steps to 1 or more.")
    if not x.is_floating_point() or x.numel() == 0:
        raise FlowError(
            f"Cannot move features of shape {tuple(x.shape)} and type {x.dtype}.", fix="Give at least one float vector."
        )
    return torch.linspace(t_start, t_end, steps + 1, dtype=torch.float64).to(dtype=x.dtype, device=x.device)


def _is_finite(x: Tensor) -> bool:
    # One pass without a temporary; aminmax carries NaN along.
    return all(torch.isfinite(bound) for bound in torch.aminmax(x.detach()))


def _check_finite(x: Tensor, where: str) -> None:
    if not _is_finite(x):
        raise FlowError(
            f"Features are not finite {where}.",
            fix="Train with a lower learning rate, take more steps, or check the features for NaN.",
        )
