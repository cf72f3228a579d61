"""What is measured of the couplings and of each small flow: gamma, the field at t = 0, the well, straightness.
Imports torch.
"""

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from wtflow.flow.coupling import couple
from wtflow.flow.integrate import integrate_moving
from wtflow.flow.strength import most_strength
from wtflow.records.core import GOOD
from wtflow.records.coupling import Part, Strength
from wtflow.records.flow import PositionSet, Travel
from wtflow.studies.travel import reduce_walk
from wtflow.studies.well import well_depth

WALK_STEPS: Final = 20
"""As on the pages of paths and wells."""
ROWS_MEASURED: Final = 2048
"""Pairs behind a gamma, and four groups at least."""
FEWEST_GROUPS: Final = 4


class Field(NamedTuple):
    """Columns of `records.coupling.FlowRow`, by the same names."""

    slope: float
    departure: float
    depth_start: float
    depth: float
    straightness: float
    bend: float


def strength_of(part: Part, group_size: int, x: Tensor, noise: Tensor, even: tuple[Tensor, Tensor] | None) -> Strength:
    """gamma of the worst coupling of data x with noise, (N, ...) each, paired in groups of consecutive rows.

    even: the same of data drawn evenly and of variance 1 along each axis; None: not measured.
    """
    x, noise = x.flatten(1), noise.flatten(1)
    gamma, error = gamma_of(x, noise, group_size)
    generator = torch.Generator().manual_seed(x.shape[1] + group_size)
    normal, other = (torch.randn(x.shape, generator=generator) for _ in range(2))
    gaussian, gaussian_error = gamma_of(normal, other[couple(normal, other, "worst", group_size)], group_size)
    norm = x.double().norm(dim=1)
    square = float(norm.square().mean())
    return Strength(
        part=part,
        dimension=x.shape[1],
        group_size=group_size,
        gamma=gamma,
        error=error,
        even=float("nan") if even is None else gamma_of(*even, group_size)[0],
        gaussian=gaussian,
        gaussian_error=gaussian_error,
        most=most_strength(float(norm.mean()), square, x.shape[1], group_size),
        spread=float(np.sqrt(square / x.shape[1])),
    )


def gamma_of(x: Tensor, noise: Tensor, group_size: int) -> tuple[float, float]:
    """gamma of pairs (N, d) and its standard error from the spread over groups of consecutive rows; NaN for one group.
    Independent of the scale of x.
    """
    scale = float(x.double().square().mean().sqrt())
    by_group = -(x.double() * noise.double()).mean(1).unfold(0, group_size, group_size).mean(1) / scale
    error = by_group.std(correction=1) / len(by_group) ** 0.5 if len(by_group) > 1 else torch.tensor(torch.nan)
    return float(by_group.mean()), float(error)


def groups_of(group_size: int) -> int:
    """Groups that a gamma is measured on."""
    return max(FEWEST_GROUPS, ROWS_MEASURED // group_size)


def field_of(velocity: nn.Module, drawn: Tensor, normals: Tensor) -> Field:
    """drawn: data as training draws them; normals: those that are followed; (N, ..., C) each, a row is one vector of d
    values.
    """
    with torch.inference_mode():
        moved = (velocity(drawn, torch.tensor(0.0)) + drawn).flatten(1).double()
        flat = drawn.flatten(1).double()
        square = flat.square().sum()
        t, x, v = integrate_moving(velocity, normals, WALK_STEPS)
        x, v = x.flatten(2), v.flatten(2)
        walk = {name: values.numpy() for name, values in reduce_walk(x, v).items()}
        bend = (v[:-1] - (x[-1] - x[0])).square().mean()  # Euler's end is the mean of these velocities
    depth = well_depth(_travel(t.numpy(), walk, x.shape[2]))
    return Field(
        slope=float((moved * flat).sum() / square),
        departure=float((moved.square().sum() / square).sqrt()),
        depth_start=float(depth[0]),
        depth=float(depth.max()),
        straightness=float(walk["straightness"].mean()),
        bend=float(bend),
    )


def _travel(t: np.ndarray, walk: dict[str, np.ndarray], d: int) -> Travel:
    """Paths of normals as `studies.well` reads them; where they are in the plane is left open."""
    n = walk["norm"].shape[1]
    nothing = np.zeros(n, np.int32)
    positions = PositionSet(nothing, nothing, nothing, np.full(n, GOOD), np.zeros(n, np.float32))
    return Travel(
        positions=positions,
        t=t,
        plane=np.zeros((len(t), n, 2), np.float32),
        explained=(0.0, 0.0),
        n_channels=d,
        divergence=None,
        **walk,
    )
