"""Caches of the strip: the paths of an image's positions, its story for the browser, the nearest normal patch. The
rules are those of cache.py.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import picture_cache
from pages.ui.cache import file_stamp, results, run_stamp
from pages.ui.flow import flow_cache
from pages.ui.shelves import Shelf
from wtflow.errors import StoreError
from wtflow.plots.follow import Beside, Story, encode_story
from wtflow.plots.pictures import thumbnail
from wtflow.records.follow import OverTime, Yardstick
from wtflow.results import ScoreRow, image_of_row
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path
from wtflow.studies.follow import free_cells, ring_angles
from wtflow.studies.follow_story import PICTURE_PX, build_story, cells_inside
from wtflow.studies.requests import OverTimeRequest, YardstickRequest

YARDSTICK, OVER_TIME = YardstickRequest(), OverTimeRequest()


def yardstick(store: RunStore, run_id: str) -> Yardstick | None:
    return flow_cache.answer(store, run_id, YARDSTICK)


def over_time(store: RunStore, run_id: str) -> OverTime | None:
    return flow_cache.answer(store, run_id, OVER_TIME)


def story(store: RunStore, run_id: str, row: int) -> Story:
    """The story of an image. The first call imports torch and loads the network: some seconds. Raises StoreError
    without the yardstick.
    """
    return _shelved(store, run_id, row)[0]


def encoded_story(store: RunStore, run_id: str, row: int) -> dict[str, Any]:
    """The same, ready for the browser."""
    return _shelved(store, run_id, row)[1]


def _shelved(store: RunStore, run_id: str, row: int) -> tuple[Story, dict[str, Any]]:
    image = image_of_row(results(store, run_id).table, row)
    stamps = tuple(file_stamp(answer_path(store, run_id, one)) for one in (YARDSTICK, OVER_TIME))
    files = (file_stamp(Path(image.path)), file_stamp(Path(image.mask_path)) if image.mask_path else 0)
    key = (str(store.home), run_id, row, run_stamp(store, run_id), files, stamps)
    found = _stories().get(key)
    if found is None:
        made = _build(store, run_id, image)
        found = made, encode_story(made)
        _stories().put(key, found)
    return found


def _build(store: RunStore, run_id: str, image: ScoreRow) -> Story:
    from wtflow.machine.progress import one_thread  # imports torch
    from wtflow.studies.follow_paths import paths_of_image
    from wtflow.studies.run_flow import open_flow

    found, measure, row = results(store, run_id), _needed(store, run_id), int(image.row)
    free = free_cells(cells_inside(found, image), found.maps.shape[1:])
    with one_thread():
        paths, alike = paths_of_image(open_flow(store, run_id), row, measure, free)
    shown = picture_cache.full_picture(store, run_id, row)
    return build_story(store, found, image, shown, measure, paths, alike, over_time(store, run_id))


def nearest(store: RunStore, run_id: str, row: int, cell: tuple[int, int]) -> Beside:
    """The nearest normal training patch of a position. The first call of a run reads its training features."""
    return _nearest(str(store.home), run_id, run_stamp(store, run_id), row, cell)


@st.cache_resource(show_spinner=False)
def _stories() -> Shelf[tuple[Story, dict[str, Any]]]:
    """Of the images looked at last; about half a megabyte each."""
    return Shelf(8)


@st.cache_resource(max_entries=50, show_spinner=False)
def _nearest(home: str, run_id: str, stamp: tuple[int, ...], row: int, cell: tuple[int, int]) -> Beside:
    from wtflow.machine.progress import one_thread  # imports torch
    from wtflow.studies.follow_paths import path_of_training
    from wtflow.studies.run_flow import open_flow

    store = RunStore(Path(home))
    closest = flow_cache.neighbours(store, run_id, row, *cell)[0]
    there, measure = (closest.grid_row, closest.grid_column), _needed(store, run_id)
    with one_thread():
        path = path_of_training(open_flow(store, run_id), closest.sample_id, *there, measure)
    original = results(store, run_id).seen.original(closest.sample_id, None)
    angle = float(ring_angles(measure, path.plane_end)[0])
    return Beside(closest.sample_id, there, thumbnail(original, PICTURE_PX), path, angle, closest.distance)


def _needed(store: RunStore, run_id: str) -> Yardstick:
    found = yardstick(store, run_id)
    if found is None:
        raise StoreError("What a path is compared with is gone.", fix="Load the page again to compute it once more.")
    return found
