"""The values of a mask's pixels as a person would name them: grey levels, numbers of a palette, colours."""

from dataclasses import dataclass

import numpy as np

from wtflow.datasets.decode import Stored
from wtflow.errors import ImageReadError
from wtflow.records.mask_rule import COLOUR


@dataclass(frozen=True, slots=True)
class MaskPixels:
    """The values of one mask, int32 (H, W). top: the highest value that its file can hold; is_grey: levels of
    brightness, so that a value may lie between two others."""

    values: np.ndarray
    top: int
    is_grey: bool


def mask_pixels(stored: Stored, *, alpha: bool) -> MaskPixels:
    """What a mask's file holds: its transparency where `alpha` is asked for; the number in the palette where the
    palette has colours or shows two numbers alike (segmentation tools number classes so); grey levels; else colours as
    COLOUR + 0xRRGGBB, and black as 0.

    Raises ImageReadError where there is no transparency to read.
    """
    if alpha:
        if stored.alpha is None:
            raise ImageReadError(
                "has no transparency, but masks are to be read from it.",
                fix="Take `alpha` out of the rule for masks, or save the mask with its transparency.",
            )
        return MaskPixels(stored.alpha.astype(np.int32), stored.white, True)
    colour = stored.colour
    if colour.ndim == 2:
        return MaskPixels(colour.astype(np.int32), stored.white, True)
    is_grey = bool((colour[..., :1] == colour[..., 1:]).all())
    if stored.index is not None and not (is_grey and _n_different(stored.index) == _n_different(colour[..., 0])):
        return MaskPixels(stored.index.astype(np.int32), 255, False)
    if is_grey:
        return MaskPixels(colour[..., 0].astype(np.int32), stored.white, True)
    eight = (colour >> 8 if stored.white > 255 else colour).astype(np.int32)
    packed = (eight[..., 0] << 16) + (eight[..., 1] << 8) + eight[..., 2]
    return MaskPixels(np.where(packed == 0, 0, COLOUR + packed).astype(np.int32), 255, False)


def seen_through(stored: Stored) -> np.ndarray | None:
    """bool (H, W): where anything is to be seen, None where nothing is transparent."""
    if stored.alpha is None or (stored.alpha == stored.white).all():
        return None
    return stored.alpha > 0


def _n_different(values: np.ndarray) -> int:
    return len(np.unique(values))
