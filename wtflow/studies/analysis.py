"""Get or compute what pages and the shell ask about a run: a pixel's path, new images, other settings. Imports torch.

Small work on one thread: a page must not compete with a training worker for the cores.
"""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from wtflow.config import Settings, settings_from_json
from wtflow.datasets.images import load_image, load_image_bytes
from wtflow.datasets.run_images import data_from_json
from wtflow.errors import DatasetError, RunNotFoundError, SettingsError, WeightsError, WTFlowError
from wtflow.features.backbone import Backbone, load_backbone
from wtflow.flow.integrate import integrate_moving
from wtflow.records.core import Probe, Tried
from wtflow.records.edges import EdgeFactors
from wtflow.records.whole import WholeImage
from wtflow.results import open_results
from wtflow.scoring.detector import Detector, load_detector, pick_device, scores_of
from wtflow.scoring.edges import factor_at
from wtflow.scoring.evaluate import summarise
from wtflow.scoring.normals import measure_normals
from wtflow.scoring.pixels import upsample
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.training.stages import features_of, score_all

N_NEAREST = 3
N_CHANNELS = 8
"""Strongest channels that a probe lists."""
LARGEST_TRY = 64
"""Images scored in one go; more are a data set and belong in a run."""
CHANGEABLE = {"steps", "solver", "score", "deviation_time", "mismatch_samples", "precision", "top_fraction", "whole_image", "edge_quantile"}
"""Settings that only scoring reads."""


@dataclass(frozen=True, slots=True)
class Rescored:
    """What scoring a run again gave: as `summarise` gives it, with the settings and the time it took."""

    settings: Settings
    table: pd.DataFrame
    maps: np.ndarray
    facts: dict[str, Any]
    edges: EdgeFactors | None
    whole: WholeImage | None
    seconds: dict[str, float]


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread inside, as before outside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def open_detector(store: RunStore, run_id: str) -> Detector:
    """The run's detector on the CPU or GPU; kept in memory while its checkpoint stays the same."""
    path = store.folder(run_id) / layout.CHECKPOINT
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    detector = _detector(path, store.config(run_id).settings.to_json(), stamp)
    return detector.scoring_as(detector.settings, store.edges(run_id), store.whole(run_id))


def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
    """One grid position of scored image `row`: norm and score at every saved step of the run's own solver.

    Raises RunNotFoundError for a row or position that the run does not have, ImageReadError when the image is gone.
    """
    results = open_results(store, run_id)
    n_rows, height, width = results.maps.shape
    if not (0 <= row < n_rows and 0 <= grid_row < height and 0 <= grid_column < width):
        raise RunNotFoundError(
            f"Run {run_id} has no position ({grid_row}, {grid_column}) in image row {row}: it has {n_rows} maps of {height} x {width}.",
            fix="Click inside the picture.",
        )
    facts = results.table[results.table.row == row].iloc[0]
    with one_thread(), torch.inference_mode():
        detector = open_detector(store, run_id)
        image = load_image(Path(facts.path), results.settings.image_size)
        x = detector.start(backbone_of(store, run_id).compute(image[None]))
        if results.settings.network == "mlp":  # each position travels alone: no need to move the others
            x = x[:, grid_row : grid_row + 1, grid_column : grid_column + 1]
            grid_row_in_path = grid_column_in_path = 0
        else:
            grid_row_in_path, grid_column_in_path = grid_row, grid_column
        t, path, velocity = integrate_moving(detector.velocity, x, results.settings.steps, results.settings.solver)
        path, velocity = (part[:, 0, grid_row_in_path, grid_column_in_path].double().cpu().numpy() for part in (path, velocity))
    squares, end = path**2, path[-1]
    factor = 1.0 if detector.edges is None else factor_at(detector.edges.after, grid_row, grid_column, (height, width))
    strongest = np.argsort(-np.abs(end), kind="stable")[:N_CHANNELS]
    return Probe(
        sample_id=facts.sample_id, row=grid_row, column=grid_column, t=t.cpu().numpy(), norm=np.sqrt(squares.sum(-1)), score=0.5 * squares.mean(-1) / factor,
        map_score=float(results.maps[row, grid_row, grid_column]), n_channels=path.shape[-1], speed=np.sqrt((velocity**2).sum(-1)),
        channels=tuple((int(c), float(end[c]), float(end[c] ** 2 / max(squares[-1].sum(), 1e-30))) for c in strongest),
        edge_factor=factor,
    )  # fmt: skip


