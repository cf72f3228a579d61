"""Straight lines to noise, drawn in grey under the learned paths of the same positions. Shapes: S times, N
positions.
"""

import numpy as np

from wtflow.plots.disc_views import Yardstick, key_of, scales_of, turn_of
from wtflow.plots.field import Lines, Polar
from wtflow.records.flow import StraightLines, Travel


def on_line(straight: StraightLines, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(S, N) distance from the origin of (1 - t) x + t noise, and the cosine of that point with x: exact."""
    t = np.asarray(t, dtype=float)[:, None]
    start, noise, inner = (
        np.asarray(values, dtype=float) for values in (straight.start, straight.noise, straight.inner)
    )
    square = ((1 - t) * start) ** 2 + (t * noise) ** 2 + 2 * t * (1 - t) * inner
    norm = np.sqrt(np.maximum(square, 0))
    cosine = ((1 - t) * start**2 + t * inner) / np.maximum(norm * start, 1e-12)
    return norm, cosine


def straight_views(
    travel: Travel, yardstick: Yardstick, straight: StraightLines, angles: np.ndarray, n_own: int
) -> Lines:
    """The lines in the views of the disc, at the angles (N,) of the positions, and of radius and angle.

    The first n_own positions have lines; the others were paired along with them, and stay on their paths here: grey
    lines under grey points would say nothing.
    """
    norm, cosine = on_line(straight, travel.t)
    norm[:, n_own:], cosine[:, n_own:] = travel.norm[:, n_own:], travel.alignment[:, n_own:]
    turn, points = turn_of(cosine), {}
    for drawn in scales_of(travel, yardstick):
        radius = drawn.radius(norm)
        points[key_of("disc", drawn.scale)] = Polar(radius, angles)
        points[key_of("radius", drawn.scale)] = Polar(radius, turn)
    what = "image" if straight.of_images else "position"
    return Lines(
        f"straight lines of the {straight.coupling} pairs, {straight.group_size} {what}s a group as in training", points
    )
