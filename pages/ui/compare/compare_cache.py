"""Caches of what belongs to several runs together:
their common images, metrics with intervals, counted pixels, figures.

The rules are those of cache.py: small plain keys with a stamp of the files read, and nothing that could not be made
again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from pages.ui.cache import file_stamp, results, run_stamp
from pages.ui.shelves import Shelf
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.pixel_tally import load_tally, tally_path
from wtflow.compare.runs import Comparison, align, compare_images, compare_pixels, normal_reference
from wtflow.records.compare import MetricRow, PixelTally
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


def tally(store: RunStore, run_id: str) -> PixelTally | None:
    """The run's counted pixels if they were counted before. Read from disk once per file."""
    path = tally_path(store, run_id)
    return _tally(str(store.home), run_id, file_stamp(path)) if path.is_file() else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _tally(home: str, run_id: str, stamp: int) -> PixelTally | None:
    return load_tally(RunStore(Path(home)), run_id)


def pixel_rows(store: RunStore, run_ids: tuple[str, ...]) -> tuple[MetricRow, ...]:
    """Pixel metrics of the runs on their common images, with intervals where the pixels of all of them were counted."""
    stamps = tuple(file_stamp(tally_path(store, run_id)) for run_id in run_ids)
    return _pixel_rows(str(store.home), run_ids, compare_stamp(store, run_ids), stamps)


@st.cache_data(max_entries=16, show_spinner=False)
def _pixel_rows(
    home: str, run_ids: tuple[str, ...], stamps: tuple[tuple[int, ...], ...], tallied: tuple[int, ...]
) -> tuple[MetricRow, ...]:
    found = [tally(RunStore(Path(home)), run_id) for run_id in run_ids]
    tallies = [one for one in found if one is not None]
    return compare_pixels(_comparison(home, run_ids, stamps), tallies if len(tallies) == len(found) else None)


def pixel_words(store: RunStore, compared: Comparison) -> tuple[str, ...]:
    """Of how many images the runs' pixel metrics are, in sentences."""
    tallies = [tally(store, run.run_id) for run in compared.runs]
    counted = [one for one in tallies if one is not None]
    return pixel_images_words(compared, counted if len(counted) == len(tallies) else None)


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
