"""What a coupling changes, with intervals that cover other test images and other trainings. NumPy, no torch.

Flows of one seed differ in the coupling alone: first weights, data, noise and times are the same. So differences are
taken seed by seed and averaged. Their variance has two parts, which add up: that of the mean over resampled test images
(the same for both couplings), and that of the mean over seeds. The interval is Student's with the degrees of freedom of
Welch and Satterthwaite, in which resampled images count as many and S seeds as S - 1.

Sources: Satterthwaite, *An approximate distribution of estimates of variance components*, 1946; Welch 1947. Their use
here is ours.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import t as student

from wtflow.compare.intervals import CONFIDENCE
from wtflow.config import Coupling
from wtflow.flow.strength import gaussian_bend
from wtflow.metrics import FPR_LIMIT
from wtflow.records.compare import Interval
from wtflow.records.coupling import (
    SCORED,
    STEPS,
    CouplingFigures,
    CouplingStudy,
    Effect,
    FieldPoint,
    FlowRow,
    Level,
    Part,
    Strength,
)

PARTS: Final[tuple[Part, ...]] = ("positions", "images")
GROUPED: Final[tuple[Coupling, ...]] = ("worst", "optimal")
OWN_STEPS: Final = STEPS[-1]


class Cell(NamedTuple):
    """What is compared: a coupling at one dimension and group size."""

    part: Part
    dimension: int
    group_size: int
    coupling: Coupling


def own_cell(study: CouplingStudy, coupling: Coupling = "worst") -> Cell:
    """All components in the run's own groups; whole grids where the run pairs those."""
    if study.own_part == "images":
        return Cell("images", study.image_dimension, study.image_group, coupling)
    return Cell("positions", study.dimensions[-1], study.own_group, coupling)


def cells_of(study: CouplingStudy, part: Part, coupling: Coupling) -> tuple[Cell, ...]:
    """The cells with flows, by rising dimension and group size."""
    found = {(row.dimension, row.group_size) for row in study.flows if row.part == part and row.coupling == coupling}
    return tuple(Cell(part, d, n, coupling) for d, n in sorted(found))


def strength_at(study: CouplingStudy, cell: Cell) -> Strength:
    """The worst coupling's strength at a cell. Raises StopIteration for one that was not measured."""
    return next(
        one
        for one in study.strengths
        if (one.part, one.dimension, one.group_size) == (cell.part, cell.dimension, cell.group_size)
    )


def effect(study: CouplingStudy, cell: Cell, key: str, steps: int = OWN_STEPS) -> Interval | None:
    """How much higher a metric is under the cell's coupling than under the independent one; None where undefined."""
    column = STEPS.index(steps) * len(SCORED) + SCORED.index(key)
    pairs = _pairs(study, cell)
    if not pairs:
        return None
    mine, other = (np.array(rows) for rows in zip(*pairs, strict=True))
    values = study.values[mine, column] - study.values[other, column]
    drawn = study.drawn[mine, column].astype(np.float64) - study.drawn[other, column]
    return interval_of(values, drawn)


def level(study: CouplingStudy, cell: Cell, key: str, steps: int = OWN_STEPS) -> Interval | None:
    """A metric under the cell's coupling, mean over seeds, with its interval as far as metrics reach, 0 to 1; None
    where undefined. Independent flows: group size 0.
    """
    column = STEPS.index(steps) * len(SCORED) + SCORED.index(key)
    rows = [i for i, row in enumerate(study.flows) if _is_at(row, cell)]
    found = interval_of(study.values[rows, column], study.drawn[rows, column].astype(np.float64)) if rows else None
    return None if found is None else Interval(found.value, max(found.low, 0.0), min(found.high, 1.0))


CHANCE_LEVEL: Final = {"image_auroc": 0.5, "aupro": FPR_LIMIT / 2}
"""What scores without any knowledge reach on average."""


