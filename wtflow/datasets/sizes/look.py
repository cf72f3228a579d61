"""A look at the normals that a size is chosen from: how large they are, and how much of their detail each size shows.
Reads training normals alone.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wtflow.config import Settings
from wtflow.datasets.decode import read_image, read_size
from wtflow.datasets.images import to_rgb
from wtflow.datasets.looks import GREY
from wtflow.datasets.sizes.detail import kept_detail, middle
from wtflow.errors import ImageReadError
from wtflow.records.shapes import Shape
from wtflow.records.spacing import spaced

N_SIZES = 64
"""Normals whose own size is read, from the header of their files."""
N_LOOKED_AT = 16
"""Normals whose detail is measured; a look at as many of 512 px takes half a second."""


@dataclass(frozen=True, slots=True)
class NormalsSeen:
    """What a look at the normals found. `own_px`: median of the pixels that become one square's side; None where no
    image could be read. `shown`: size -> share of the detail that the largest size up to `own_px` shows, the median of
    `n_images` normals; 1 where nothing stands out from noise; empty where only one size is that small.
    """

    own_px: int | None
    is_tiled: bool
    n_images: int
    shown: dict[int, float]


def look_at_normals(
    paths: Sequence[Path],
    settings: Settings,
    sizes: Sequence[int],
    progress: Callable[[int, int], None] | None = None,
) -> NormalsSeen:
    """Look at some of the training normals, evenly spaced. Of the settings, `tile` and `background` count.

    sizes: in pixels, rising. progress: called with (images done, images in all). Files that cannot be read are left
    out: the check before training names them.
    """
    is_tiled, sides = settings.tile != "off", []
    for i in spaced(len(paths), N_SIZES) if paths else ():
        with contextlib.suppress(ImageReadError):
            sides.append(min(_whole(read_size(paths[int(i)]), settings)))
    if not sides:
        return NormalsSeen(None, is_tiled, 0, {})
    own_px = int(np.median(sides))
    useful = [size for size in sizes if size <= own_px]
    if len(useful) < 2:
        return NormalsSeen(own_px, is_tiled, 0, {})
    looked_at, shares = spaced(len(paths), N_LOOKED_AT), []
    for done, i in enumerate(looked_at, start=1):
        with contextlib.suppress(ImageReadError):
            image = read_image(paths[int(i)], background=settings.background)
            whole = _whole((image.pixels.shape[0], image.pixels.shape[1]), settings)
            kept = kept_detail(to_rgb(replace(image, pixels=middle(image.pixels)), None) @ GREY, whole, useful)
            shares.append(kept / kept[-1] if kept[-1] > 0 else np.ones(len(useful)))
        if progress is not None:
            progress(done, len(looked_at))
    shown = np.median(shares, axis=0) if shares else np.ones(len(useful))
    by_size = {size: float(share) for size, share in zip(useful, shown, strict=True)}
    return NormalsSeen(own_px, is_tiled, len(shares), by_size)


def _whole(shape: Shape, settings: Settings) -> Shape:
    """(height, width) of what becomes one square, in pixels of the image: the whole image, or a tile of it."""
    if settings.tile == "off":
        return shape
    side = min(shape) if settings.tile == "side" else int(settings.tile)
    return side, side
