"""What is known of features on their way from data to noise: positions, paths, projections, landscapes.
NumPy and plain values.

Shapes: S saved times, N positions, G points along a side of a grid.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from wtflow.config import Coupling, Solver
from wtflow.records.core import GOOD

UNMARKED = "unmarked"
"""Group of a position in a defective image that no mask covers: it may be normal or not."""


def group_rank(name: str) -> tuple[bool, bool, str]:
    """Sorts groups: GOOD first, then defect types by name, UNMARKED last."""
    return name != GOOD, name == UNMARKED, name


def ordered_groups(names: Iterable[str]) -> tuple[str, ...]:
    """Each group once, in the order of `group_rank`: the order of every list, legend and menu of groups."""
    return tuple(sorted({str(name) for name in names}, key=group_rank))


Spread = tuple[float, float, float]
"""5 % quantile, median, 95 % quantile."""


@dataclass(frozen=True, slots=True)
class PositionSet:
    """N grid positions of scored images, in a fixed order. All arrays have length N."""

    row: np.ndarray
    """int32: the image's `row` in the run's score table."""
    grid_row: np.ndarray
    grid_column: np.ndarray
    group: np.ndarray
    """str: GOOD for positions of normal images, a defect type for those inside a mask of that
    type, UNMARKED for the rest.
    """
    score: np.ndarray
    """float32: the value of the run's map there."""

    def __len__(self) -> int:
        return len(self.row)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups present: GOOD first, then defect types by name, UNMARKED last."""
        return ordered_groups(self.group)


@dataclass(frozen=True, slots=True)
class Travel:
    """N positions moved along the learned field: what is kept of their d-dimensional paths at S saved times.
    float32.
    """

    positions: PositionSet
    t: np.ndarray
    """(S,) from 0 (data) to 1 (noise)."""
    norm: np.ndarray
    """(S, N) Euclidean norm: the distance from the origin."""
    speed: np.ndarray
    """(S, N) norm of the velocity v(x_t, t)."""
    alignment: np.ndarray
    """(S, N) cosine of x_t with its own start x_0;
    it changes sign where a path crosses over to the other side of the origin.
    """
    straightness: np.ndarray
    """(S, N) cosine of v(x_t, t) with the straight line from the path's start to its end;
    1 all along for a straight path.
    """
    radial: np.ndarray
    """(S, N) <v, x> / |x|, the speed away from the origin; negative while falling."""
    plane: np.ndarray
    """(S, N, 2) coordinates on the first two principal axes of normal features at t=0, the same axes at all times."""
    explained: tuple[float, float]
    """Share of the variance of normal features at t=0 on each of the two axes."""
    n_channels: int
    divergence: np.ndarray | None = None
    """(S, N) Hutchinson estimate of the divergence of v at x_t, or None where it was not computed."""


_OF_PATHS = ("norm", "speed", "alignment", "straightness", "radial", "plane")


def at_times(travel: Travel, times: np.ndarray) -> Travel:
    """The travel at some of its saved times (indices) only."""
    kept: dict[str, Any] = {name: getattr(travel, name)[times] for name in ("t", *_OF_PATHS)}
    return replace(travel, divergence=None if travel.divergence is None else travel.divergence[times], **kept)


def at_positions(travel: Travel, chosen: np.ndarray | list[int]) -> Travel:
    """Some of the travel's positions (indices) only, with all their times."""
    positions = PositionSet(
        **{field.name: getattr(travel.positions, field.name)[chosen] for field in fields(PositionSet)}
    )
    paths: dict[str, Any] = {name: getattr(travel, name)[:, chosen] for name in _OF_PATHS}
    divergence = None if travel.divergence is None else travel.divergence[:, chosen]
    return replace(travel, positions=positions, divergence=divergence, **paths)


def joined(first: Travel, second: Travel) -> Travel:
    """The positions of two travels at the same times, one after the other; without a divergence."""
    pair = first.positions, second.positions
    positions = PositionSet(
        **{field.name: np.concatenate([getattr(one, field.name) for one in pair]) for field in fields(PositionSet)}
    )
    paths: dict[str, Any] = {
        name: np.concatenate([getattr(first, name), getattr(second, name)], axis=1) for name in _OF_PATHS
    }
    return replace(first, positions=positions, divergence=None, **paths)


