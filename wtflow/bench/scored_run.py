"""A finished run of drawn images with made-up scores and maps:
what pages read, without the hours that training would take.
"""

import time
from pathlib import Path

import numpy as np

from wtflow.datasets.masks.read import read_run_truth
from wtflow.datasets.run_images import read_data
from wtflow.features.backbone import Backbone
from wtflow.features.extract import get_features
from wtflow.records.core import RunStatus
from wtflow.records.edges import EdgeFactors
from wtflow.records.reading import Reading
from wtflow.records.shapes import shape_of
from wtflow.scoring.detector import Detector, Maps, save_checkpoint
from wtflow.scoring.edges import edge_factors
from wtflow.scoring.evaluate import scored_images, summarise
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore

BUMP = 4
"""Side of the bump in the map of a defective image, in grid positions."""


def write_scored_run(
    store: RunStore, root: Path, category: str, backbone: Backbone, detector: Detector, seed: int
) -> str:
    """Write a finished run of the category's images and return its id. Features are computed as in a run, or
    read from the cache.

    Maps are noise, with a bump somewhere in those of defective images, so that scores overlap and every outcome occurs.
    The checkpoint is `detector`, and the run has its settings.
    """
    settings = detector.settings
    run_id = store.create(root, category, settings)
    data = read_data(store.config(run_id), _ignore)
    store.write_data(run_id, data.to_json())
    cache = FeatureCache(store.home)
    keys = [
        get_features(backbone, samples, hashes, cache, _ignore, is_opaque=data.are_opaque(samples))
        for samples, hashes in ((data.train, data.train_hashes), (data.test, data.test_hashes))
    ]
    grid = cache.open(keys[0]).shape[1:3]

    generator = np.random.default_rng(seed)
    samples = [*data.test, *(data.train[row] for row in data.held_out)]
    maps = generator.gamma(4.0, 0.25, (len(samples), *grid)).astype(np.float32)
    for pixel_map, sample in zip(maps, samples, strict=True):
        if sample.is_defective:
            row, column = (int(generator.integers(0, max(1, side - BUMP))) for side in grid)
            pixel_map[row : row + BUMP, column : column + BUMP] += generator.gamma(2.0, 1.0)
    scored = scored_images(data, Maps(maps, maps[::-1], np.full(len(maps), np.nan)))
    _, truth = read_run_truth(data, Reading(), shape_of(settings.image_size), _ignore)
    store.write_truth(run_id, truth)
    table, summary = summarise(scored, truth, settings, _ignore)
    store.write_maps(run_id, maps)
    if settings.edge_quantile:
        normals = maps[[not sample.is_defective for sample in samples]]
        factors = edge_factors(normals, settings.edge_quantile)
        store.write_edges(run_id, EdgeFactors(factors, factors, len(normals)))
    store.write_scores(run_id, table)
    store.write_metrics(
        run_id,
        summary | {"seconds": {"read": 1.0}, "peak_rss_mib": 0.0, "source": f"{settings.backbone}, made by hand"},
    )

    save_checkpoint(store.folder(run_id) / layout.CHECKPOINT, detector, settings.iterations, {}, data.fingerprint)
    fitted = [data.train[row].id for row in data.fit_rows]
    store.write_index(
        run_id, fitted, generator.normal(size=(len(fitted), detector.normaliser.channels)).astype(np.float32)
    )
    for step in range(1, 201):
        store.append_step(run_id, step, 1.0 + 1.0 / step, 1e-3)
    store.write_status(
        run_id,
        RunStatus(state="finished", stage="metrics", percent=100.0, heartbeat=time.time(), message="Made by hand."),
    )
    return run_id


def _ignore(done: int, total: int) -> None:
    """Progress is not shown."""
