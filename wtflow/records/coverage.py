"""How much of each cell of a grid lies in each pixel of a picture: exact, also where cells cut pixels."""

import functools

import numpy as np


@functools.lru_cache(maxsize=16)
def overlaps(n_pixels: int, n_cells: int) -> np.ndarray:
    """float64 (n_cells, n_pixels): the share of each cell's length that lies in each pixel; rows sum to 1."""
    edges, pixels = np.linspace(0, n_pixels, n_cells + 1), np.arange(n_pixels)
    low, high = np.maximum(edges[:-1, None], pixels), np.minimum(edges[1:, None], pixels + 1)
    shares = np.clip(high - low, 0, None) * n_cells / n_pixels
    shares.flags.writeable = False
    return shares


def covered_share(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """float64 (h, w): the share of each cell's area that the mask covers; exact, also where cells cut pixels.

    mask: (H, W), bool, or the share of each pixel that is covered. Source: ours.
    """
    rows, columns = (overlaps(n_pixels, n_cells) for n_pixels, n_cells in zip(mask.shape, shape, strict=True))
    return rows @ mask.astype(np.float64) @ columns.T
