"""Failing images grouped by where their worst positions lie on a map of features. No torch.

The map is a UMAP made as for the page `wells`, of one position per test image: the highest one of its map.
UMAP preserves neighbourhoods, not distances: the distance between groups has no meaning.
"""

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from wtflow.errors import FlowError
from wtflow.records.failures import FailureGroup, FailureMap

LEAST = 6
"""Fewer failures are looked at one by one."""
MOST_GROUPS = 6
LEAST_IMAGES = 20
"""Test images below which a UMAP has too few points for its 15 neighbours to mean anything."""


def group_failures(points: np.ndarray, rows: np.ndarray, wrong: np.ndarray) -> FailureMap:
    """Failing images in groups by Ward's method on the map;
    of 2 to MOST_GROUPS groups the number of the highest mean silhouette.

    points: (N, 2) of all test images, in the order of `rows` (N,), which rise; wrong: rows of the failing ones, in any
    order. Fewer than LEAST of them, or nearly all in one place, make one group. The same each time. Raises FlowError
    where points, rows and wrong do not fit.
    """
    rows, wrong = np.asarray(rows, np.int64), np.unique(np.asarray(wrong, np.int64))
    if points.shape != (len(rows), 2) or not np.isin(wrong, rows).all():
        raise FlowError(
            f"Points of shape {points.shape} do not fit {len(rows)} images.", fix="Compute the groups again."
        )
    at = np.searchsorted(rows, wrong)
    labels, silhouette = _parted(points[at])
    members = sorted((at[labels == label] for label in np.unique(labels)), key=lambda own: (-len(own), own[0]))
    group = np.zeros(len(rows), np.int64)
    for number, own in enumerate(members, start=1):
        group[own] = number
    groups = tuple(
        FailureGroup(number, _from_middle(points[own], rows[own])) for number, own in enumerate(members, start=1)
    )
    return FailureMap(rows, points, group, groups, silhouette)


def _parted(points: np.ndarray) -> tuple[np.ndarray, float | None]:
    """A label per point (M, 2) and the silhouette that chose their number."""
    best, labels = None, np.zeros(len(points), int)
    if len(points) >= LEAST and len(np.unique(points, axis=0)) > MOST_GROUPS:
        for k in range(2, min(MOST_GROUPS, len(points) // 2) + 1):
            found = AgglomerativeClustering(n_clusters=k).fit_predict(points)
            silhouette = float(silhouette_score(points, found))
            if best is None or silhouette > best:
                best, labels = silhouette, found
    return labels, best


def _from_middle(points: np.ndarray, rows: np.ndarray) -> tuple[int, ...]:
    away = np.linalg.norm(points - points.mean(0), axis=1)
    return tuple(int(row) for row in rows[np.argsort(away, kind="stable")])
