"""Caches of what belongs to several runs together:
their common images, metrics with intervals, counted pixels, figures.

The rules are those of cache.py: small plain keys with a stamp of the files read, and nothing that could not be made
again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from pages.ui.cache import file_stamp, results, run_stamp
from pages.ui.shelves import Shelf
from wtflow.compare.common_truth import CommonTruth, category_now, common_truth
from wtflow.compare.pixel_rows import compare_pixels
from wtflow.compare.pixel_tally import load_tally, tally_path, truth_key
from wtflow.compare.runs import Comparison, align, compare_images, normal_reference
from wtflow.compare.truths import OwnTruth, TruthDifferences, find_differences, own_truth
from wtflow.datasets.masks.live import said_reading, stamp_masks
from wtflow.datasets.stamps import fingerprint, stamp_category
from wtflow.records.compare import MetricRow, PixelTally
from wtflow.records.truth import RunTruth
from wtflow.results import tested_samples
from wtflow.store import layout
from wtflow.store.runs import RunStore

Drawn = TypeVar("Drawn")


def comparison(store: RunStore, run_ids: tuple[str, ...]) -> Comparison:
    """The runs over their common test images. Raises RunNotFoundError, DamagedRunError."""
    return _comparison(str(store.home), run_ids, compare_stamp(store, run_ids))


def compare_stamp(store: RunStore, run_ids: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Changes whenever one of the runs, or its list of images, is written again. Raises RunNotFoundError."""
    return tuple((*run_stamp(store, run_id), file_stamp(store.folder(run_id) / layout.DATA)) for run_id in run_ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _comparison(home: str, run_ids: tuple[str, ...], stamps: tuple[tuple[int, ...], ...]) -> Comparison:
    store = RunStore(Path(home))
    return align([results(store, run_id) for run_id in run_ids], [store.data(run_id) for run_id in run_ids])


def image_rows(store: RunStore, run_ids: tuple[str, ...]) -> tuple[MetricRow, ...]:
    """Image metrics of the runs on their common images, with intervals."""
    return _image_rows(str(store.home), run_ids, compare_stamp(store, run_ids))


@st.cache_data(max_entries=16, show_spinner=False)
def _image_rows(home: str, run_ids: tuple[str, ...], stamps: tuple[tuple[int, ...], ...]) -> tuple[MetricRow, ...]:
    return compare_images(_comparison(home, run_ids, stamps))


@dataclass(frozen=True, slots=True)
class Basis:
    """What the runs' pixel metrics rest on."""

    own: tuple[OwnTruth, ...]
    found: TruthDifferences
    truth: CommonTruth
    keys: tuple[str, ...]
    """Of the truth at the size of each run's maps; empty where there is none."""


def differences(store: RunStore, run_ids: tuple[str, ...]) -> tuple[tuple[OwnTruth, ...], TruthDifferences]:
    """The truth of each run, and where they differ. Raises StoreError."""
    return _differences(str(store.home), run_ids, compare_stamp(store, run_ids), _masks_stamp(store, run_ids))


@st.cache_resource(max_entries=4, show_spinner=False)
def _differences(
    home: str, run_ids: tuple[str, ...], stamps: tuple[tuple[int, ...], ...], masks: tuple[str, ...]
) -> tuple[tuple[OwnTruth, ...], TruthDifferences]:
    store, compared = RunStore(Path(home)), _comparison(home, run_ids, stamps)
    own = tuple(own_truth(run) for run in compared.runs)
    return own, find_differences(compared, own, [store.data(run_id) for run_id in run_ids])


def _masks_stamp(store: RunStore, run_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Changes whenever a mask of a run that holds none is written again, or is read otherwise."""
    found = []
    for run in (results(store, run_id) for run_id in run_ids):
        if not isinstance(run.truth, RunTruth):
            found.append(stamp_masks(tested_samples(run.table), said_reading(store, run.config)))
    return tuple(found)


def basis(store: RunStore, run_ids: tuple[str, ...], chosen: str | None) -> Basis:
    """What the runs are counted on: their own truth where it is the same, else that of the key `chosen`.
    Raises StoreError.
    """
    own, found = differences(store, run_ids)
    files = 0
    if chosen is not None and not found.are_same:
        category = category_now(store, _comparison(str(store.home), run_ids, compare_stamp(store, run_ids)))
        files = 0 if category is None else fingerprint(category, stamp_category(category))
    stamps = compare_stamp(store, run_ids), _masks_stamp(store, run_ids)
    truth, keys = _truth(str(store.home), run_ids, *stamps, None if found.are_same else chosen, files)
    return Basis(own, found, truth, keys)


@st.cache_resource(max_entries=8, show_spinner=False)
def _truth(
    home: str,
    run_ids: tuple[str, ...],
    stamps: tuple[tuple[int, ...], ...],
    masks: tuple[str, ...],
    chosen: str | None,
    files: int,
) -> tuple[CommonTruth, tuple[str, ...]]:
    store, compared = RunStore(Path(home)), _comparison(home, run_ids, stamps)
    own, found = _differences(home, run_ids, stamps, masks)
    truth = common_truth(store, compared, own, found, [store.data(run_id) for run_id in run_ids], chosen)
    return truth, tuple(map(truth_key, truth.truths))


def tally(store: RunStore, comparison: Comparison, on: Basis, k: int) -> PixelTally | None:
    """Run k's pixels on the common truth if they were counted before. Read from disk once per file."""
    if not on.keys:
        return None
    run_id = comparison.runs[k].run_id
    path = tally_path(store, run_id, on.keys[k])
    return _tally(str(store.home), run_id, on.keys[k], file_stamp(path), on.truth.truths[k]) if path.is_file() else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _tally(home: str, run_id: str, key: str, stamp: int, _truth: RunTruth) -> PixelTally | None:
    return load_tally(RunStore(Path(home)), run_id, _truth)


def pixel_rows(store: RunStore, comparison: Comparison, on: Basis) -> tuple[MetricRow, ...]:
    """Pixel metrics of the runs on their common images, with intervals where the pixels of all of them were counted."""
    run_ids = tuple(run.run_id for run in comparison.runs)
    counted = tuple(file_stamp(tally_path(store, run_id, key)) for run_id, key in zip(run_ids, on.keys, strict=False))
    stamps = compare_stamp(store, run_ids)
    return _pixel_rows(str(store.home), run_ids, stamps, on.keys, on.truth.reason, counted, on)


@st.cache_data(max_entries=16, show_spinner=False)
def _pixel_rows(
    home: str,
    run_ids: tuple[str, ...],
    stamps: tuple[tuple[int, ...], ...],
    keys: tuple[str, ...],
    reason: str,
    counted: tuple[int, ...],
    _on: Basis,
) -> tuple[MetricRow, ...]:
    compared = _comparison(home, run_ids, stamps)
    found = [tally(RunStore(Path(home)), compared, _on, k) for k in range(len(run_ids))]
    tallies = [one for one in found if one is not None]
    return compare_pixels(compared, _on.truth, tallies if len(tallies) == len(found) else None)


def normals_of(store: RunStore, run_id: str):
    """Pixel scores of the run's normal images, rising, to rank other pixels among; None without normal images."""
    return _normals_of(str(store.home), run_id, run_stamp(store, run_id))


@st.cache_resource(max_entries=8, show_spinner=False)
def _normals_of(home: str, run_id: str, stamp: tuple[int, ...]):
    return normal_reference(results(RunStore(Path(home)), run_id))


@st.cache_resource(show_spinner=False)
def figures() -> Shelf[Any]:
    """Figures that take a tenth of a second to build, by everything they show; only read."""
    return Shelf(48)


def figure(key: tuple, build: Callable[[], Drawn]) -> Drawn:
    """The figure of this key, built where it is not on the shelf."""
    found = figures().get(key)
    if found is None:
        found = build()
        figures().put(key, found)
    return found
