"""The well as a disc: distance from the origin against that of the normals as radius, who resembles whom as angle.

The radius is exact: the distance from the origin in all dimensions, over the radius that holds 99 % of the normals at
the same time. So the well is the disc of radius 1 at all times, and who escapes crosses its rim. Angles only spread
the points: neighbours among the ends are neighbours on the ring. NumPy only; ours.

Shapes: S saved times, N positions.
"""

from typing import Final

import numpy as np

OUTER_RIM: Final = 2.2
"""Radius at which a picture ends at the latest, in radii of the disc: farther out, the disc would become too small to
see inside it.
"""

SMALLEST: Final = 1e-9
"""Least radius to divide by: where all normals lie on the origin, what does not is outside by far, not by infinity."""


def disc_angles(
    plane_end: np.ndarray, umap_end: np.ndarray | None = None, is_normal: np.ndarray | None = None
) -> np.ndarray:
    """(N,) angles in radians from -pi to pi, evenly spaced over the whole ring, in the order in which the ends lie
    around the middle of the normals.

    plane_end, umap_end: (N, 2) ends (t = 1) on two axes, and in a UMAP, whose order counts if it is given. is_normal:
    (N,) bool; without normals the middle is that of all.
    """
    places = np.asarray(plane_end if umap_end is None else umap_end, dtype=float)
    chosen = places[is_normal] if is_normal is not None and np.any(is_normal) else places
    away = places - np.median(chosen, axis=0)
    rank = np.empty(len(places))
    rank[np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")] = np.arange(len(places))
    return 2 * np.pi * (rank + 0.5) / len(places) - np.pi


def disc_radius(norm: np.ndarray, well_radius: np.ndarray) -> np.ndarray:
    """(S, N) distances from the origin over the normals' radius (S,) at the same time: 1 is the rim of the well."""
    return np.asarray(norm, dtype=float) / np.maximum(well_radius, SMALLEST)[:, None]


def draw_in(radius: np.ndarray, farthest: float | None = None) -> np.ndarray:
    """Radii (any shape, 1 is the rim of the disc) as they are drawn: the same inside the disc, logarithmic beyond it.

    farthest: the radius that must fit, the largest one if None. It falls on 1 + ln(farthest), or on `OUTER_RIM` where
    that is nearer, so nothing is cut off. Rises everywhere.
    """
    radius = np.asarray(radius, dtype=float)
    farthest = float(np.max(radius, initial=1.0)) if farthest is None else farthest
    scale = min(1.0, (OUTER_RIM - 1) / np.log(farthest)) if farthest > 1 else 1.0
    return np.where(radius <= 1, radius, 1 + scale * np.log(np.maximum(radius, 1)))


def on_ring(radius: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(S, N, 2) float32 places of radii (S, N) at fixed angles (N,)."""
    way = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return (np.asarray(radius)[..., None] * way).astype(np.float32)
