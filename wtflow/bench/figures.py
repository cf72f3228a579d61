"""A measured figure and the floor that it is compared with, both taken in the same run, in turn."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from wtflow.machine.turns import interleaved

__all__ = ["Figure", "Spread", "Target", "interleaved", "milliseconds", "per_second"]


@dataclass(frozen=True, slots=True)
class Spread:
    """One quantity measured several times."""

    median: float
    low: float
    high: float
    repeats: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Median, lowest and highest of at least one value."""
        return cls(statistics.median(values), min(values), max(values), len(values))


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should reach: a bound on its own median or on its ratio to the floor."""

    of: Literal["value", "ratio"]
    bound: Literal["at least", "at most"]
    limit: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the bench. `floor` is in the same unit; None where there is none, as for a correlation."""

    part: str
    name: str
    unit: str
    value: Spread
    floor_name: str = ""
    floor: Spread | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """Median of the value over median of the floor."""
        return self.value.median / self.floor.median if self.floor is not None and self.floor.median else None

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        found = self.value.median if self.target is not None and self.target.of == "value" else self.ratio
        if self.target is None or found is None:
            return None
        return found >= self.target.limit if self.target.bound == "at least" else found <= self.target.limit

    def to_json(self) -> dict[str, Any]:
        """Plain values. `low` and `high` are the extremes of the repeats."""

        def plain(spread: Spread) -> dict[str, float | int]:
            return {"median": spread.median, "low": spread.low, "high": spread.high, "repeats": spread.repeats}

        target = (
            None
            if self.target is None
            else {"of": self.target.of, "bound": self.target.bound, "limit": self.target.limit}
        )
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "value": plain(self.value),
            "floor": None if self.floor is None else {"name": self.floor_name, **plain(self.floor)},
            "ratio": self.ratio,
            "target": target,
            "is_met": self.is_met,
        }


def milliseconds(seconds: Sequence[float], n: int = 1) -> Spread:
    """Milliseconds for each of n things, when each of these times is for all n."""
    return Spread.of([1e3 * value / n for value in seconds])


def per_second(seconds: Sequence[float], n: int) -> Spread:
    """Things per second, when n were done in each of these times."""
    return Spread.of([n / value for value in seconds])
