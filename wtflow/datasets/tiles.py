"""What images are resized to where they are cut into tiles: a canvas on which a tile has the run's image size.

The canvas has the shape of most training images, so that a strip stays a strip. Its sides are multiples of the coarsest
cell that the backbone gives, so that the cells of overlapping squares coincide.
"""

import contextlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from wtflow.config import Settings, limits
from wtflow.datasets.images import read_size
from wtflow.errors import DatasetError, ImageReadError
from wtflow.records.shapes import Shape
from wtflow.records.spacing import spaced

MOST_PIXELS = 2**23
"""Pixels of a canvas at most. One image's features then take some 120 MB in preset fast, and scoring it twice to four
times as much.
"""
N_LOOKED_AT = 9
"""Images whose shape is read before training, only to estimate."""


def usual_shape(paths: Iterable[Path]) -> Shape:
    """(height, width) of at least half of these images, at least one; without such a shape, the middle height and the
    middle width. Raises ImageReadError.
    """
    return _usual([read_size(path) for path in paths])


def quick_shape(paths: Sequence[Path]) -> Shape | None:
    """The same by a look at a few of them, for an estimate or an offer; None where none of these can be read."""
    shapes = []
    for i in spaced(len(paths), N_LOOKED_AT) if paths else ():
        with contextlib.suppress(ImageReadError):
            shapes.append(read_size(paths[int(i)]))
    return _usual(shapes) if shapes else None


def _usual(shapes: list[Shape]) -> Shape:
    counted = Counter(shapes)
    most = max(counted, key=lambda shape: (counted[shape], shape[0] * shape[1], shape))
    if 2 * counted[most] >= len(shapes):
        return most
    height, width = (sorted(lengths)[len(shapes) // 2] for lengths in zip(*shapes, strict=True))
    return height, width


def canvas_of(shape: Shape, settings: Settings) -> Shape:
    """The canvas of images of this (height, width). Raises DatasetError for tiles that do not fit into them, or
    that are so small that the canvas would be absurdly large.
    """
    shorter = min(shape)
    tile = shorter if settings.tile == "side" else int(settings.tile)
    if tile > shorter:
        raise DatasetError(
            f"Tiles of {tile} px do not fit into images of {shape[1]} x {shape[0]} px.",
            fix=f"Use --tile alone for squares of the shorter side ({shorter} px), or give a smaller number.",
        )
    side, cell = settings.image_size, settings.coarsest_cell
    height, width = (max(side, round(length * side / tile / cell) * cell) for length in shape)
    if height * width > MOST_PIXELS:
        # A little more or less than would just do, because sides are rounded to whole cells.
        excess = 1.02 * math.sqrt(shape[0] * shape[1] / MOST_PIXELS) * side / tile
        ways = [f"tiles of {math.ceil(tile * excess)} px or more"] if tile * excess <= shorter else []
        smaller = int(side / excess / cell) * cell
        ways += [f"an image size of {smaller} px or less (--size)"] if smaller >= (limits("image_size")[0] or 0) else []
        raise DatasetError(
            f"With tiles of {tile} px at {side} px, images of {shape[1]} x {shape[0]} px grow to {width} x {height} px;"
            f" at most {MOST_PIXELS / 1e6:.1f} million pixels are taken.",
            fix=f"Use {' or '.join(ways)}." if ways else "Cut the images into shorter ones first.",
        )
    return height, width


def quick_canvas(shape: Shape | None, settings: Settings) -> Shape | None:
    """The canvas of images of the shape that `quick_shape` found; None without tiles or images. Raises as `canvas_of`
    does.
    """
    return None if settings.tile == "off" or shape is None else canvas_of(shape, settings)


def map_side(canvas: Shape | None, settings: Settings) -> int:
    """The side of a square with as many pixels as a run's maps: the image size, but with tiles."""
    return settings.image_size if canvas is None else math.isqrt(canvas[0] * canvas[1])


def starts_of(length: int, side: int, overlap: float, cell: int) -> tuple[int, ...]:
    """Where squares of this side begin along a canvas of this length, in pixels: as few as overlap by at least the
    share `overlap` of their side, evenly spread, the first at 0, the last at the end.

    length and side are multiples of `cell`, and so is every start.
    """
    most = max(1, int(side * (1 - overlap) / cell + 1e-9))
    left = max(0, length - side) // cell
    n = -(-left // most)
    return tuple(i * left // n * cell for i in range(n + 1)) if n else (0,)


def n_tiles(settings: Settings, canvas: Shape) -> int:
    """Squares that a canvas is cut into."""
    rows, columns = (
        starts_of(length, settings.image_size, settings.tile_overlap, settings.coarsest_cell) for length in canvas
    )
    return len(rows) * len(columns)
