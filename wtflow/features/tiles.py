"""A canvas cut into squares that overlap, and the squares' features joined into one grid without seams. Ours,
METHOD 7.

At the border of a square the backbone sees padding instead of what lies beyond. So a square counts less the nearer its
border is: in an overlap its weight falls linearly to nothing while its neighbour's rises. Squares begin at multiples of
the coarsest cell: then the cells of overlapping squares lie on one another.
"""

import functools
from collections.abc import Callable
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from wtflow.datasets.tiles import starts_of

AT_ONCE = 4
"""Squares per forward pass of one core of a CPU: as many as images without tiles."""
AT_ONCE_ON_GPU = 32


@functools.lru_cache(maxsize=32)
def weights_along(starts: tuple[int, ...], side: int) -> np.ndarray:
    """How much each of T squares counts at each of its cells along an axis, float32 (T, side); starts and side in
    cells. At every cell the weights of all squares sum to 1.

    A weight falls linearly over an overlap, by the distance of cell centres; at the ends of the canvas it does not
    fall.
    """
    weights, at = np.ones((len(starts), side)), np.arange(side) + 0.5
    for i, (first, second) in enumerate(zip(starts, starts[1:], strict=False)):
        shared = max(first + side - second, 1e-9)
        weights[i] = np.minimum(weights[i], (side - at) / shared)
        weights[i + 1] = np.minimum(weights[i + 1], at / shared)
    total = np.zeros(starts[-1] + side)
    for start, own in zip(starts, weights, strict=True):
        total[start : start + side] += own
    for start, own in zip(starts, weights, strict=True):
        own /= total[start : start + side]  # where squares overlap by more than half, three meet
    found = weights.astype(np.float32)
    found.flags.writeable = False
    return found


def joined_grids(
    images: Tensor, side: int, overlap: float, cell: int, grids_of: Callable[[Tensor], Tensor], at_once: int
) -> Tensor:
    """Features (B, C, h, w) float32 of canvases (B, 3, H, W) whose sides are multiples of `cell`.

    grids_of: features (n, C, s, s) of squares (n, 3, side, side), asked for at most `at_once` at a time. Raises
    ValueError where a cell of those is no whole number of pixels, or `cell` no whole number of them.
    """
    rows, columns = (starts_of(length, side, overlap, cell) for length in images.shape[2:])
    places = [(b, r, c) for b in range(len(images)) for r in range(len(rows)) for c in range(len(columns))]

    def computed(first: int) -> Tensor:
        cut = [
            images[b, :, rows[r] : rows[r] + side, columns[c] : columns[c] + side]
            for b, r, c in places[first : first + at_once]
        ]
        return grids_of(torch.stack(cut))

    begun = computed(0)
    pitch = _pitch_of(begun, side, cell)
    tops, lefts = (tuple(start // pitch for start in starts) for starts in (rows, columns))
    down, across = (weights_along(starts, side // pitch) for starts in (tops, lefts))
    weights = torch.from_numpy(down[:, None, :, None] * across[None, :, None, :]).to(begun.device)
    joined = begun.new_zeros(len(images), begun.shape[1], images.shape[2] // pitch, images.shape[3] // pitch)
    rest = (computed(first) for first in range(at_once, len(places), at_once))
    for (b, r, c), grid in zip(places, chain.from_iterable(chain([begun], rest)), strict=True):
        place = np.s_[b, :, tops[r] : tops[r] + side // pitch, lefts[c] : lefts[c] + side // pitch]
        joined[place] += grid * weights[r, c]
    return joined


def _pitch_of(grids: Tensor, side: int, cell: int) -> int:
    """Pixels from one position of a grid (n, C, s, s) to the next. Raises ValueError."""
    height, width = grids.shape[2:]
    if height != width or side % width or cell % (side // width):
        raise ValueError(f"a square of {side} px has {height} x {width} positions, which do not fit cells of {cell} px")
    return side // width
