"""What a study of couplings trains: which dimensions with which groups. Imports no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from wtflow.config import Settings
from wtflow.records.coupling import Part
from wtflow.studies.requests import CouplingRequest

GRID: Final = 8
"""Whole grids are studied at this side, as in preset `paper`."""
IMAGE_GROUP: Final = 8
"""Whole grids in a batch and a group, as in preset `paper`."""
USUAL_GROUP: Final = 256
"""Group size of positions next to which dimensions are compared where the run pairs whole grids."""

Kind = Literal["strength", "independent", "paired"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work, done or not; what is done survives a stop. `strength`: gamma at every group size; `paired`: the
    worst and the optimal flow.
    """

    kind: Kind
    part: Part
    dimension: int
    group_size: int = 0
    seed: int = 0

    @property
    def name(self) -> str:
        """Names the unit in the file of what is done."""
        return f"{self.part}-{self.kind}-{self.dimension}-{self.group_size}-{self.seed}"

    @property
    def words(self) -> str:
        """What is being done, for a progress bar."""
        what = f"{self.dimension:,} dimensions"
        if self.part == "images":
            what = f"whole grids, {what}"
        if self.kind == "strength":
            return f"γ of {what}"
        pairs = "independent pairs" if self.kind == "independent" else f"groups of {self.group_size:,}"
        return f"{what}, {pairs}, seed {self.seed + 1}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells of a study, for features of `n_channels` components."""

    request: CouplingRequest
    n_channels: int
    dimensions: tuple[int, ...]
    """Rising; the last is n_channels."""
    group_sizes: tuple[int, ...]
    own_group: int
    """The run's own group size, or USUAL_GROUP where it pairs whole grids."""
    own_part: Part

    @property
    def n_pairs(self) -> int:
        """Pairs of positions in a batch: the largest group fits."""
        return max(self.request.n_pairs, *self.group_sizes)

    @property
    def image_width(self) -> int:
        """Base width of the U-Net."""
        return small_unet(self.request.width, self.request.iterations)[0]

    @property
    def image_iterations(self) -> int:
        """Training steps of the U-Net."""
        return small_unet(self.request.width, self.request.iterations)[1]

    @property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """(dimension, group size) with flows: all, or those of the own group size or of all components."""
        return tuple(
            (d, n)
            for d in self.dimensions
            for n in self.group_sizes
            if self.request.is_full or n == self.own_group or d == self.n_channels
        )

    @property
    def image_dimension(self) -> int:
        """Values of a whole grid."""
        return self.n_channels * GRID**2

    @property
    def has_grid_flows(self) -> bool:
        """Whether U-Nets are trained, which takes minutes before they have learned anything: in the full form, and for
        a run that pairs whole grids itself. gamma of whole grids is always measured.
        """
        return self.request.is_full or self.own_part == "images"

    def units(self) -> Iterator[Unit]:
        """In the order in which they are done."""
        seeds = range(self.request.n_seeds)
        yield Unit("strength", "images", self.image_dimension)
        for seed in seeds if self.has_grid_flows else ():
            yield Unit("independent", "images", self.image_dimension, 0, seed)
            yield Unit("paired", "images", self.image_dimension, IMAGE_GROUP, seed)
        for d in self.dimensions:
            yield Unit("strength", "positions", d)
            for seed in seeds:
                yield Unit("independent", "positions", d, 0, seed)
                yield from (Unit("paired", "positions", d, n, seed) for at, n in self.cells if at == d)


def small_unet(width: int, iterations: int) -> tuple[int, int]:
    """Base width and training steps of the U-Net beside MLPs of this width and so many steps: it begins at v = 0, and
    sees eight grids a step.
    """
    return max(8, width // 2), 3 * iterations


def plan_of(request: CouplingRequest, settings: Settings, n_channels: int) -> Plan:
    """The study of a run with these settings and so many components after normalising."""
    of_images = settings.scope == "image"
    own = USUAL_GROUP if of_images else settings.group_size
    dimensions = (*sorted({d for d in request.dimensions if d < n_channels}), n_channels)
    groups = tuple(sorted({*request.group_sizes, own}))
    return Plan(request, n_channels, dimensions, groups, own, "images" if of_images else "positions")
