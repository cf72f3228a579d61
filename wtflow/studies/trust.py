"""How well a map keeps neighbourhoods, as one number. NumPy and scikit-learn, no torch.

Source: Venna, Kaski, "Neighborhood preservation in nonlinear projection methods" (2001), as scikit-learn computes it.
"""

from typing import Final

import numpy as np

from wtflow.records.spacing import spaced

NEIGHBOURS: Final = 15
"""Neighbours on the map that should be neighbours in feature space: as many as UMAP is fitted with by default."""

MOST_POINTS: Final = 2000
"""Points compared with each other: three tables of them by them, 100 MB. Of more, this many spread evenly."""

LEAST_POINTS: Final = 8
"""With fewer, nearly every point is a neighbour of every other one."""


def trustworthiness_of(x: np.ndarray, points: np.ndarray, metric: str) -> tuple[float | None, int]:
    """Trustworthiness, 0 to 1, of a map `points` (N, 2) of features x (N, d); and of how many points it was measured.

    1: whoever is near on the map is near in feature space. Points that are neighbours on the map but not there count
    against it, the more the farther away they are there. None for fewer than LEAST_POINTS.
    """
    chosen = np.asarray(spaced(len(x), MOST_POINTS))
    if len(chosen) < LEAST_POINTS:
        return None, len(chosen)
    from sklearn.manifold import trustworthiness  # seconds to import, and paid once a map

    k = min(NEIGHBOURS, (len(chosen) - 1) // 2)
    return float(trustworthiness(x[chosen], points[chosen], n_neighbors=k, metric=metric)), len(chosen)
