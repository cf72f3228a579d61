"""One grid position of one image along the path: what the score of a pixel is made of. Imports torch.

On one thread: a page must not compete with a training worker for the cores.
"""

import numpy as np
import torch

from wtflow.detector.networks import features_of, open_detector
from wtflow.errors import RunNotFoundError
from wtflow.flow.integrate import integrate_moving
from wtflow.machine.progress import one_thread
from wtflow.records.core import Probe
from wtflow.results import image_of_row, open_results
from wtflow.scoring.edges import factor_at
from wtflow.store.runs import RunStore

N_CHANNELS = 8
"""Strongest channels that a probe lists."""


def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
    """One grid position of scored image `row`: norm and score at every saved step of the run's own solver.

    Raises RunNotFoundError for a row or position that the run does not have, ImageReadError when the image is gone,
    ImageChangedError when it is not the one that was scored.
    """
    results = open_results(store, run_id)
    n_rows, height, width = results.maps.shape
    if not (0 <= row < n_rows and 0 <= grid_row < height and 0 <= grid_column < width):
        raise RunNotFoundError(
            f"Run {run_id} has no position ({grid_row}, {grid_column}) in image row {row}: it has {n_rows} maps of"
            f" {height} x {width}.",
            fix="Click inside the picture.",
        )
    scored = image_of_row(results.table, row)
    image = results.seen.original(scored.sample_id, results.shape)
    map_score = float(results.maps[row, grid_row, grid_column])
    return probe_image(store, run_id, image, scored.sample_id, grid_row, grid_column, map_score)


def probe_image(
    store: RunStore, run_id: str, image: np.ndarray, name: str, grid_row: int, grid_column: int, map_score: float
) -> Probe:
    """The same of any image (H, W, 3), float32 of the run's shape. map_score: what its map shows at the position, which
    must lie on the map. Raises RunNotFoundError, WeightsError.
    """
    with one_thread(), torch.inference_mode():
        detector = open_detector(store, run_id)
        settings = detector.settings
        x = detector.start(features_of(store, run_id, image))
        height, width = int(x.shape[1]), int(x.shape[2])
        if settings.network == "mlp":  # each position travels alone: no need to move the others
            x = x[:, grid_row : grid_row + 1, grid_column : grid_column + 1]
            grid_row_in_path = grid_column_in_path = 0
        else:
            grid_row_in_path, grid_column_in_path = grid_row, grid_column
        t, path, velocity = integrate_moving(detector.velocity, x, settings.steps, settings.solver)
        path, velocity = (
            part[:, 0, grid_row_in_path, grid_column_in_path].double().cpu().numpy() for part in (path, velocity)
        )
    squares, end = path**2, path[-1]
    factor = 1.0 if detector.edges is None else factor_at(detector.edges.after, grid_row, grid_column, (height, width))
    strongest = np.argsort(-np.abs(end), kind="stable")[:N_CHANNELS]
    return Probe(
        sample_id=name,
        grid_row=grid_row,
        grid_column=grid_column,
        t=t.cpu().numpy(),
        norm=np.sqrt(squares.sum(-1)),
        score=0.5 * squares.mean(-1) / factor,
        map_score=map_score,
        n_channels=path.shape[-1],
        speed=np.sqrt((velocity**2).sum(-1)),
        channels=tuple((int(c), float(end[c]), float(end[c] ** 2 / max(squares[-1].sum(), 1e-30))) for c in strongest),
        edge_factor=factor,
    )