@dataclass(frozen=True, slots=True)
class StraightLines:
    """N positions, each with the noise that it is paired with: enough to know where the straight line between them is
    at every time. float32 (N,).
    """

    coupling: Coupling
    group_size: int
    """Pairing is exact in groups of so many positions, or images."""
    of_images: bool
    """Whether whole images are paired."""
    start: np.ndarray
    """Norm of the feature at t=0."""
    noise: np.ndarray
    """Norm of its noise, at t=1."""
    inner: np.ndarray
    """Inner product of the two."""


@dataclass(frozen=True, slots=True)
class Projection:
    """N points in the plane at each of S times, all in one coordinate system. float32."""

    method: Literal["pca", "umap"]
    t: np.ndarray
    """(S,)"""
    points: np.ndarray
    """(S, N, 2)"""
    n_fitted: int
    """Points that the method was fitted on (of S * N); the others were placed afterwards."""
    explained: tuple[float, float] | None = None
    """pca: share of the variance on each axis."""
    trust: float | None = None
    """umap: trustworthiness, 0 to 1: how well it keeps neighbourhoods. None where it was not measured."""
    n_trusted: int = 0
    """Points that the trustworthiness was measured on."""


PlaneKind = Literal["axes", "pair"]
"""Which plane of a landscape: the first two principal axes of normals, or through a normal and a defect."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """The learned field on a plane through feature space at one time, and the potential that explains most of it.
    float64.
    """

    t: float
    x: np.ndarray
    """(G,) coordinates along the first axis of the plane."""
    y: np.ndarray
    """(G,) along the second."""
    velocity: np.ndarray
    """(G, G, 2) the field's two components in the plane; [i, j] belongs to (x[j], y[i])."""
    potential: np.ndarray
    """(G, G) least-squares potential: its gradient fits -velocity; smallest value 0."""
    share: float
    """Share of the in-plane field's mean square that the potential explains, 0 to 1."""
    share_in_plane: float
    """Share of the whole field's mean square that lies in the plane at all."""
    axes: tuple[str, str]
    """What the two axes are, in words."""
    marks: tuple[tuple[str, float, float], ...] = ()
    """Named points to draw: label, x, y."""


@dataclass(frozen=True, slots=True)
class StepsRow:
    """The run's own test set scored with one solver and number of steps."""

    solver: Solver
    steps: int
    evaluations: int
    """Evaluations of the velocity network per position."""
    ms_per_image: float
    """Milliseconds of flow per image, measured here; backbone, upsampling and metrics not counted."""
    metrics: dict[str, float | None]
    """image_auroc, pixel_auroc, aupro; None where the data does not define one."""
    norms: dict[str, Spread]
    """Endpoint norm of the positions of normal images (GOOD) and of those inside masks (each defect type)."""
    is_default: bool
    """The run's own setting."""


@dataclass(frozen=True, slots=True)
class ReturnTrip:
    """Positions integrated 0 -> 1 -> 0 with the same solver and steps each way."""

    solver: Solver
    steps: int
    """Steps each way."""
    errors: dict[str, Spread]
    """Group -> distance between return and start, divided by the norm of the start."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A normal training position near another one."""

    sample_id: str
    grid_row: int
    grid_column: int
    distance: float


@dataclass(frozen=True, slots=True)
class Ideal:
    """One training batch under each coupling with the same noise, and what the learned field makes of it. S
    times, N positions.
    """

    t: np.ndarray
    """(S,)"""
    start: np.ndarray
    """(N, 2) the batch at t=0 on the principal axes of normal features."""
    ends: dict[str, np.ndarray]
    """Coupling -> (N, 2): the noise that each is paired with; between lies a straight line."""
    learned: np.ndarray
    """(S, N, 2) the learned field integrated from the same starts."""
    norms: dict[str, np.ndarray]
    """Coupling, or "learned" -> (S, N) norms in all dimensions."""
    costs: dict[str, float]
    """Coupling -> mean squared distance between data and its noise."""
    strengths: dict[str, float]
    """Coupling -> gamma, minus the mean inner product per dimension; 0 is independent."""
    trained_with: Coupling
    """The coupling that the run was trained with."""
