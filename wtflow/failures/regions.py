"""A map cut at a pixel threshold against the mask: areas, regions found and missed; and plain facts of a mask.
NumPy and SciPy.

Regions are 8-connected, as in the metrics.
"""

import numpy as np
from scipy import ndimage

from wtflow.errors import MetricError
from wtflow.metrics import EIGHT_NEIGHBOURS
from wtflow.records.failures import Region, RegionReport
from wtflow.records.truth import Truth

GAP_PX = 1
"""Pixels next to the mask that belong to neither side: resizing mixes the colours of both there."""
RING_SHARE = 0.02
"""Width of the ring around a defect, as a share of the shorter side: near enough to be its surroundings, wide enough
to have a spread.
"""
LEAST_SPREAD = 1 / 255
"""One step of an 8-bit image: a ring of one single colour would make every contrast infinite."""


def compare_regions(pixel_map: np.ndarray, truth: Truth, threshold: float) -> RegionReport:
    """Over- and under-segmented pixels and regions of a map (H, W) at a threshold, compared with the truth.

    A pixel is called defective when its score >= threshold. Pixels that are left out count nowhere, and a called region
    that lies in them alone is no false alarm. Regions of the truth are those of the mask at its own size; each is found
    to the share of its area that is called. Raises MetricError for shapes that differ.
    """
    if pixel_map.shape != truth.shape:
        raise MetricError(
            f"A map of shape {pixel_map.shape} does not fit a truth of shape {truth.shape}.",
            fix="Bring both to one size.",
        )
    called, mask, ignored = pixel_map >= threshold, truth.mask, truth.ignored
    return RegionReport(
        threshold=float(threshold),
        n_pixels=int((~ignored).sum()),
        n_both=int((called & mask).sum()),
        n_over=int((called & ~mask & ~ignored).sum()),
        n_under=int((mask & ~called).sum()),
        defects=_defects(truth, called),
        alarms=_alarms(called, mask, ignored),
        n_left_out=int(ignored.sum()),
        n_small=truth.n_small,
    )


def border_distance(row: float, column: float, shape: tuple[int, int]) -> float:
    """Distance of a point, in pixel edges, to the nearest border as a share of that direction's length: 0 on the
    border, 0.5 in the middle.
    """
    height, width = shape
    return float(min(row / height, 1 - row / height, column / width, 1 - column / width))


def mask_centre(mask: np.ndarray) -> tuple[float, float]:
    """Row and column of the centroid of a mask that is not empty, in pixel edges:
    the pixel (0, 0) has its centre at (0.5, 0.5). mask: (H, W), bool or the share of each pixel.
    """
    rows, columns = np.nonzero(mask)
    weights = mask[rows, columns].astype(np.float64)
    return float(np.average(rows, weights=weights)) + 0.5, float(np.average(columns, weights=weights)) + 0.5


def contrast(image: np.ndarray, mask: np.ndarray, ignored: np.ndarray | None = None) -> float:
    """How far a defect stands out from its surroundings by colour:
    |mean inside - mean of a ring around it| / spread of the ring.

    image: float (H, W, 3) in [0, 1]; mask: bool (H, W), not empty; ignored: bool (H, W), no part of the ring.
    Distances are Euclidean in RGB; the ring is
    RING_SHARE of the shorter side wide, GAP_PX outside the mask; its spread is the root mean square distance of its
    pixels from their mean. 1 means: as far from the surroundings' mean as their pixels are on average. NaN where the
    mask leaves no ring. Source: ours.
    """
    width = max(2, round(RING_SHARE * min(mask.shape)))
    distance = np.asarray(ndimage.distance_transform_edt(~mask))
    ring = (distance > GAP_PX) & (distance <= GAP_PX + width)
    if ignored is not None:
        ring &= ~ignored
    if not ring.any():
        return float("nan")
    around = image[ring].astype(np.float64)
    middle = around.mean(0)
    spread = np.sqrt(np.square(around - middle).sum(1).mean())
    return float(np.linalg.norm(image[mask].mean(0, dtype=np.float64) - middle) / max(spread, LEAST_SPREAD))


def _defects(truth: Truth, called: np.ndarray) -> tuple[Region, ...]:
    """Regions of the truth, the largest first (of equal ones in reading order), with the share of each that is
    called.
    """
    n, share = truth.n_regions, truth.share.astype(np.float64)
    rows, columns = np.divmod(truth.pixel, truth.shape[1])
    area = truth.areas
    found, row, column = (
        np.bincount(truth.region, values * share, minlength=n) / area
        for values in (called.ravel()[truth.pixel], rows, columns)
    )
    order = np.argsort(-area, kind="stable")
    return tuple(Region(float(row[i]), float(column[i]), max(1, round(area[i])), float(found[i])) for i in order)


def _alarms(called: np.ndarray, mask: np.ndarray, ignored: np.ndarray) -> tuple[Region, ...]:
    """Called regions that touch no pixel of the mask, the largest first, without what is left out."""
    labels, n = ndimage.label(called, structure=EIGHT_NEIGHBOURS)
    labels[np.isin(labels, labels[mask])] = 0
    rows, columns = np.nonzero((labels > 0) & ~ignored)
    region = labels[rows, columns]
    size = np.bincount(region, minlength=n + 1)
    row, column = (np.bincount(region, weights=values, minlength=n + 1) for values in (rows, columns))
    order = [i for i in np.argsort(-size, kind="stable") if size[i]]
    return tuple(Region(float(row[i] / size[i]), float(column[i] / size[i]), int(size[i]), 0.0) for i in order)
