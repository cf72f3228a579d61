"""What a run's training normals look like to its detector: measured once, and kept with the run. Imports torch."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final

import numpy as np

from wtflow.datasets.looks import measure_look
from wtflow.datasets.run_images import data_from_json
from wtflow.datasets.seen import open_seen
from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import score_images
from wtflow.errors import FlowError, ImageReadError
from wtflow.features.extract import PORTION, threads_for
from wtflow.machine.prefetch import prepared_ahead
from wtflow.machine.progress import Progress
from wtflow.records.looks import Look, Looks, looks_from_arrays
from wtflow.records.shapes import at_once
from wtflow.records.spacing import spaced
from wtflow.store import derived
from wtflow.store.runs import RunStore

MOST_FITTED: Final = 400
"""Normals that the flow learned from which are measured at most, evenly chosen; those held out all count."""
_VERSION: Final = 1
_Measured = tuple[str, float, float, Look, np.ndarray]
"""Id, score, level, look, mean features."""


def with_looks(store: RunStore, run_id: str, opened: OpenedDetector, progress: Progress) -> OpenedDetector:
    """The detector of a run with the looks of its normals, read from the run's folder or measured and kept there.

    `progress(done, total)` counts images and may raise to stop. Images that are gone or hold something else by now are
    left out; with none left the detector stays as it is. Raises DiskFullError, StoreError.
    """
    if opened.normal_looks is not None:
        return opened
    path = derived.path_of(store, run_id, "looks", derived.fingerprint(store, run_id, {"looks": _VERSION}))
    if (kept := kept_looks(store, run_id)) is not None:
        return replace(opened, normal_looks=kept)
    looks = _measure(store, run_id, opened, progress)
    if looks is None:
        return opened
    derived.write(path, looks.to_arrays(), {})
    return replace(opened, normal_looks=looks)


def kept_looks(store: RunStore, run_id: str) -> Looks | None:
    """The looks of a run's normals where they were measured before, else None. Raises RunNotFoundError."""
    path = derived.path_of(store, run_id, "looks", derived.fingerprint(store, run_id, {"looks": _VERSION}))
    found = derived.read(path)
    try:
        return None if found is None else looks_from_arrays(found[0])
    except FlowError:  # of another version, or tampered with: measure again
        derived.discard(path)
        return None


def _measure(store: RunStore, run_id: str, opened: OpenedDetector, progress: Progress) -> Looks | None:
    data, seen = data_from_json(store.data(run_id) or {"samples": [], "held_out": []}), open_seen(store, run_id)
    held_out, fitted = list(data.held_out), data.fit_rows
    rows = sorted([*held_out, *(int(fitted[i]) for i in spaced(len(fitted), min(MOST_FITTED, len(fitted))))])
    n = at_once(PORTION, opened.settings.image_size, opened.shape)
    portions = [rows[i : i + n] for i in range(0, len(rows), n)]

    def measure(number: int) -> list[_Measured]:
        names, images = [], []
        for row in portions[number]:
            sample_id = data.train[row].id
            try:
                images.append(seen.original(sample_id, opened.shape))
            except ImageReadError:
                continue
            names.append(sample_id)
        return measure_normals(opened, names, images)

    n_threads = threads_for(None if opened.settings.tile == "off" else opened.shape)
    is_cpu = opened.backbone.device.type == "cpu"
    found: list[_Measured] = []
    with closing(
        prepared_ahead(measure, range(len(portions)), n_threads if is_cpu and n_threads > 1 else 0)
    ) as measured:
        for number, part in enumerate(measured):
            found += part
            progress(min((number + 1) * n, len(rows)), len(rows))
    return looks_of(found, {data.train[row].id for row in held_out}) if found else None


def measure_normals(opened: OpenedDetector, names: Sequence[str], images: Sequence[np.ndarray]) -> list[_Measured]:
    """Each image (H, W, 3) float32 of the detector's shape, measured."""
    if not images:
        return []
    found = score_images(opened, np.stack(images))
    levels = np.median(found.maps.reshape(len(found.maps), -1), axis=1)
    return [
        (name, float(score), float(level), measure_look(image), mean)
        for name, score, level, image, mean in zip(names, found.scores, levels, images, found.means, strict=True)
    ]


def looks_of(measured: Sequence[_Measured], held_out: set[str]) -> Looks:
    """Measured images as one record. held_out: ids of those that the flow never saw."""
    names, scores, levels, looks, means = zip(*measured, strict=True)
    columns = {name: np.array([getattr(look, name) for look in looks], float) for name in Look._fields}
    return Looks(
        ids=tuple(names),
        is_held_out=np.array([name in held_out for name in names], bool),
        scores=np.array(scores, float),
        levels=np.array(levels, float),
        means=np.stack(means).astype(np.float32),
        **columns,
    )
