"""Pictures of what masks mean: the mask with a colour per value, and the image with the defect and what is left out."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from PIL import Image, ImageColor

from wtflow.plots.pictures import draw_outline, to_uint8
from wtflow.plots.theme import COLOURS
from wtflow.records.mask_rule import COLOUR

Colour = tuple[int, int, int]

TINT: Final = 0.22
"""Opacity of the colour inside the outline, which says on which side of the line the defect is."""
STRIPES: Final = 0.62
"""Opacity of the stripes over what is left out."""
STRIPE_SHARE: Final = 1 / 64
"""Width of a stripe, as a share of the picture's longer side."""
GAP_SHARE: Final = 1 / 48
"""Of the gap between two pictures."""
MOST_COLOURS: Final = 8
"""More different numbers than this are shown as levels of grey."""

_ZERO: Final = (28, 31, 38)
_NUMBERS: Final = ("#E69F00", "#56B4E9", "#CC79A7", "#0B9470", "#F0E442", "#7463E0", "#A65628")


def colours_of(values: Iterable[int]) -> dict[int, Colour]:
    """Value of a mask -> colour to show it in: its own where it is a colour; 0 almost black; a few numbers far apart;
    many numbers as levels of grey.
    """
    numbers = sorted({value for value in values if value < COLOUR})
    colours = {value: _unpacked(value) for value in values if value >= COLOUR}
    if len(numbers) > MOST_COLOURS:
        level = {value: round(40 + 215 * value / max(1, numbers[-1])) for value in numbers}
        return colours | {value: (level[value],) * 3 for value in numbers}
    table = (ImageColor.getrgb(name)[:3] for name in _NUMBERS)
    return colours | {value: _ZERO if value == 0 else next(table, (255, 255, 255)) for value in numbers}


def paint_values(values: np.ndarray, colours: dict[int, Colour], size_px: int) -> np.ndarray:
    """uint8 (h, w, 3), the longer side `size_px`: a mask int (H, W) with the colour of each value."""
    found, index = np.unique(values, return_inverse=True)
    table = np.array([colours.get(int(value), (255, 255, 255)) for value in found], np.uint8)
    return _sized(table[index.reshape(values.shape)], size_px, Image.Resampling.NEAREST)


def paint_truth(image: np.ndarray, marks: tuple[np.ndarray, np.ndarray] | None, size_px: int) -> np.ndarray:
    """uint8 (h, w, 3): a picture with the defect outlined and tinted, and stripes over what is left out.

    image: float in [0, 1] or uint8, (H, W, 3), whose longer side is brought to `size_px` first; marks: (defect,
    ignored), bool of any size each, stretched over it; None: nothing is known of it.
    """
    picture = _sized(to_uint8(image), size_px, Image.Resampling.BICUBIC)
    if marks is None:
        return picture
    defect, ignored = marks
    picture = hatch(picture, ignored)
    if not defect.any():
        return picture
    marked = stretched(defect, picture)
    inside = TINT * marked[..., None]
    tint = np.array(ImageColor.getrgb(COLOURS["truth"])[:3], np.float32)
    return draw_outline(np.rint(picture * (1 - inside) + tint * inside).astype(np.uint8), marked)


def hatch(picture: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """The picture, uint8 (H, W, 3), with black and white stripes over what is left out, bool of any size."""
    if not ignored.any():
        return picture
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width]
    stripe = (x + y) // max(2, round(STRIPE_SHARE * max(height, width))) % 2 * np.float32(255)
    cover = STRIPES * stretched(ignored, picture)
    return np.rint(picture * (1 - cover)[..., None] + (stripe * cover)[..., None]).astype(np.uint8)


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3): two pictures of one height beside each other on a light gap."""
    height = max(left.shape[0], right.shape[0])
    gap = np.full((height, max(2, round(GAP_SHARE * height)), 3), 255, np.uint8)
    padded = [np.pad(one, ((0, height - one.shape[0]), (0, 0), (0, 0)), constant_values=255) for one in (left, right)]
    return np.concatenate([padded[0], gap, padded[1]], axis=1)


def stretched(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """bool (H, W): a mask stretched over a picture (H, W, 3) without blurring; a part that is thinner than a pixel of
    it still shows.
    """
    height, width = picture.shape[:2]
    if mask.shape == (height, width):
        return mask
    shrinks = mask.shape[0] > height or mask.shape[1] > width
    how = Image.Resampling.BOX if shrinks else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize((width, height), how)) > 0


def _sized(picture: np.ndarray, size_px: int, how: Image.Resampling) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = size_px / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if factor < 1 and how is not Image.Resampling.NEAREST:
        how = Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture).resize(size, how))


def _unpacked(value: int) -> Colour:
    packed = value - COLOUR
    return packed >> 16, packed >> 8 & 255, packed & 255
