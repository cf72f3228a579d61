"""The flow with its fixed steps as one module without control flow, so that it can be written down as a graph.

What depends on time alone is computed once, when the module is made.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from wtflow.config import Solver
from wtflow.flow.integrate import times_of
from wtflow.flow.solvers import euler_step, scheme_of
from wtflow.flow.velocity import PerSize, ResidualMLP


def unrolled(velocity: nn.Module, steps: int, solver: Solver) -> nn.Module:
    """A module that moves features (B, H, W, C) from t=0 to t=1 as `integrate` does, to rounding. On the CPU."""
    if isinstance(velocity, PerSize):
        return _EachSize(velocity, steps, solver)
    times = times_of(torch.zeros(1), steps, 0.0, 1.0)
    if isinstance(velocity, ResidualMLP) and scheme_of(solver).step is euler_step:
        return _EulerEnd(velocity, times)
    return _Steps(velocity, times, solver)


class _EachSize(nn.Module):
    """The flows of several image sizes side by side."""

    def __init__(self, velocity: PerSize, steps: int, solver: Solver) -> None:
        super().__init__()
        self.channels = [flow.channels for flow in velocity.each]
        self.flows = nn.ModuleList(unrolled(flow, steps, solver) for flow in velocity.each)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([flow(part) for flow, part in zip(self.flows, x.split(self.channels, -1), strict=True)], -1)


class _Steps(nn.Module):
    """Any field and solver, step by step."""

    times: Tensor

    def __init__(self, velocity: nn.Module, times: Tensor, solver: Solver) -> None:
        super().__init__()
        self.velocity, self.solver = velocity, solver
        self.register_buffer("times", times)

    def forward(self, x: Tensor) -> Tensor:
        for t, t_next in pairwise(self.times.unbind()):
            x = scheme_of(self.solver).step(self.velocity, x, t, t_next)
        return x


class _EulerEnd(nn.Module):
    """`ResidualMLP.euler_end`, whose names it keeps."""

    leave_bias: Tensor

    def __init__(self, velocity: ResidualMLP, times: Tensor) -> None:
        super().__init__()
        self.enter = _matrix(velocity.enter.weight)
        self.leave = _matrix(velocity.leave.weight)
        with torch.no_grad():
            self.turned = _matrix(velocity.enter.weight @ velocity.leave.weight)
            turned_bias = velocity.enter.weight @ velocity.leave.bias
            moved, summed, steps = torch.ones(()), torch.zeros(()), []
            for t, t_next in pairwise(times):
                step = t_next - t
                grown = 1 + step * velocity.along_x(t).squeeze()
                steps.append(_Step(velocity, t, velocity.enter.bias + turned_bias * summed, moved, grown, step))
                moved, summed = moved * grown, summed * grown + step
            self.steps = nn.ModuleList(steps)
            self.moved = float(moved)
            self.register_buffer("leave_bias", summed * velocity.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        entered = self.enter(x)
        carried: Tensor | None = None
        for step in self.steps:
            turned = None if carried is None else self.turned(carried)
            carried = step(entered, turned, carried)
        return x if carried is None else self.leave(carried) + self.leave_bias + self.moved * x


class _Step(nn.Module):
    """One of Euler's steps in the hidden width."""

    bias: Tensor

    def __init__(
        self, velocity: ResidualMLP, t: Tensor, bias: Tensor, moved: Tensor, grown: Tensor, step: Tensor
    ) -> None:
        super().__init__()
        self.moved, self.grown, self.step = float(moved), float(grown), float(step)
        self.register_buffer("bias", bias.clone())
        self.blocks = nn.ModuleList(_Block(*parts) for parts in velocity.blocks_at(t))

    def forward(self, entered: Tensor, turned: Tensor | None, carried: Tensor | None) -> Tensor:
        hidden = entered + self.bias if turned is None else turned + self.bias + self.moved * entered
        for block in self.blocks:
            hidden = hidden + block(hidden)
        thought = F.silu(hidden) * self.step
        return thought if carried is None else carried * self.grown + thought


class _Block(nn.Module):
    """A block of the network at one time."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor, matrix: nn.Linear) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.matrix = matrix

    def forward(self, hidden: Tensor) -> Tensor:
        return self.matrix(F.silu(self.shift + hidden * self.scale))


def _matrix(weight: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight = nn.Parameter(weight.detach().clone())
    return layer
