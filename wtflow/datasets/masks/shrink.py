"""From a mask at its own size to the truth at the size of a map: every region stays one region."""

import numpy as np
from scipy import ndimage

from wtflow.metrics import EIGHT_NEIGHBOURS
from wtflow.records.coverage import covered_share, overlaps
from wtflow.records.truth import Truth

_LEAST = 1e-7
"""Shares below this are rounding."""


def truth_of_mask(defect: np.ndarray, shape: tuple[int, int], ignored: np.ndarray | None = None) -> Truth:
    """The truth at map size `shape` of a mask, bool (H, W) of any size; ignored: bool (H, W), pixels left out.

    Regions are 8-connected in the mask itself. Each gives the exact share of every map pixel that it covers, so areas
    are kept whatever both sizes are. Source: ours.
    """
    labels, n_regions = ndimage.label(defect, structure=EIGHT_NEIGHBOURS)
    rows, columns = (overlaps(n_pixels, n_cells) for n_pixels, n_cells in zip(defect.shape, shape, strict=True))
    pixels, regions, shares = [], [], []
    for number, (down, across) in enumerate(ndimage.find_objects(labels, n_regions)):
        top, height = _cells(down, defect.shape[0], shape[0])
        left, width = _cells(across, defect.shape[1], shape[1])
        inside = (labels[down, across] == number + 1).astype(np.float64)
        share = rows[top : top + height, down] @ inside @ columns[left : left + width, across].T
        at_row, at_column = np.nonzero(share > _LEAST)
        pixels.append((at_row + top) * shape[1] + at_column + left)
        regions.append(np.full(len(at_row), number))
        shares.append(share[at_row, at_column])
    left_pixel, left_share = np.zeros(0, np.int32), np.zeros(0, np.float32)
    if ignored is not None and ignored.any():
        spread = covered_share(ignored, shape).ravel()
        left_pixel = np.flatnonzero(spread > _LEAST)
        left_share = spread[left_pixel]
    return Truth(
        shape,
        _joined(pixels, np.int32),
        _joined(regions, np.int32),
        np.minimum(_joined(shares, np.float32), 1),
        left_pixel.astype(np.int32),
        np.minimum(left_share, 1).astype(np.float32),
    )


def region_sizes(defect: np.ndarray) -> np.ndarray:
    """float64 (R,): the share of the picture that each 8-connected region covers."""
    labels, n_regions = ndimage.label(defect, structure=EIGHT_NEIGHBOURS)
    return np.bincount(labels.ravel(), minlength=n_regions + 1)[1:] / defect.size


def _cells(part: slice, n_pixels: int, n_cells: int) -> tuple[int, int]:
    """First cell and number of cells that a stretch of pixels touches."""
    first = part.start * n_cells // n_pixels
    last = -(-part.stop * n_cells // n_pixels)
    return first, last - first


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
