"""A detector over the rows of a feature file: maps, mean features, descriptions of whole images. Imports torch."""

import numpy as np

from wtflow.datasets.run_images import RunData
from wtflow.machine.progress import Progress
from wtflow.scoring.detector import Detector, Maps
from wtflow.store.features import FeatureCache

BATCH = 8
"""Images at a time."""


def compute_maps(detector: Detector, cache: FeatureCache, key: str, rows: np.ndarray, progress: Progress) -> Maps:
    """The detector's maps (N, h, w) float32 of the chosen N rows of a feature file; (0, 1, 1) for no row."""
    wanted = {int(row): i for i, row in enumerate(rows)}
    kept: Maps | None = None
    done = 0
    for first, grids in cache.batches(key, BATCH):
        chosen = [row for row in range(first, first + len(grids)) if row in wanted]
        if not chosen:
            continue
        found = detector.maps(grids[[row - first for row in chosen]])
        if kept is None:
            kept = Maps(*(np.empty((len(rows), *part.shape[1:]), part.dtype) for part in found))
        targets = [wanted[row] for row in chosen]
        for part, target in zip(found, kept, strict=True):
            target[targets] = part
        done += len(chosen)
        progress(done, len(rows))
    return no_maps() if kept is None else kept


def no_maps() -> Maps:
    """Of no image."""
    return Maps(np.empty((0, 1, 1), np.float32), np.empty((0, 1, 1), np.float32), np.empty(0))


def mean_features(detector: Detector, cache: FeatureCache, key: str, data: RunData) -> tuple[list[str], np.ndarray]:
    """One vector per training normal that the flow learned from:
    the mean of its normalised positions, (N, K) float32.
    """
    place = {int(row): i for i, row in enumerate(data.fit_rows)}
    # One array for all, filled in place: small arrays kept between the large ones of each batch would leave holes that
    # the next batch does not fit into, and memory would grow with every image (measured: 2.2 GB for 1,600 images).
    vectors = np.empty((len(place), detector.normaliser.channels), np.float32)
    for first, grids in cache.batches(key, BATCH):
        means = detector.start(grids).mean((1, 2)).cpu().numpy()
        for offset, vector in enumerate(means):
            if (at := place.get(first + offset)) is not None:
                vectors[at] = vector
    return [data.train[row].id for row in place], vectors


def describe_rows(
    detector: Detector, cache: FeatureCache, key: str, rows: np.ndarray, progress: Progress
) -> np.ndarray:
    """Descriptions of the chosen rows of a feature file, float32 (N, K), in their order."""
    place = {int(row): i for i, row in enumerate(rows)}
    # Filled in place, as in `mean_features`: small arrays kept from batch to batch would leave holes in memory.
    n_described = detector.normaliser.channels // len(detector.settings.sizes)
    descriptions = np.empty((len(rows), n_described), np.float32)
    for first, grids in cache.batches(key, BATCH):
        chosen = [row for row in range(first, first + len(grids)) if row in place]
        if chosen:
            descriptions[[place[row] for row in chosen]] = detector.description(
                detector.start(grids[[row - first for row in chosen]])
            )
            progress(0, 1)
    return descriptions