def finds_defects(study: CouplingStudy, cell: Cell, key: str, steps: int = OWN_STEPS) -> bool:
    """Whether the independent flows of a cell's dimension are better than chance by more than their interval: below,
    a change says nothing about finding defects.
    """
    found = level(study, Cell(cell.part, cell.dimension, 0, "independent"), key, steps)
    return found is not None and found.low > CHANCE_LEVEL[key]


def interval_of(values: np.ndarray, drawn: np.ndarray, confidence: float = CONFIDENCE) -> Interval | None:
    """The mean over seeds of values (S,) with its interval; drawn (S, R): the same on resampled images. None where a
    value is undefined.
    """
    if not np.isfinite(values).all():
        return None
    value = float(values.mean())
    of_images = float(drawn.mean(0).var())
    of_seeds = float(values.var(ddof=1) / len(values)) if len(values) > 1 else 0.0
    variance = of_images + of_seeds
    if variance == 0:
        return Interval(value, value, value)
    freedom = (len(values) - 1) * (variance / of_seeds) ** 2 if of_seeds else np.inf
    half = float(student.ppf((1 + confidence) / 2, freedom)) * variance**0.5
    return Interval(value, value - half, value + half)


def figures_of(study: CouplingStudy) -> CouplingFigures:
    """What the figures show."""
    own = own_cell(study)
    opposed = np.linspace(-0.95, 0.95, 77)
    return CouplingFigures(
        strengths=study.strengths,
        effects=tuple(_effects(study)),
        levels=tuple(_levels(study)),
        before=study.before,
        points=tuple(_points(study)),
        gaussian=np.stack([opposed, 1 + opposed, gaussian_bend(-opposed)]),
        dimensions=study.dimensions,
        group_sizes=study.group_sizes,
        own=(own.part, own.dimension, own.group_size),
        own_group=study.own_group,
    )


def _effects(study: CouplingStudy) -> Iterator[Effect]:
    for part, coupling in product(PARTS, GROUPED):
        for cell, key, steps in product(cells_of(study, part, coupling), SCORED, STEPS):
            if (interval := effect(study, cell, key, steps)) is not None:
                yield Effect(*cell, key, steps, interval, is_blind=not finds_defects(study, cell, key, steps))


def _levels(study: CouplingStudy) -> Iterator[Level]:
    for cell in dict.fromkeys(Cell(row.part, row.dimension, row.group_size, row.coupling) for row in study.flows):
        for key, steps in product(SCORED, STEPS):
            if (interval := level(study, cell, key, steps)) is not None:
                yield Level(*cell, key, steps, interval)


def _points(study: CouplingStudy) -> Iterator[FieldPoint]:
    """Flows with groups, and the independent ones, which every group size shares, once."""
    apart = {(row.part, row.dimension, row.seed): row for row in study.flows if row.coupling == "independent"}
    spread = {(one.part, one.dimension): one.spread for one in study.strengths}
    for row in study.flows:
        cell = Cell(row.part, row.dimension, row.group_size, row.coupling)
        sign = {"worst": 1.0, "optimal": -1.0}.get(row.coupling, 0.0)
        opposed = sign * strength_at(study, cell).gamma if sign else 0.0
        s = spread[row.part, row.dimension]
        depth = row.depth_start / apart[row.part, row.dimension, row.seed].depth_start
        yield FieldPoint(*cell, row.seed, opposed, -row.slope * s, row.departure * s, depth, row.bend)


def _pairs(study: CouplingStudy, cell: Cell) -> list[tuple[int, int]]:
    """Places of the flows of a cell and of the independent flows of the same seeds."""
    apart = {
        row.seed: i
        for i, row in enumerate(study.flows)
        if (row.part, row.dimension, row.coupling) == (cell.part, cell.dimension, "independent")
    }
    return [(i, apart[row.seed]) for i, row in enumerate(study.flows) if _is_at(row, cell)]


def _is_at(row: FlowRow, cell: Cell) -> bool:
    return (row.part, row.dimension, row.group_size, row.coupling) == cell
