"""The normal training positions that lie nearest to a position of an image, before the flow moves anything.
Imports torch.
"""

import functools
from pathlib import Path

import numpy as np

from wtflow.errors import RunNotFoundError
from wtflow.records.flow import Neighbour
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.studies.run_flow import open_flow

N_NEIGHBOURS = 5
MOST_KEPT = 30_000
"""Training positions searched, drawn evenly over all images: in memory they take 30,000 x channels x 2 bytes."""


def nearest_positions(
    store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int, n: int = N_NEIGHBOURS
) -> tuple[Neighbour, ...]:
    """The n nearest of at most MOST_KEPT training positions, by Euclidean distance of normalised features at t=0;
    nearest first.

    Raises RunNotFoundError for a position that the run does not have.
    """
    flow = open_flow(store, run_id)
    height, width = flow.results.maps.shape[1:]
    if row not in set(flow.results.table.row) or not (0 <= grid_row < height and 0 <= grid_column < width):
        raise RunNotFoundError(
            f"Run {run_id} has no position ({grid_row}, {grid_column}) in image row {row}.",
            fix="Click inside the picture.",
        )
    _, grid = next(flow.grids(np.array([row])))
    x = flow.detector.start(grid[None])[0, grid_row, grid_column].cpu().numpy()
    vectors, image, cell, ids = _kept(
        str(store.home), run_id, store.result_path(run_id, layout.CHECKPOINT).stat().st_mtime_ns
    )
    distance = np.empty(len(vectors), np.float32)
    for i in range(0, len(vectors), 4096):
        distance[i : i + 4096] = np.linalg.norm(vectors[i : i + 4096].astype(np.float32) - x, axis=1)
    nearest = np.argsort(distance, kind="stable")[:n]
    columns = grid.shape[1]
    return tuple(
        Neighbour(ids[image[i]], int(cell[i] // columns), int(cell[i] % columns), float(distance[i])) for i in nearest
    )


@functools.lru_cache(maxsize=2)
def _kept(home: str, run_id: str, stamp: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Vectors (M, C) float16, image (M,), flat cell (M,) and image ids. `stamp` is the checkpoint's time: a newer
    one is another key.
    """
    flow = open_flow(RunStore(Path(home)), run_id)
    ids = flow.training_ids()
    if not ids:
        raise RunNotFoundError(f"Run {run_id} has no training images.", fix="Train the category again.")
    ids = ids[:: -(-len(ids) // MOST_KEPT)]  # one position each, where there are more images than that
    n_cells = int(np.prod(flow.results.maps.shape[1:]))
    n_each = min(n_cells, MOST_KEPT // len(ids))
    generator = np.random.default_rng(0)
    vectors = np.empty((len(ids), n_each, flow.n_channels), np.float16)
    cells = np.empty((len(ids), n_each), int)
    for k, (_, grid) in enumerate(flow.training_grids(ids)):
        cells[k] = np.sort(generator.permutation(n_cells)[:n_each])
        vectors[k] = flow.detector.start(grid[None])[0].reshape(n_cells, -1)[cells[k]].cpu().numpy()
    return vectors.reshape(-1, flow.n_channels), np.repeat(np.arange(len(ids)), n_each), cells.ravel(), ids
