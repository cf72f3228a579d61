"""The training normal nearest to each test image, by mean features at t=0. Imports torch."""

from collections.abc import Callable

import numpy as np

from wtflow.errors import RunNotFoundError
from wtflow.records.failures import NearestNormals
from wtflow.studies.run_flow import RunFlow


def find_nearest(flow: RunFlow, progress: Callable[[int, int], None]) -> NearestNormals:
    """For every test image the nearest of the run's index of training normals; `progress(done, total)` counts images,
    may raise to stop.

    Raises RunNotFoundError for a run without training normals in its index, and what `RunFlow.grids` raises.
    """
    ids, vectors = flow.store.index(flow.results.run_id)
    if not ids:
        raise RunNotFoundError(
            f"Run {flow.results.run_id} has no training normals to compare with.", fix="Train the category again."
        )
    rows = flow.results.test.row.to_numpy(np.int64)
    nearest, distance = np.zeros(len(rows), int), np.zeros(len(rows))
    for i, (_, grid) in enumerate(flow.grids(rows)):
        apart = np.linalg.norm(vectors - _mean_start(flow, grid), axis=1)
        nearest[i] = int(apart.argmin())
        distance[i] = float(apart[nearest[i]])
        progress(i + 1, len(rows))
    return NearestNormals(rows, np.array(ids)[nearest], distance)


def _mean_start(flow: RunFlow, grid: np.ndarray) -> np.ndarray:
    """Mean over positions of an image's normalised features, (K,):
    a straight map of the mean itself but for layernorm.
    """
    if flow.settings.normalise == "layernorm":
        return flow.detector.start(grid[None]).mean((1, 2))[0].cpu().numpy()
    return flow.detector.start(grid.reshape(-1, grid.shape[-1]).mean(0, dtype=np.float32)[None])[0].cpu().numpy()
