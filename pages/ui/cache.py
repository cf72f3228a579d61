"""The only caches, with shelves, data_cache, mask_cache, flow_cache and compare_cache. Keys are small plain values with
a stamp of the files read; without them only speed changes.
"""

from pathlib import Path

import streamlit as st

from wtflow.datasets.images import load_image
from wtflow.datasets.stamps import ABSENT, stamp_of
from wtflow.errors import StoreError
from wtflow.failures.calls import alarm_map as compute_alarm_map
from wtflow.failures.calls import failures_of
from wtflow.failures.groups import group_failures
from wtflow.failures.regions import compare_regions
from wtflow.failures.words import FailureStudy, study_failures
from wtflow.plots.failures import paint_segments
from wtflow.plots.pictures import crop_around, encode_jpeg, overlay, thumbnail
from wtflow.records.core import Probe
from wtflow.records.failures import AlarmMap, FailureMap, RegionReport
from wtflow.records.notes import RunNotes
from wtflow.results import RunResults, image_of_row, open_results, outline_of, pixel_map, truth_of
from wtflow.store import layout
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, load_answer
from wtflow.studies.requests import FactsRequest, NearestRequest, UmapRequest

THUMBNAIL_PX = 320
"""Twice the width of a card, for screens with two pixels per point."""

CROP_PX = 192


def results(store: RunStore, run_id: str) -> RunResults:
    """The results of a finished run. Raises RunNotFoundError, DamagedRunError."""
    return _results(str(store.home), run_id, run_stamp(store, run_id))


def run_stamp(store: RunStore, run_id: str) -> tuple[int, ...]:
    """Changes when a run is written again. Raises RunNotFoundError."""
    return tuple(
        file_stamp(store.result_path(run_id, name))
        for name in (layout.CONFIG, layout.STATUS, layout.SCORES, layout.MAPS, layout.METRICS)
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


def picture(path: str, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of an image file, its longer side `size_px`. Raises ImageReadError."""
    return _picture(path, size_px, file_stamp(Path(path)))


@st.cache_data(max_entries=3000, show_spinner=False)
def _picture(path: str, size_px: int, stamp: int) -> bytes:
    return encode_jpeg(thumbnail(load_image(Path(path), None), size_px))


def scored(store: RunStore, run_id: str, row: int, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of a scored image, the true defect outlined as the run counts it. Raises ImageReadError."""
    return _scored(str(store.home), run_id, run_stamp(store, run_id), row, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _scored(home: str, run_id: str, stamp: tuple[int, ...], row: int, size_px: int) -> bytes:
    small, mask = _small(_results(home, run_id, stamp), row, size_px)
    return encode_jpeg(small if mask is None else overlay(small, mask, (0.0, 1.0), 0.0, mask))


def heat(store: RunStore, run_id: str, row: int, opacity: float, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of a scored image under its map, on the run's colour scale, the true defect outlined.
    Raises ImageReadError.
    """
    return _heat(str(store.home), run_id, run_stamp(store, run_id), row, opacity, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _heat(home: str, run_id: str, stamp: tuple[int, ...], row: int, opacity: float, size_px: int) -> bytes:
    found = _results(home, run_id, stamp)
    small, mask = _small(found, row, size_px)
    return encode_jpeg(overlay(small, pixel_map(found, row), found.color_range, opacity, mask))


def _small(found: RunResults, row: int, size_px: int):
    """An image of the score table with its longer side `size_px`, and its mask (None: it has none)."""
    image = image_of_row(found.table, row)
    mask = outline_of(found, image)
    return thumbnail(load_image(Path(image.path), None), size_px), mask


def hover(store: RunStore, run_id: str, row: int, size_px: int) -> tuple[bytes, bytes]:
    """JPEG of a scored image and of its map alone, with the true defect outlined there; the file is read once for
    both. Raises ImageReadError.
    """
    return _hover(str(store.home), run_id, run_stamp(store, run_id), row, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _hover(home: str, run_id: str, stamp: tuple[int, ...], row: int, size_px: int) -> tuple[bytes, bytes]:
    found = _results(home, run_id, stamp)
    small, mask = _small(found, row, size_px)
    return encode_jpeg(small), encode_jpeg(overlay(small, pixel_map(found, row), found.color_range, 1.0, mask))


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


def segments(
    store: RunStore, run_id: str, row: int, threshold: float, size_px: int
) -> tuple[bytes, RegionReport | None]:
    """JPEG of an image with its map cut at a pixel threshold over its mask, and the regions of
    both (None without a valid mask).

    Raises ImageReadError.
    """
    return _segments(str(store.home), run_id, run_stamp(store, run_id), row, threshold, size_px)


@st.cache_data(max_entries=500, show_spinner=False)
def _segments(
    home: str, run_id: str, stamp: tuple[int, ...], row: int, threshold: float, size_px: int
) -> tuple[bytes, RegionReport | None]:
    found = results(RunStore(Path(home)), run_id)
    image = image_of_row(found.table, row)
    truth, values = truth_of(found, image), pixel_map(found, row)
    small = thumbnail(load_image(Path(image.path), None), size_px)
    mask = values < 0 if truth is None else truth.mask
    painted = paint_segments(small, values >= threshold, mask)
    return encode_jpeg(painted), None if truth is None else compare_regions(values, truth, threshold)


def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
    """One position along the path. The first call imports torch and loads the network: some seconds."""
    return _probe(str(store.home), run_id, run_stamp(store, run_id), row, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _probe(home: str, run_id: str, stamp: tuple[int, ...], row: int, grid_row: int, grid_column: int) -> Probe:
    from wtflow.studies.probes import (
        probe as compute_probe,
    )  # imports torch, which a page that shows no probe need not pay for

    return compute_probe(RunStore(Path(home)), run_id, row, grid_row, grid_column)


def crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int]) -> bytes:
    """JPEG of the surroundings of a grid position, the position ringed. Raises ImageReadError."""
    return _crop(path, grid_row, grid_column, shape, file_stamp(Path(path)))


@st.cache_data(max_entries=1000, show_spinner=False)
def _crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int], stamp: int) -> bytes:
    return encode_jpeg(crop_around(load_image(Path(path), None), grid_row, grid_column, shape, CROP_PX))


def file_stamp(path: Path) -> int:
    """Changes when a file is written again; the same for all that are absent."""
    try:
        return stamp_of(path.stat())
    except OSError:
        return ABSENT
