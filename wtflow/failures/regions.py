"""A map cut at a pixel threshold against the mask: areas, regions found and missed; and plain facts of a mask.
NumPy and SciPy.

Regions are 8-connected, as in the metrics.
"""

import numpy as np
from scipy import ndimage

from wtflow.errors import MetricError
from wtflow.metrics import EIGHT_NEIGHBOURS
from wtflow.records.failures import Region, RegionReport

GAP_PX = 1
"""Pixels next to the mask that belong to neither side: resizing mixes the colours of both there."""
RING_SHARE = 0.02
"""Width of the ring around a defect, as a share of the image's side: near enough to be its surroundings, wide enough
to have a spread.
"""
LEAST_SPREAD = 1 / 255
"""One step of an 8-bit image: a ring of one single colour would make every contrast infinite."""


def compare_regions(pixel_map: np.ndarray, mask: np.ndarray, threshold: float) -> RegionReport:
    """Over- and under-segmented pixels and regions of a map (H, W) at a threshold, compared with a mask, bool (H, W).

    A pixel is called defective when its score >= threshold. Raises MetricError for shapes that differ.
    """
    if pixel_map.shape != mask.shape or mask.ndim != 2:
        raise MetricError(
            f"A map of shape {pixel_map.shape} does not fit a mask of shape {mask.shape}.",
            fix="Bring both to one size.",
        )
    called = pixel_map >= threshold
    mask = np.asarray(mask, bool)
    alarms = tuple(region for region in _regions(called, mask) if not region.is_found)
    return RegionReport(
        threshold=float(threshold),
        n_pixels=mask.size,
        n_both=int((called & mask).sum()),
        n_over=int((called & ~mask).sum()),
        n_under=int((mask & ~called).sum()),
        defects=_regions(mask, called),
        alarms=alarms,
    )


def border_distance(row: float, column: float, shape: tuple[int, int]) -> float:
    """Distance of a point, in pixel edges, to the nearest border as a share of that direction's length: 0 on the
    border, 0.5 in the middle.
    """
    height, width = shape
    return float(min(row / height, 1 - row / height, column / width, 1 - column / width))


def mask_centre(mask: np.ndarray) -> tuple[float, float]:
    """Row and column of the centroid of a mask that is not empty, in pixel edges:
    the pixel (0, 0) has its centre at (0.5, 0.5).
    """
    rows, columns = np.nonzero(mask)
    return float(rows.mean()) + 0.5, float(columns.mean()) + 0.5


def count_regions(mask: np.ndarray) -> int:
    return int(ndimage.label(mask, structure=EIGHT_NEIGHBOURS)[1])


def contrast(image: np.ndarray, mask: np.ndarray) -> float:
    """How far a defect stands out from its surroundings by colour:
    |mean inside - mean of a ring around it| / spread of the ring.

    image: float (H, W, 3) in [0, 1]; mask: bool (H, W), not empty. Distances are Euclidean in RGB; the ring is
    RING_SHARE of the side wide and begins GAP_PX outside the mask; its spread is the root mean square distance of its
    pixels from their mean. 1 means: as far from the surroundings' mean as their pixels are on average. NaN where the
    mask leaves no ring. Source: ours.
    """
    width = max(2, round(RING_SHARE * max(mask.shape)))
    distance = np.asarray(ndimage.distance_transform_edt(~mask))
    ring = (distance > GAP_PX) & (distance <= GAP_PX + width)
    if not ring.any():
        return float("nan")
    around = image[ring].astype(np.float64)
    middle = around.mean(0)
    spread = np.sqrt(np.square(around - middle).sum(1).mean())
    return float(np.linalg.norm(image[mask].mean(0, dtype=np.float64) - middle) / max(spread, LEAST_SPREAD))


def _regions(marked: np.ndarray, other: np.ndarray) -> tuple[Region, ...]:
    """Regions of `marked`, the largest first (of equal ones in reading order), with the share of
    each that `other` marks too.
    """
    labels, n = ndimage.label(marked, structure=EIGHT_NEIGHBOURS)
    rows, columns = np.nonzero(labels)
    region = labels[rows, columns] - 1
    size = np.bincount(region, minlength=n)
    shared, row, column = (
        np.bincount(region, weights=values, minlength=n) / size for values in (other[rows, columns], rows, columns)
    )
    order = np.argsort(-size, kind="stable")
    return tuple(Region(float(row[i]), float(column[i]), int(size[i]), float(shared[i])) for i in order)