def try_images(
    store: RunStore, run_id: str, files: list[tuple[str, bytes]], progress: Callable[[int, int], None] | None = None
) -> list[Tried]:
    """Score, map and nearest training normals of images a person brings, with the run's own backbone and flow.

    One image that cannot be read does not stop the others: its `problem` says why. Raises DatasetError for more than
    LARGEST_TRY images, WTFlowError when the run itself cannot be opened.
    """
    if len(files) > LARGEST_TRY:
        raise DatasetError(f"{len(files)} images at once are too many; {LARGEST_TRY} are the most.", fix="Try fewer, or train a run with them as test images.")
    settings = store.config(run_id).settings
    with one_thread():
        detector, backbone = open_detector(store, run_id), backbone_of(store, run_id)
        ids, vectors = store.index(run_id)
        paths = {entry["id"]: entry["path"] for entry in (store.data(run_id) or {"samples": []})["samples"]}
        tried = []
        for i, (name, content) in enumerate(files):
            try:
                image = load_image_bytes(content, name, settings.image_size)
                tried.append(_try_one(name, image, detector, backbone, ids, vectors, paths))
            except WTFlowError as error:
                tried.append(Tried(name=name, problem=str(error)))
            if progress is not None:
                progress(i + 1, len(files))
    return tried


def score_again(store: RunStore, run_id: str, changes: dict[str, Any], progress: Callable[[int, int], None]) -> Rescored:
    """The images of a finished run scored again under other scoring settings. Nothing in the run changes.

    Raises RunNotFoundError before the run has finished, SettingsError for settings that training would need to know.
    """
    results = open_results(store, run_id)
    if fixed := sorted(changes.keys() - CHANGEABLE):
        raise SettingsError(f"{fixed[0]} is fixed once run {run_id} is trained.", fix=f"Change one of {', '.join(sorted(CHANGEABLE))}, or train again.")
    settings = results.settings.changed(changes)
    data = data_from_json(store.data(run_id) or {"samples": [], "held_out": []})
    n = len(data.test) + len(data.held_out)
    if not n:
        raise DatasetError(f"Run {run_id} has no test images and held no normals out: there is nothing to score.", fix="Add images to test, then train again.")
    cache, clock = FeatureCache(store.home), [time.perf_counter()]
    keys = features_of(backbone_of(store, run_id), data, cache, lambda done, total: progress(n * done // total, 3 * n))
    clock.append(time.perf_counter())
    old = open_detector(store, run_id)
    detector = measure_normals(old.scoring_as(settings, None, None), cache, keys.train, data, lambda *_: progress(n, 3 * n), old.whole)
    scored = score_all(detector, cache, keys, data, lambda done, _: progress(n + done, 3 * n))
    clock.append(time.perf_counter())
    table, facts = summarise(*scored, settings, lambda done, _: progress(2 * n + done, 3 * n))
    clock.append(time.perf_counter())
    seconds = {name: round(end - start, 2) for name, start, end in zip(("features", "score", "metrics"), clock, clock[1:], strict=False)}
    return Rescored(settings, table, scored[2].after, facts, detector.edges, detector.whole, seconds)


def _try_one(name: str, image: np.ndarray, detector: Detector, backbone: Backbone, ids: list[str], vectors: np.ndarray, paths: dict[str, str]) -> Tried:
    features = backbone.compute(image[None])
    found, settings = detector.maps(features), detector.settings
    mean = detector.start(features).mean((1, 2)).cpu().numpy()[0]
    distance = np.linalg.norm(vectors - mean, axis=1)
    nearest = np.argsort(distance, kind="stable")[:N_NEAREST]
    return Tried(
        name=name, score=float(scores_of(found, settings)[0]), pixel_map=upsample(found.after, settings.image_size, settings.score)[0],
        whole_score=float(found.whole[0]), image=np.round(image * 255).astype(np.uint8),
        nearest=tuple((ids[i], paths.get(ids[i], ""), float(distance[i])) for i in nearest),
    )  # fmt: skip


def backbone_of(store: RunStore, run_id: str) -> Backbone:
    """The run's backbone, with the very weights it was trained on. Raises WeightsError when the file has changed since."""
    settings = store.config(run_id).settings
    weights = Path(settings.weights)
    backbone = _backbone(settings.to_json(), weights.stat().st_mtime_ns if weights.is_file() else 0)
    expected = store.metrics(run_id).get("weights_hash")
    if expected not in (None, backbone.weights_hash):
        if settings.is_untrained:
            raise WeightsError(f"The random weights of {settings.backbone} come out differently here than where run {run_id} was trained.",
                               fix="Train it again on this computer with this version; what the run has stored stays readable.")  # fmt: skip
        raise WeightsError(f"The weights {settings.weights} have changed since run {run_id} was trained.", fix="Put the old file back, or train again.")
    return backbone


@functools.lru_cache(maxsize=4)
def _detector(path: Path, settings_json: str, stamp: int) -> Detector:
    """`stamp` is the time of the checkpoint: a newer file is another key."""
    return load_detector(path, settings_from_json(settings_json), pick_device())


@functools.lru_cache(maxsize=2)
def _backbone(settings_json: str, stamp: int) -> Backbone:
    """`stamp` is the time of the weights file, if they come from one: a newer file is another key."""
    return load_backbone(settings_from_json(settings_json)).to(pick_device())
