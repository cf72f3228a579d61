"""What the study of couplings found: strengths, small flows, and their scores on resampled images. NumPy and plain
values.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from wtflow.config import Coupling
from wtflow.records.compare import Interval

Part = Literal["positions", "images"]
"""What is paired: single positions, or whole grids of 8 x 8 as one vector."""

STEPS: Final = (1, 4)
"""Euler steps with which each flow is scored."""
SCORED: Final = ("image_auroc", "aupro")
"""What is measured of the scores, by its name in `metrics.METRICS`."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly the worst coupling opposes data and noise; minus this under the optimal one.

    gamma = -E<noise, x> / (d s), s^2 = E|x|^2 / d, see `flow.strength`.
    """

    part: Part
    dimension: int
    group_size: int
    gamma: float
    """Of what training draws: with a rarity power, rare positions more often."""
    error: float
    """Its standard error, from the spread of groups."""
    even: float
    """Of positions drawn evenly and of variance 1 along each axis; NaN for images."""
    gaussian: float
    """Of standard Gaussian data of this dimension."""
    gaussian_error: float
    most: float
    """What no coupling of these data in groups of this size can exceed, in closed form."""
    spread: float
    """s of what training draws."""


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One small flow: its field, and its scores on the test images."""

    part: Part
    dimension: int
    group_size: int
    """0 for independent pairs, which have no groups."""
    coupling: Coupling
    seed: int
    slope: float
    """E<v(x, 0) + x, x> / E|x|^2 over what training draws; a perfect field has -gamma / s."""
    departure: float
    """sqrt(E|v(x, 0) + x|^2 / E|x|^2): how far the field at t = 0 is from -x, as a share of |x|."""
    depth_start: float
    """Depth of the well at t = 0, as `studies.well.well_depth` has it."""
    depth: float
    """The same at the time at which it is deepest."""
    straightness: float
    """Mean over normals and times of the cosine of the velocity with the line from start to end."""
    bend: float
    """Mean over normals and times of |v - (x_1 - x_0)|^2 / d; 0 for straight paths."""


@dataclass(frozen=True, slots=True)
class CouplingStudy:
    """Answer of the study. F flows, M = len(STEPS) * len(SCORED) numbers of each, R resamples of the test images.

    The numbers stand step by step: one step AUROC, one step AUPRO, four steps AUROC, four steps AUPRO. NaN: undefined.
    """

    strengths: tuple[Strength, ...]
    flows: tuple[FlowRow, ...]
    values: np.ndarray
    """float64 (F, M)"""
    drawn: np.ndarray
    """float32 (F, M, R): the same on resampled test images, the same resamples for every flow."""
    before: np.ndarray
    """float64 (D, 2): image AUROC and AUPRO of the norm before the flow in each of `dimensions`."""
    dimensions: tuple[int, ...]
    """Of the positions, rising; the last has all components."""
    group_sizes: tuple[int, ...]
    own_group: int
    """Size of the groups that the run was trained with, or of whole images where it pairs those."""
    own_part: Part
    image_dimension: int
    """Values of a whole grid; 0 where whole grids were not studied."""
    image_group: int
    grid: tuple[int, int]
    """Grid of the run's features, before whole grids are averaged to 8 x 8."""
    n_images: int
    """Test images that were scored, and how many of them are defective."""
    n_defective: int
    n_tested: int
    """Test images of the run."""
    is_full: bool
    n_seeds: int
    iterations: int
    width: int
    n_positions: int
    """Training positions that the flows learned from."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Level:
    """A metric under a coupling, mean over seeds. group_size: as in FlowRow."""

    part: Part
    dimension: int
    group_size: int
    coupling: Coupling
    key: str
    """One of SCORED."""
    steps: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Effect(Level):
    """How much higher a metric is under a coupling than under the independent one."""

    is_blind: bool
    """The independent flows find no defects there: their own metric is not above chance by more than its interval."""


@dataclass(frozen=True, slots=True)
class FieldPoint:
    """One flow against its closed forms. opposed: its gamma, below 0 for the optimal coupling, 0 for the independent
    one.
    """

    part: Part
    dimension: int
    group_size: int
    coupling: Coupling
    seed: int
    opposed: float
    turned: float
    """-slope * s: a perfect field has `opposed`."""
    departure: float
    """departure * s: at least |turned|."""
    depth: float
    """Depth of the well at t = 0 over that of the independent flow of the same seed; Gaussian data: 1 + opposed."""
    bend: float
    """Gaussian data: `flow.strength.gaussian_bend` of -opposed."""


@dataclass(frozen=True, slots=True)
class CouplingFigures:
    """What the figures of a study show."""

    strengths: tuple[Strength, ...]
    effects: tuple[Effect, ...]
    levels: tuple[Level, ...]
    before: np.ndarray
    """(D, 2) as in CouplingStudy."""
    points: tuple[FieldPoint, ...]
    gaussian: np.ndarray
    """(3, G): opposed, and depth and bend of Gaussian data there."""
    dimensions: tuple[int, ...]
    group_sizes: tuple[int, ...]
    own: tuple[Part, int, int]
    """Part, dimension and group size of the run itself."""
    own_group: int
    """Group size of positions at which dimensions are compared."""
