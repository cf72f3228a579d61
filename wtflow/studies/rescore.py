"""The images of a finished run scored again under other scoring settings. Imports torch."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtflow.config import Settings
from wtflow.datasets.run_images import data_from_json
from wtflow.detector.networks import backbone_of, open_detector
from wtflow.errors import DatasetError, SettingsError
from wtflow.features.extract import features_of
from wtflow.records.edges import EdgeFactors
from wtflow.records.truth import RunTruth
from wtflow.records.whole import WholeImage
from wtflow.results import open_results
from wtflow.scoring.evaluate import score_all, summarise
from wtflow.scoring.normals import measure_normals
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore

CHANGEABLE = {
    "steps",
    "solver",
    "score",
    "deviation_time",
    "mismatch_samples",
    "precision",
    "top_fraction",
    "whole_image",
    "edge_quantile",
}
"""Settings that only scoring reads."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """What scoring a run again gave: as `summarise` gives it, with the settings and the time it took."""

    settings: Settings
    table: pd.DataFrame
    maps: np.ndarray
    summary: dict[str, Any]
    truth: RunTruth
    edges: EdgeFactors | None
    whole: WholeImage | None
    seconds: dict[str, float]


def score_again(
    store: RunStore, run_id: str, changes: dict[str, Any], progress: Callable[[int, int], None]
) -> Rescored:
    """The images of a finished run scored again under other scoring settings. Nothing in the run changes.

    Raises RunNotFoundError before the run has finished, SettingsError for settings that training depends on.
    """
    results = open_results(store, run_id)
    if fixed := sorted(changes.keys() - CHANGEABLE):
        raise SettingsError(
            f"{fixed[0]} is fixed once run {run_id} is trained.",
            fix=f"Change one of {', '.join(sorted(CHANGEABLE))}, or train again.",
        )
    settings = results.settings.changed(changes)
    data = data_from_json(store.data(run_id) or {"samples": [], "held_out": []})
    n = len(data.test) + len(data.held_out)
    if not n:
        raise DatasetError(
            f"Run {run_id} has no test images and held no normals out: there is nothing to score.",
            fix="Add images to test, then train again.",
        )
    cache, clock = FeatureCache(store.home), [time.perf_counter()]
    keys = features_of(backbone_of(store, run_id), data, cache, lambda done, total: progress(n * done // total, 3 * n))
    clock.append(time.perf_counter())
    old = open_detector(store, run_id)
    detector = measure_normals(
        old.scoring_as(settings, None, None), cache, keys.train, data, lambda *_: progress(n, 3 * n), old.whole
    )
    scored = score_all(detector, cache, keys, data, lambda done, _: progress(n + done, 3 * n))
    clock.append(time.perf_counter())
    if isinstance(results.truth, RunTruth):
        truth, masks = results.truth, results.metrics.get("masks")
    else:
        truth, masks = results.truth.read_all(), asdict(results.truth.decision)
    table, summary = summarise(scored, truth, settings, lambda done, _: progress(2 * n + done, 3 * n))
    clock.append(time.perf_counter())
    seconds = {
        name: round(end - start, 2)
        for name, start, end in zip(("features", "score", "metrics"), clock, clock[1:], strict=False)
    }
    summary["masks"] = masks
    return Rescored(settings, table, scored.maps.after, summary, truth, detector.edges, detector.whole, seconds)
