"""The table of a sweep: categories by settings, what is best where, and what each setting changes. Plain values."""

from dataclasses import dataclass

from wtflow.records.compare import Interval


@dataclass(frozen=True, slots=True)
class TableCell:
    """A category at one combination of settings. mean and deviation: over its seeds; None without a finished run, the
    deviation also with a single one. is_best: better than every other of its row beyond chance.
    """

    mean: float | None = None
    deviation: float | None = None
    n_seeds: int = 0
    is_best: bool = False
    run_ids: tuple[str, ...] = ()
    seconds: float | None = None
    """Mean of a run, without computing features, which runs share."""
    memory_mib: float | None = None
    """The most that one of its runs held."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """root: only where another category of the sweep has the same name."""

    category: str
    cells: tuple[TableCell, ...]
    root: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a value of a setting changes against the first value, in cells that differ in it alone."""

    setting: str
    value: str
    reference: str
    change: float
    interval: Interval | None
    """None where there are too few to tell how certain the change is."""
    n_pairs: int
    n_categories: int
    n_seeds: int

    @property
    def is_clear(self) -> bool:
        return self.interval is not None and not self.interval.holds_zero


@dataclass(frozen=True, slots=True)
class SweepTable:
    """One metric of a sweep. `columns`: combinations in words; `means`, `ranks`: over the `n_whole` categories of which
    every column has a run.
    """

    name: str
    metric: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    means: TableRow | None
    ranks: tuple[float, ...]
    effects: tuple[Effect, ...]
    n_whole: int
    n_finished: int
    n_all: int
    seeds: tuple[int, ...]
    foot: str
    """Date, version, and fingerprint of the data."""
    notes: tuple[str, ...] = ()
