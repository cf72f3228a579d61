"""Maps are levelled near the edge, where normal positions score higher only because the image ends. NumPy only. Ours.

A backbone sees less of the surroundings there, so normal positions near the edge end farther out. How much farther is
measured on training normals by the distance to the nearest edge; maps are divided by it.
"""

import numpy as np

from wtflow.errors import FlowError
from wtflow.records.spacing import spaced

N_IMAGES = 64
"""Training normals that the factors are read from;
more change the third digit of the metrics (measured on six categories).
"""


def chosen_images(n_images: int, most: int = N_IMAGES) -> np.ndarray:
    """Which of n training normals something is read from: `most` of them, evenly spread, or all."""
    return spaced(n_images, most)


def edge_factors(maps: np.ndarray, quantile: float) -> np.ndarray:
    """Factors float32 (R,): the quantile of normal maps (N, H, W) at each distance from the edge, over its median.

    They are at least 1 and never rise inward: high scores in the middle come from the part, not from the edge.
    Raises FlowError for another shape, no map, or a quantile outside (0, 1].
    """
    if maps.ndim != 3 or maps.size == 0 or not 0 < quantile <= 1:
        raise FlowError(
            f"No edge factors from maps of shape {maps.shape} and quantile {quantile}.",
            fix="Give maps (N, H, W) and a quantile above 0, up to 1.",
        )
    distance = distance_to_edge(*maps.shape[1:])
    heights = np.array([np.quantile(maps[:, distance == ring], quantile) for ring in range(distance.max() + 1)])
    usual = np.median(heights)
    if usual <= 0:
        return np.ones(len(heights), np.float32)
    return np.minimum.accumulate(np.maximum(heights / usual, 1)).astype(np.float32)


def level(maps: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Maps (..., H, W) divided by the factor of each position's distance to the edge. Raises FlowError for factors
    of another grid.
    """
    distance = distance_to_edge(*maps.shape[-2:])
    if len(factors) != distance.max() + 1:
        raise FlowError(
            f"{len(factors)} edge factors do not fit a grid of {maps.shape[-2]} x {maps.shape[-1]}.",
            fix="Score the run again.",
        )
    return maps / factors[distance]


def factor_at(factors: np.ndarray, row: int, column: int, shape: tuple[int, int]) -> float:
    """What the map is divided by at one position of a grid of this shape."""
    return float(factors[distance_to_edge(*shape)[row, column]])


def distance_to_edge(height: int, width: int) -> np.ndarray:
    """int (H, W): positions between each one and the nearest edge, 0 for the outermost."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    return np.minimum(np.minimum(rows, height - 1 - rows), np.minimum(columns, width - 1 - columns))
