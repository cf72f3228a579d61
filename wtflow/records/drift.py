"""How an inspection's images differ from training normals as a whole: numbers with what chance alone would give."""

from dataclasses import dataclass
from typing import Literal

from wtflow.records.compare import Interval

Measure = Literal["brightness", "sharpness", "centre_row", "centre_column", "features", "level"]


@dataclass(frozen=True, slots=True)
class Shift:
    """One measure of the inspected images beside that of training normals."""

    name: Measure
    words: str
    """What has changed in words, such as "darker"; empty where nothing has."""
    now: float
    normals: float
    """Medians, in the unit of the measure; of features both 0, since they are many numbers."""
    difference: Interval
    """Of the medians (95 %); of features their distance in normals' own spreads."""
    spreads: float
    """How far apart in normals' own spreads, 0 or above."""
    by_chance: float
    """What so many normals would reach by chance in about one of a thousand cases, in the same unit."""
    n_beyond: int
    """Inspected images that lie, on the side of the shift, beyond 95 % of the normals."""
    is_changed: bool
    """Beyond chance, and by so much that it matters."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What an inspection tells of camera and light."""

    kind: Literal["too few", "none", "changed"]
    sentence: str
    """For people, with its numbers; empty where nothing has changed."""
    n: int
    """Inspected images that could be read."""
    n_normals: int
    shifts: tuple[Shift, ...] = ()
    above: Interval | None = None
    """Share of images with scores above the 99 % quantile of normals' (Wilson, 95 %); .01 is usual."""
    quantile: float = float("nan")
    """That quantile, of `n_scores` normals."""
    n_scores: int = 0
    psi: float = float("nan")
    """Population stability index over the scores."""
    psi_by_chance: float = float("nan")
    """What so many normals would reach by chance in one of twenty cases."""
    images: tuple[str, ...] = ()
    """Those that show it best, most clearly first."""
