"""The only caches, with shelves and picture_, data_, mask_, flow_ and compare_cache. Keys are small plain
values with a stamp of every file that is read: no path stands for what it held. Without them only speed changes.
"""

from pathlib import Path

import streamlit as st

from wtflow.datasets.stamps import ABSENT, stamp_of
from wtflow.errors import StoreError
from wtflow.failures.calls import alarm_map as compute_alarm_map
from wtflow.failures.calls import failures_of
from wtflow.failures.groups import group_failures
from wtflow.failures.words import FailureStudy, study_failures
from wtflow.records.by_size import BySize
from wtflow.records.core import Probe
from wtflow.records.failures import AlarmMap, FailureMap
from wtflow.records.notes import RunNotes
from wtflow.results import RunResults, image_of_row, open_results
from wtflow.store import layout
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, load_answer
from wtflow.studies.requests import FactsRequest, NearestRequest, UmapRequest


def results(store: RunStore, run_id: str) -> RunResults:
    """The results of a finished run. Raises RunNotFoundError, DamagedRunError."""
    return _results(str(store.home), run_id, run_stamp(store, run_id))


def run_stamp(store: RunStore, run_id: str) -> tuple[int, ...]:
    """Changes when a run is written again. Raises RunNotFoundError."""
    return tuple(file_stamp(store.result_path(run_id, name)) for name in _STAMPED)


_STAMPED = (
    layout.CONFIG,
    layout.PLACE,
    layout.STATUS,
    layout.SCORES,
    layout.MAPS,
    layout.METRICS,
    layout.NORMALS,
    layout.PICTURES,
)


@st.cache_resource(max_entries=8, show_spinner=False)
def _results(home: str, run_id: str, stamp: tuple[int, ...]) -> RunResults:
    return open_results(RunStore(Path(home)), run_id)


def notes(store: RunStore, run_id: str) -> RunNotes:
    """What people wrote about a run, as the file is now. Raises RunNotFoundError, DamagedRunError."""
    return _notes(str(store.home), run_id, file_stamp(store.folder(run_id) / layout.NOTES))


@st.cache_resource(max_entries=8, show_spinner=False)
def _notes(home: str, run_id: str, stamp: int) -> RunNotes:
    return notes_of(RunStore(Path(home)), run_id)


def failure_study(store: RunStore, run_id: str, threshold: float) -> FailureStudy:
    """What is wrong at a threshold and what goes with it, from what was measured."""
    stamps = tuple(file_stamp(answer_path(store, run_id, request)) for request in (FactsRequest(), NearestRequest()))
    return _failure_study(str(store.home), run_id, run_stamp(store, run_id), stamps, threshold)


@st.cache_resource(max_entries=32, show_spinner=False)
def _failure_study(
    home: str, run_id: str, stamp: tuple[int, ...], stamps: tuple[int, ...], threshold: float
) -> FailureStudy:
    store = RunStore(Path(home))
    return study_failures(
        results(store, run_id),
        load_answer(store, run_id, FactsRequest()),
        load_answer(store, run_id, NearestRequest()),
        threshold,
    )


def alarm_map(store: RunStore, run_id: str, quantile: float) -> AlarmMap | None:
    """Where normal test images exceed the pixel threshold; None without normal test images."""
    return _alarm_map(str(store.home), run_id, run_stamp(store, run_id), quantile)


@st.cache_resource(max_entries=16, show_spinner=False)
def _alarm_map(home: str, run_id: str, stamp: tuple[int, ...], quantile: float) -> AlarmMap | None:
    return compute_alarm_map(results(RunStore(Path(home)), run_id), quantile)


def failure_map(store: RunStore, run_id: str, request: UmapRequest, threshold: float) -> FailureMap:
    """The wrong calls at a threshold in groups, on a map that was computed before."""
    stamp = file_stamp(answer_path(store, run_id, request))
    return _failure_map(
        str(store.home), run_id, (*run_stamp(store, run_id), stamp), request.model_dump_json(), threshold
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _failure_map(home: str, run_id: str, stamp: tuple[int, ...], request_json: str, threshold: float) -> FailureMap:
    store = RunStore(Path(home))
    projection = load_answer(store, run_id, UmapRequest.model_validate_json(request_json))
    if projection is None:
        raise StoreError("The map of the test images is gone.", fix="Load the page again and compute it once more.")
    test = results(store, run_id).test
    return group_failures(
        projection.points[0], test.row.sort_values().to_numpy(), failures_of(test, threshold).row.to_numpy()
    )


def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
    """One position along the path. The first call imports torch and loads the network: some seconds."""
    image = image_of_row(results(store, run_id).table, row)
    stamp = (*run_stamp(store, run_id), file_stamp(Path(image.path)))
    return _probe(str(store.home), run_id, stamp, row, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _probe(home: str, run_id: str, stamp: tuple[int, ...], row: int, grid_row: int, grid_column: int) -> Probe:
    from wtflow.studies.probes import (
        probe as compute_probe,
    )  # imports torch, which a page that shows no probe need not pay for

    return compute_probe(RunStore(Path(home)), run_id, row, grid_row, grid_column)


def by_size(store: RunStore, run_id: str, row: int) -> BySize:
    """The map of an image taken apart by image size. The first call imports torch and loads the network."""
    image = image_of_row(results(store, run_id).table, row)
    stamp = (*run_stamp(store, run_id), file_stamp(Path(image.path)))
    return _by_size(str(store.home), run_id, stamp, row)


@st.cache_data(max_entries=50, show_spinner=False)
def _by_size(home: str, run_id: str, stamp: tuple[int, ...], row: int) -> BySize:
    from wtflow.studies.by_size import map_by_size  # imports torch

    return map_by_size(RunStore(Path(home)), run_id, row)


def file_stamp(path: Path) -> int:
    """Changes when a file is written again; the same for all that are absent."""
    try:
        return stamp_of(path.stat())
    except OSError:
        return ABSENT
