"""How the image size of a run was chosen where nobody gave one, in figures and in sentences."""

from dataclasses import dataclass
from typing import Literal

from wtflow import numbers

Why = Literal["only", "unread", "own", "detail", "most", "time"]
"""What held the size back: there is no other; no normal could be read; the normals' own size; the detail that they
show; the largest that is chosen unasked; the time.
"""


@dataclass(frozen=True, slots=True)
class SizeCost:
    """What a size takes and gives. `seconds`: of the whole job, as expected before it. `shown`: share of the normals'
    detail, of what the largest useful size shows; None where it was not measured.
    """

    size_px: int
    seconds: float
    shown: float | None = None


@dataclass(frozen=True, slots=True)
class SizeChoice:
    """A size that was chosen from normals and time alone, with what it was chosen from."""

    size_px: int
    why: Why
    useful_px: int
    """What would have been chosen with all the time in the world."""
    own_px: int | None
    """Median of the pixels that become one square's side: of the shorter side, or of a tile; None if none was read."""
    is_tiled: bool
    n_images: int
    """Normals whose detail was measured."""
    longest_s: float
    """Seconds that the whole job was allowed to take."""
    costs: tuple[SizeCost, ...]
    """By size, rising."""
    smaller: tuple[int, ...] = ()
    """At these sizes images are seen as well."""

    @property
    def cost(self) -> SizeCost:
        """Of the size that was chosen."""
        return next(one for one in self.costs if one.size_px == self.size_px)

    @property
    def next_larger(self) -> SizeCost | None:
        return next((one for one in self.costs if one.size_px > self.size_px), None)

    @property
    def reason(self) -> str:
        """Why this size, in a sentence with its numbers."""
        match self.why:
            case "only":
                return "no other can be had with these settings"
            case "unread":
                return "the smallest that is chosen unasked, because no normal image could be read"
            case "own":
                return self._own_words
            case "most":
                return f"the largest that is chosen unasked{self._lost_before}"
            case "detail":
                if self.cost.shown is not None and self.cost.shown > 0.9995:
                    return "no larger size shows more of the normals' detail"
                most = max(one.size_px for one in self.costs if one.shown is not None)
                return f"it shows {numbers.percent(self.cost.shown)} of the normals' detail that {most} px would show"
            case "time":
                useful = next(one for one in self.costs if one.size_px == self.useful_px)
                return (
                    f"{useful.size_px} px would show more, but is expected to take {numbers.duration(useful.seconds)},"
                    f" and {numbers.duration(self.longest_s)} are allowed"
                )

    @property
    def also(self) -> str:
        """At which smaller sizes images are seen as well, and why, in a sentence after a space; empty without any."""
        listed = " and ".join(f"{size} px" for size in self.smaller)
        return f" Images are seen at {listed} as well, so that large defects show, too." if listed else ""

    @property
    def price(self) -> str:
        """What it takes, and what the next larger would, in a sentence."""
        price, larger = f"Expected time: about {numbers.duration(self.cost.seconds)}", self.next_larger
        if self.cost.seconds > self.longest_s:
            price += (
                f" (more than the {numbers.duration(self.longest_s)} allowed, but nothing smaller is chosen unasked)"
            )
        return f"{price}; {larger.size_px} px: about {numbers.duration(larger.seconds)}." if larger else f"{price}."

    @property
    def chosen(self) -> str:
        """The size and why, for a run that has it."""
        return f"{self.size_px} px (auto): {self.reason}.{self.also}"

    @property
    def words(self) -> str:
        """All of it, before a run."""
        return f"{self.chosen} {self.price}"

    @property
    def _own_words(self) -> str:
        what = "tiles have" if self.is_tiled else "the normals have"
        where = "of their own" if self.is_tiled else "on their shorter side"
        if self.own_px is not None and self.own_px < self.size_px:
            return f"the smallest that is chosen unasked; {what} {self.own_px} px {where}"
        return f"{what} {self.own_px} px {where}, and enlarging shows nothing more{self._lost_before}"

    @property
    def _lost_before(self) -> str:
        """What the next smaller size would lose; nothing where that was not measured."""
        smaller = [one for one in self.costs if one.size_px < self.size_px and one.shown is not None]
        if not smaller or smaller[-1].shown is None:
            return ""
        return f"; {smaller[-1].size_px} px would lose {numbers.percent(1 - smaller[-1].shown)} of the normals' detail"
