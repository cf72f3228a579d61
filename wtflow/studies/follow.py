"""One path on its way into the map: distance and score at any time, its place in the disc, what to compare it with.
NumPy.

Between two saved states a feature moves in a straight line, so all of this holds at every time, not only after a step.
"""

from typing import Final

import numpy as np

from wtflow.errors import FlowError
from wtflow.records.core import GOOD
from wtflow.records.follow import Yardstick, norm_at, only
from wtflow.records.spacing import spaced
from wtflow.studies.well import WELL_QUANTILE

FINE: Final = 40
"""Times at which the radius of the normals is measured, at least: a curve of 40 pieces looks smooth across a screen."""

DRAWN: Final = 300
"""Normals drawn in grey: enough for the ring to be seen, few enough for one path to stand out."""

APART: Final = 2
"""Grid positions that a normal patch keeps from the true defect, and from the patch that it is compared with: a
feature sees its surroundings.
"""


def fine_times(t: np.ndarray) -> np.ndarray:
    """The saved times t (S,) with so many between them that there are at least FINE pieces."""
    each = -(-FINE // (len(t) - 1))
    return np.concatenate([np.linspace(a, b, each, endpoint=False) for a, b in zip(t, t[1:], strict=False)] + [t[-1:]])


def band(yardstick: Yardstick, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T,) radius that holds 99 % of the normal positions at times (T,), and their median distance.

    Raises FlowError without normals.
    """
    is_normal = yardstick.positions.group == GOOD
    if not is_normal.any():
        raise FlowError(
            "The run has no normal test images, so there is nothing to compare a path with.",
            fix="Add normal images to test/good and train again.",
        )
    radii = norm_at(only(yardstick.paths, is_normal), times)
    return np.quantile(radii, WELL_QUANTILE, axis=1), np.median(radii, axis=1)


def free_cells(inside: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): positions at least APART from the true defect; from it at all where none is so far; all where the
    truth is unknown (None).
    """
    if inside is None:
        return np.ones(shape, bool)
    clear = ~_grown(inside, APART)
    return clear if clear.any() else ~inside


def is_near(cell: int, shape: tuple[int, int]) -> np.ndarray:
    """bool (H, W): positions within APART of a flat cell of a grid, itself included."""
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None]
    row, column = divmod(cell, shape[1])
    return (np.abs(rows - row) <= APART) & (np.abs(columns - column) <= APART)


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask with every cell within `by` cells of it, diagonals too."""
    padded = np.pad(mask, by)
    height, width = mask.shape
    steps = range(2 * by + 1)
    return np.any([padded[i : i + height, j : j + width] for i in steps for j in steps], axis=0)


def ring_angles(yardstick: Yardstick, plane_end: np.ndarray) -> np.ndarray:
    """Angles (radians, -pi to pi, of shape P) of ends (*P, 2) on the ring of a yardstick: where they come in the order
    of its positions, as `wtflow.plots.disc.disc_angles` spreads those.
    """
    is_normal = yardstick.positions.group == GOOD
    known = yardstick.paths.plane_end.astype(float)
    middle = np.median(known[is_normal] if is_normal.any() else known, axis=0)
    turn = lambda places: np.arctan2(places[..., 1] - middle[1], places[..., 0] - middle[0])  # noqa: E731
    ordered = np.sort(turn(known))
    rank = (np.searchsorted(ordered, turn(plane_end), "left") + np.searchsorted(ordered, turn(plane_end), "right")) / 2
    return 2 * np.pi * rank / len(ordered) - np.pi


def drawn_normals(yardstick: Yardstick) -> np.ndarray:
    """Indices of at most DRAWN normal positions, evenly over all."""
    found = np.flatnonzero(yardstick.positions.group == GOOD)
    return found[spaced(len(found), DRAWN)]
