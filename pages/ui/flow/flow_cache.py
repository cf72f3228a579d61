"""Caches of a run's features along the flow: answers from its folder, quick studies, fields
for the browser.

The rules are those of cache.py: small plain keys with a stamp of the files read, and nothing that could not be made
again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import streamlit as st

from pages.ui.cache import file_stamp, results, run_stamp
from pages.ui.picture_cache import small_pictures, tiles
from pages.ui.shelves import Shelf
from wtflow.config import Coupling
from wtflow.plots.disc_views import Disc
from wtflow.plots.field import Field, Pictures
from wtflow.plots.field_encode import encode_field
from wtflow.plots.paths import map_field, position_pictures, travel_field
from wtflow.plots.pictures import data_uri
from wtflow.plots.umap_map import umap_field
from wtflow.records.core import GOOD
from wtflow.records.flow import (
    Ideal,
    Neighbour,
    PositionSet,
    Projection,
    StraightLines,
    Travel,
    at_positions,
    joined,
)
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, load_answer
from wtflow.studies.positions import drawn_evenly, thin
from wtflow.studies.requests import (
    A,
    Answer,
    PicturesRequest,
    Request,
    RequestFor,
    TravelRequest,
    UmapRequest,
    request_from_json,
)
from wtflow.studies.small_pictures import hover_looks
from wtflow.studies.well import yardstick_of

FEW_IMAGES = 12
"""Of so many a page draws the pictures to hover over itself, where nobody has: a fifth of a second."""

MOST_DRAWN = 2000
"""Moving particles in the browser at once; of more positions a part is drawn, evenly over the groups."""

MOST_OTHERS = 300
"""Normals in grey around one image: enough to show the well, few enough to leave its own positions in sight."""
PORTRAIT_PX = 360
"""The one image that stands beside its paths, twice as wide as there for sharp screens."""

Key = tuple[object, ...]
"""What a cached thing depends on, for caches of what is made from an answer."""


def run_key(store: RunStore, run_id: str) -> Key:
    return (str(store.home), run_id, *run_stamp(store, run_id))


def answer_key(store: RunStore, run_id: str, request: Request) -> Key:
    return (*run_key(store, run_id), request.model_dump_json(), file_stamp(answer_path(store, run_id, request)))


def answer(store: RunStore, run_id: str, request: RequestFor[A]) -> A | None:
    """What was computed before for this request, or None. Read from disk once per file."""
    path = answer_path(store, run_id, request)
    if not path.is_file():
        return None
    found = _answer(str(store.home), run_id, request.model_dump_json(), file_stamp(path))
    return cast(A | None, found)  # a cache's key is text, in which the kind of request is no longer a type


@st.cache_resource(max_entries=8, show_spinner=False)
def _answer(home: str, run_id: str, request_json: str, stamp: int) -> Answer | None:
    return load_answer(RunStore(Path(home)), run_id, request_from_json(request_json))


def ideal(store: RunStore, run_id: str) -> Ideal:
    """A training batch under each coupling next to the learned paths. The first call imports torch. Raises FlowError
    for a unet.
    """
    return _ideal(str(store.home), run_id, run_stamp(store, run_id))


@st.cache_resource(max_entries=4, show_spinner=False)
def _ideal(home: str, run_id: str, stamp: tuple[int, ...]) -> Ideal:
    from wtflow.machine.progress import one_thread  # imports torch
    from wtflow.studies.flow_answers import ideal_of

    with one_thread():
        return ideal_of(RunStore(Path(home)), run_id)


def neighbours(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> tuple[Neighbour, ...]:
    """The normal training positions nearest to one position. The first call of a run reads its training features."""
    return _neighbours(str(store.home), run_id, run_stamp(store, run_id), row, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _neighbours(
    home: str, run_id: str, stamp: tuple[int, ...], row: int, grid_row: int, grid_column: int
) -> tuple[Neighbour, ...]:
    from wtflow.studies.neighbours import nearest_positions  # imports torch

    return nearest_positions(RunStore(Path(home)), run_id, row, grid_row, grid_column)


@dataclass(frozen=True)
class Shown:
    """What the paths on the page are made of."""

    request: TravelRequest
    umap: UmapRequest | None = None
    """Where the angles come from, once it is there."""
    among: TravelRequest | None = None
    """The paths whose normals are drawn in grey around those of one image."""
    lines: Coupling | None = None
    """The coupling of the straight lines under the paths."""

    @property
    def requests(self) -> tuple[Request, ...]:
        return tuple(one for one in (self.request, self.among, self.umap) if one is not None)


def paths_field(store: RunStore, run_id: str, shown: Shown) -> dict:
    """The moving field of paths that were computed before, ready for the browser. Its ids count the positions of
    `drawn(travel)`, then those of `others(...)`.
    """

    def build(travel: Travel, *answers: Any) -> Field:
        around = answers[0] if shown.among else None
        chosen, of = drawn(travel), drawn_evenly(travel.positions.group, MOST_DRAWN, seed=0)
        umap_end = answers[-1].points[-1][of] if shown.umap else None
        pictures = hover_pictures(store, run_id, chosen.positions, None if around is None else PORTRAIT_PX)
        among = None if around is None else others(travel, around)
        straight = None if shown.lines is None else straight_lines(store, run_id, shown, shown.lines)
        return travel_field(chosen, yardstick_of(around or travel), pictures, umap_end, among, straight)

    return _field(f"paths {shown.lines}", store, run_id, shown.requests, build)


def drawn(travel: Travel) -> Travel:
    """The part of a travel that moves in the browser: all of it, or positions drawn evenly over the groups."""
    return thin(travel, MOST_DRAWN)


def others(travel: Travel, around: Travel) -> Travel | None:
    """Normals of other images that those of one image are compared with; None where there are none."""
    own = set(travel.positions.row.tolist())
    normals = [
        i
        for i, (row, group) in enumerate(
            zip(around.positions.row.tolist(), around.positions.group.tolist(), strict=True)
        )
        if group == GOOD and row not in own
    ]
    return thin(at_positions(around, normals), MOST_OTHERS) if normals else None


def disc_of(store: RunStore, run_id: str, shown: Shown, travel: Travel) -> Disc | None:
    """What the disc of these paths is drawn from in files; None without normals. Around one image no shares are told:
    they are not those of what is drawn.
    """
    around = answer(store, run_id, shown.among) if shown.among else None
    yardstick = yardstick_of(around or travel)
    umap = answer(store, run_id, shown.umap) if shown.umap else None
    if yardstick.well_radius is None:
        return None
    return Disc(
        yardstick if around is None else replace(yardstick, shares={}), None if umap is None else umap.points[-1]
    )


def straight_lines(store: RunStore, run_id: str, shown: Shown, coupling: Coupling) -> StraightLines:
    """The lines from the positions drawn to their noise. The first call imports torch."""
    requests = tuple(one.model_dump_json() for one in (shown.request, shown.among) if one is not None)
    stamps = tuple(file_stamp(answer_path(store, run_id, one)) for one in shown.requests)
    return _straight_lines(str(store.home), run_id, (*run_stamp(store, run_id), *stamps), requests, coupling)


@st.cache_resource(max_entries=12, show_spinner=False)
def _straight_lines(
    home: str, run_id: str, stamp: tuple[int, ...], requests: tuple[str, ...], coupling: Coupling
) -> StraightLines:
    from wtflow.machine.progress import one_thread  # imports torch
    from wtflow.studies.run_flow import open_flow
    from wtflow.studies.straight import straight_lines

    store = RunStore(Path(home))
    travel, *around = (cast(Travel, load_answer(store, run_id, request_from_json(one))) for one in requests)
    chosen = drawn(travel)
    among = others(travel, around[0]) if around else None
    with one_thread():
        positions = chosen.positions if among is None else joined(chosen, among).positions
        return straight_lines(open_flow(store, run_id), positions, coupling)


def wells_field(store: RunStore, run_id: str, request: TravelRequest, umap: UmapRequest | None) -> dict:
    """The map of positions around the well, ready for the browser; umap: where its angles come from."""

    def build(travel: Travel, projection: Projection | None = None) -> Field:
        umap_end = None if projection is None else projection.points[-1]
        return map_field(travel, yardstick_of(travel), hover_pictures(store, run_id, travel.positions), umap_end)

    return _field("wells", store, run_id, (request, umap) if umap else (request,), build)


def projected_field(store: RunStore, run_id: str, request: UmapRequest) -> dict:
    """The UMAP of positions at one time, ready for the browser. Both it and its paths were computed before."""

    def build(travel: Travel, projection: Projection) -> Field:
        pictures = hover_pictures(store, run_id, travel.positions)
        return umap_field(travel, projection, yardstick_of(travel).well_radius, pictures)

    return _field("umap", store, run_id, (request.travel, request), build)


def _field(
    what: str,
    store: RunStore,
    run_id: str,
    requests: tuple[Request, ...],
    build: Callable[..., Field],
) -> dict:
    """An encoded field by everything it depends on: `build` gets the answers to the requests. Building shows progress,
    which cached functions cannot.
    """
    stamps = tuple(file_stamp(answer_path(store, run_id, one)) for one in (*requests, PicturesRequest()))
    key = (what, str(store.home), run_id, requests, run_stamp(store, run_id), stamps)
    shelf = fields()
    found = shelf.get(key)
    if found is None:
        found = encode_field(build(*(answer(store, run_id, one) for one in requests)))
        shelf.put(key, found)
    return found


@st.cache_resource(show_spinner=False)
def fields() -> Shelf[dict[str, Any]]:
    """Encoded particle fields; a few megabytes each."""
    return Shelf(6)


def hover_pictures(store: RunStore, run_id: str, positions: PositionSet, size_px: int | None = None) -> Pictures | None:
    """Small pictures of the images that positions lie in; None while a process draws those of a run for the first
    time. They are as large as their number allows unless a size is given.
    """
    results_ = results(store, run_id)
    rows = sorted({int(row) for row in positions.row})
    if size_px is None and len(rows) > FEW_IMAGES and answer(store, run_id, PicturesRequest()) is None:
        return None
    shown = results_.table.set_index("row").loc[rows]
    looks = hover_looks(len(rows) if len(rows) <= FEW_IMAGES else len(results_.test))
    if size_px is not None:
        looks = [(look, size_px) for look, _ in looks]
    small = small_pictures(store, run_id)
    drawn_ = [tiles(small, row, looks) for row in rows]
    images, maps = ([data_uri(one.jpeg) for one in of_look] for of_look in zip(*drawn_, strict=True))
    return position_pictures(positions, results_.maps.shape[1:], rows, list(shown.sample_id), images, maps)
