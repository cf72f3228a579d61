"""Of how many images the pixel metrics of a run are, and why defective ones are left out. One wording for shell, pages
and report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NO_VALID_MASK = "invalid"
"""Reason of runs of 0.3.0 and earlier, which did not tell reasons apart."""

_WHY = {
    "missing": ("has no mask", "have no mask"),
    "unreadable": ("has a mask that cannot be read", "have masks that cannot be read"),
    "size": ("has a mask of another size", "have masks of another size"),
    "empty": ("has a mask that marks nothing", "have masks that mark nothing"),
    "unclear": ("has a mask whose values are unclear", "have masks whose values are unclear"),
    NO_VALID_MASK: ("has no valid mask", "have no valid mask"),
}
"""Reason -> what one defective image, and what several of them do."""
_OTHERWISE = ("is left out", "are left out")


@dataclass(frozen=True, slots=True)
class PixelImages:
    """n: images that pixel metrics count; n_defects: all defective test images; left_out: reason -> how many of these
    are not counted. None: unknown, of a run of 0.3.0 or earlier whose scores were not opened.
    """

    n: int | None
    n_defects: int | None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def n_left_out(self) -> int:
        return sum(self.left_out.values())

    @property
    def facts(self) -> dict[str, Any]:
        """For --json."""
        return {"n": self.n, "n_defects": self.n_defects, "left_out": dict(self.left_out), "words": self.words}

    @property
    def words(self) -> str:
        """Such as "of 7 images; 4 of 6 defective images have no mask"."""
        n, k = self.n, self.n_left_out
        head = f"of {_images(n)}" if n is not None else "of the test images with a valid mask"
        if not k:
            return head if n is not None else "of all test images"
        total = "" if self.n_defects is None else f" of {self.n_defects}"
        images = f"{k}{total} defective image{'s' * ((self.n_defects or k) != 1)}"
        if len(self.left_out) == 1:
            return f"{head}; {images} {_why(next(iter(self.left_out)), k)}"
        return f"{head}; {images} {'is' if k == 1 else 'are'} left out: {reason_words(self.left_out)}"

    @property
    def short(self) -> str:
        """Such as "7 images, 2 of 6 defects", for the cell of a table; empty where the numbers are unknown."""
        if self.n is None or self.n_defects is None:
            return f"{self.n_left_out} without mask" if self.n_left_out else ""
        return f"{_images(self.n)}, {self.n_defects - self.n_left_out} of {self.n_defects} defects"


def pixel_images_of(facts: Mapping[str, Any], n_test: int | None = None, n_defects: int | None = None) -> PixelImages:
    """What a run's metrics.json says. Runs of 0.3.0 hold the number of defective images left out only; `n_test` and
    `n_defects`, all test images and the defective ones, then give the rest.
    """
    found = facts.get("pixel_images")
    if isinstance(found, Mapping):
        return PixelImages(int(found["n"]), int(found["n_defects"]), {k: n for k, n in found["left_out"].items() if n})
    n_without = int(facts.get("n_without_mask", 0))
    return PixelImages(
        None if n_test is None else n_test - n_without, n_defects, {NO_VALID_MASK: n_without} if n_without else {}
    )


def reason_words(left_out: Mapping[str, int]) -> str:
    """Such as "3 have no mask, 1 has a mask that marks nothing", the most frequent first."""
    reasons = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n} {_why(reason, n)}" for reason, n in reasons)


def _images(n: int) -> str:
    return f"{n} image{'s' * (n != 1)}"


def _why(reason: str, n: int) -> str:
    return _WHY.get(reason, _OTHERWISE)[n > 1]
