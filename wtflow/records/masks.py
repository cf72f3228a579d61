"""What is known of the masks of a category, and how they are read."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Role = Literal["normal", "defect", "left out", "between", "unclear"]
SaidBy = Literal["app", "person", "layout"]


@dataclass(frozen=True, slots=True)
class MaskValue:
    """One value that masks of a category hold. words: as people type it, such as 255 or #ff0000."""

    words: str
    n_masks: int
    share: float
    """Of all pixels of all masks."""
    role: Role


@dataclass(frozen=True, slots=True)
class MaskDecision:
    """How the masks of a category are read, and what that rests on. Nothing that is in doubt is read."""

    rule: str
    """As people type it, explicit; empty where no mask is read."""
    said_by: SaidBy
    n_masks: int = 0
    """Masks that could be opened."""
    values: tuple[MaskValue, ...] = ()
    """The most frequent first, at most `MOST_VALUES`."""
    n_values: int = 0
    share_between: float = 0.0
    """Share of the pixels whose level lies between normal and defect, as at smoothed edges."""
    reason: str = ""
    """Why no mask is read; empty where masks are read."""
    doubtful: dict[str, str] = field(default_factory=dict)
    """Defect type -> why its masks are not read though others are."""
    suggestions: tuple[str, ...] = ()
    """Rules that a person may have meant, the likeliest first."""

    @property
    def is_clear(self) -> bool:
        return not self.reason and not self.doubtful


ROUNDING = 1e-9
"""A region of exactly one pixel is not smaller than one."""


def decision_of(facts: Mapping[str, Any]) -> MaskDecision | None:
    """How a run's metrics.json says that masks were read. None for runs of 0.3.0 and earlier, and where what is written
    there is not understood: nothing else of the run depends on it.
    """
    found = facts.get("masks")
    if not isinstance(found, Mapping):
        return None
    known = {one.name: found[one.name] for one in fields(MaskDecision) if one.name in found}
    try:
        values = tuple(MaskValue(**value) for value in known.get("values", ()))
        return MaskDecision(**known | {"values": values, "suggestions": tuple(known.get("suggestions", ()))})
    except TypeError:
        return None


@dataclass(frozen=True, slots=True)
class RegionSizes:
    """How many regions the masks have, and how many are smaller than a pixel of the map at a size."""

    n: int
    n_small: int
    size_px: int
    size_for_all: int
    """The smallest image size at which none is smaller than a pixel."""
    sides: tuple[float, ...] = field(default=(), repr=False)
    """Of each region: the size at which it is exactly one pixel. Rising."""

    @property
    def facts(self) -> dict[str, int]:
        """For --json."""
        return {"n": self.n, "n_small": self.n_small, "size_px": self.size_px, "size_for_all": self.size_for_all}

    def at(self, size_px: int) -> "RegionSizes":
        """The same regions at another size of the map."""
        n_small = len(self.sides) - bisect_right(self.sides, size_px * (1 + ROUNDING))
        return replace(self, n_small=n_small, size_px=size_px)


MOST_VALUES = 12
