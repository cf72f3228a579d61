"""What values the masks of a category hold: counted mask by mask, one in memory at a time."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from wtflow.datasets.decode import Stored
from wtflow.datasets.masks.values import MaskPixels, mask_pixels, seen_through

MOST_DIFFERENT = 4096
"""A mask with more different values is a picture; its rarer values are not kept."""
NEAR_PX, RINGING_PX = 4, 16
"""How far from the border of a defect smoothing reaches, and how far the faint ringing of JPEG: two of its blocks."""
MOST_BETWEEN = 0.5
"""A mask of which more lies between the levels is no mask with smooth edges but a picture of levels."""
MOST_OF_ONE_LEVEL = 0.6
"""Of the pixels between, where edges are smooth, no single level has more."""
FEWEST_BRIGHT = 0.01
"""And at least this share of them is not faint."""
FAINT = 0.15
"""A level within this share of black or of the highest level may be ringing."""


@dataclass(frozen=True, slots=True)
class OneMask:
    """Counts of one mask."""

    defect: str
    counts: dict[int, int]
    n_pixels: int
    is_soft: bool
    """Its levels between 0 and the highest lie along the border between dark and bright, as smoothing leaves them."""
    hides: bool
    """Something is transparent, and the colours alone do not say the same as the transparency."""


@dataclass(slots=True)
class Survey:
    """The counts of all masks of a category that could be opened."""

    masks: list[OneMask] = field(default_factory=list)

    def add(self, stored: Stored, defect: str, *, alpha: bool) -> OneMask:
        """Count a mask of a defect type, and return its counts. Raises ImageReadError as `mask_pixels`."""
        pixels = mask_pixels(stored, alpha=alpha)
        found, n = np.unique(pixels.values, return_counts=True)
        order = np.argsort(-n, kind="stable")[:MOST_DIFFERENT]
        seen = None if alpha else seen_through(stored)
        mask = OneMask(
            defect,
            {int(found[i]): int(n[i]) for i in order},
            pixels.values.size,
            len(found) > 2 and _is_soft(pixels),
            seen is not None and bool(((pixels.values > 0) != seen).any()),
        )
        self.masks.append(mask)
        return mask

    @property
    def counts(self) -> Counter[int]:
        """value -> pixels, over all masks."""
        total: Counter[int] = Counter()
        for mask in self.masks:
            total.update(mask.counts)
        return total

    @property
    def n_pixels(self) -> int:
        return sum(mask.n_pixels for mask in self.masks)


def _is_soft(pixels: MaskPixels) -> bool:
    """Whether levels between 0 and the highest look like a smoothed border: near it, or faint and not far away."""
    values = pixels.values
    highest = int(values.max())
    if not pixels.is_grey or highest < 0.75 * pixels.top:
        return False
    bright = (2 * values >= highest).astype(np.uint8)
    if bright.all() or not bright.any():
        return False
    is_between = (values > 0) & (values < highest)
    if is_between.mean() > MOST_BETWEEN:
        return False
    if _are_classes(values, is_between, highest):
        return False
    is_faint = is_between & ((values <= FAINT * highest) | (values >= (1 - FAINT) * highest))
    strays = (is_between & ~is_faint & ~_near_border(bright, NEAR_PX)) | (is_faint & ~_near_border(bright, RINGING_PX))
    return int(strays.sum()) <= 0.01 * int(is_between.sum())


def _are_classes(values: np.ndarray, is_between: np.ndarray, highest: int) -> bool:
    """Whether levels between look like numbers of classes below a highest one for "uncertain": one number has most of
    them and fills a square of 3 x 3 pixels, or all are far below the highest. Edges are thin and have mid levels, and
    ringing is on both of their sides.
    """
    between = values[is_between]
    if not len(between):
        return False
    found, n = np.unique(between, return_counts=True)
    if n.max() > MOST_OF_ONE_LEVEL * len(between) and ndimage.minimum_filter(values == found[n.argmax()], 3).any():
        return True
    return float((between > FAINT * highest).mean()) < FEWEST_BRIGHT


def _near_border(bright: np.ndarray, reach_px: int) -> np.ndarray:
    """bool (H, W): pixels with both dark and bright ones in the square of this reach around them."""
    size = 2 * reach_px + 1
    return ndimage.maximum_filter(bright, size) != ndimage.minimum_filter(bright, size)
