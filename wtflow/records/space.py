"""What is to be deleted to make room, and what is kept for which reason. Plain values."""

from dataclasses import dataclass
from typing import Literal

Reason = Literal["notes", "threshold", "archived", "inspections", "exports", "what-ifs", "sweep"]
"""Why a run that is not the best is kept, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Spare:
    """A run that may go. n_bytes: what is won. value: of the metric. better: runs that are kept instead."""

    run_id: str
    title: str
    n_bytes: int
    value: float | None = None
    better: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that stays, and why, in a few words."""

    run_id: str
    title: str
    why: str
    reason: Reason | None = None
    """None: it stays whatever is said."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one deletion would remove. Nothing has happened yet."""

    what: Literal["derived", "runs"]
    spare: tuple[Spare, ...]
    kept: tuple[Kept, ...] = ()
    n_best: int = 1
    metric: str = "image_auroc"
    even: tuple[Reason, ...] = ()
    """Runs with these are deleted as well."""

    @property
    def n_bytes(self) -> int:
        return sum(one.n_bytes for one in self.spare)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was removed, and what turned out to be in use meanwhile."""

    run_ids: tuple[str, ...]
    n_bytes: int
    refused: tuple[Kept, ...]
