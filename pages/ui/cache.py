"""The only caches. Keys are small plain values with a stamp of the files read; deleting every cache changes nothing but speed."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from wtflow.datasets.images import load_image, load_mask
from wtflow.datasets.layouts import RootScan
from wtflow.datasets.mvtec import find_categories, scan_category
from wtflow.derive.files import Answer, answer_path, load_answer
from wtflow.derive.requests import Request, TravelRequest, UmapRequest, request_from_json
from wtflow.plots.field import Field, Pictures, encode_field
from wtflow.plots.paths import map_field, position_pictures, travel_field
from wtflow.plots.pictures import crop_around, data_uri, encode_jpeg, overlay, thumbnail
from wtflow.positions import thin
from wtflow.records import GOOD, Category, HealthReport, Probe
from wtflow.records_flow import Ideal, Landscape, Neighbour, PositionSet, Projection, Travel
from wtflow.results import RunResults, open_results, pixel_map
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.well import shell, well_radius

THUMBNAIL_PX = 320
"""Twice the width of a card, for screens with two pixels per point."""

HOVER_PX = 112
"""Pictures shown beside a point under the cursor: hundreds of them travel to the browser at once."""

CROP_PX = 192

SCAN_AGAIN_AFTER_S = 5
"""A folder is listed anew after so long; images that were added meanwhile appear without pressing anything."""


class Shelf:
    """A few results by key, the least recently put thrown out. For work that reports progress, which cached functions cannot."""

    def __init__(self, n_kept: int) -> None:
        self._kept: dict[object, object] = {}
        self._n_kept = n_kept

    def get(self, key: object) -> object | None:
        return self._kept.get(key)

    def put(self, key: object, value: object) -> None:
        self._kept[key] = value
        while len(self._kept) > self._n_kept:
            self._kept.pop(next(iter(self._kept)), None)


@st.cache_resource(show_spinner=False)
def reports() -> Shelf:
    """Health reports by `fingerprint`."""
    return Shelf(16)


@st.cache_resource(show_spinner=False)
def tried() -> Shelf:
    """Scores of dropped images by (store, run, stamp, hash of the bytes)."""
    return Shelf(32)


def results(store: RunStore, run_id: str) -> RunResults:
    """The results of a finished run. Raises RunNotFoundError, DamagedRunError."""
    return _results(str(store.home), run_id, run_stamp(store, run_id))


def run_stamp(store: RunStore, run_id: str) -> tuple[int, ...]:
    """Changes whenever a run is written anew. Raises RunNotFoundError."""
    folder = store.folder(run_id)
    return tuple(_stamp(folder / name) for name in (layout.CONFIG, layout.STATUS, layout.SCORES, layout.MAPS, layout.METRICS))


@st.cache_resource(max_entries=4, show_spinner=False)
def _results(home: str, run_id: str, stamp: tuple[int, ...]) -> RunResults:
    return open_results(RunStore(Path(home)), run_id)


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=8, show_spinner=False)
def categories(root: str) -> RootScan:
    return find_categories(Path(root))


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=64, show_spinner=False)
def category(root: str, name: str) -> Category:
    return scan_category(Path(root), name)


def fingerprint(found: Category) -> int:
    """Changes when an image or a mask of the category is added, removed or written anew. Opens no file."""
    return hash(tuple((s.id, _stamp(s.path), s.mask_path and _stamp(s.mask_path)) for s in found.samples))


def report(found: Category) -> HealthReport | None:
    """The health report if it was made and the files are still the same."""
    return reports().get((str(found.root), found.name, fingerprint(found)))


def keep_report(found: Category, value: HealthReport) -> None:
    reports().put((str(found.root), found.name, fingerprint(found)), value)


def picture(path: str, mask_path: str, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of an image file, its longer side `size_px`, with its mask outlined. Raises ImageReadError."""
    return _picture(path, mask_path, size_px, _stamp(Path(path)))


@st.cache_data(max_entries=3000, show_spinner=False)
def _picture(path: str, mask_path: str, size_px: int, stamp: int) -> bytes:
    small = thumbnail(load_image(Path(path), None), size_px)
    if mask_path:
        mask = load_mask(Path(mask_path), None)
        small = overlay(small, mask, (0.0, 1.0), 0.0, mask)
    return encode_jpeg(small)


def heat(store: RunStore, run_id: str, row: int, opacity: float, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of a scored image under its map, on the run's colour scale, the true defect outlined. Raises ImageReadError."""
    return _heat(str(store.home), run_id, run_stamp(store, run_id), row, opacity, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _heat(home: str, run_id: str, stamp: tuple[int, ...], row: int, opacity: float, size_px: int) -> bytes:
    found = _results(home, run_id, stamp)
    facts = found.table[found.table.row == row].iloc[0]
    small = thumbnail(load_image(Path(facts.path), None), size_px)
    mask = load_mask(Path(facts.mask_path), None) if facts.mask_path else None
    return encode_jpeg(overlay(small, pixel_map(found, row), found.color_range, opacity, mask))


def probe(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> Probe:
    """One position along the path. The first call imports torch and loads the network: some seconds."""
    return _probe(str(store.home), run_id, run_stamp(store, run_id), row, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _probe(home: str, run_id: str, stamp: tuple[int, ...], row: int, grid_row: int, grid_column: int) -> Probe:
    from wtflow.analysis import probe as compute_probe  # imports torch, which a page that shows no probe need not pay for

    return compute_probe(RunStore(Path(home)), run_id, row, grid_row, grid_column)


def neighbours(store: RunStore, run_id: str, row: int, grid_row: int, grid_column: int) -> tuple[Neighbour, ...]:
    """The normal training positions nearest to one position. The first call of a run reads its training features."""
    return _neighbours(str(store.home), run_id, run_stamp(store, run_id), row, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _neighbours(home: str, run_id: str, stamp: tuple[int, ...], row: int, grid_row: int, grid_column: int) -> tuple[Neighbour, ...]:
    from wtflow.derive.neighbours import nearest_positions  # imports torch

    return nearest_positions(RunStore(Path(home)), run_id, row, grid_row, grid_column)


def crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int]) -> bytes:
    """JPEG of the surroundings of a grid position, the position ringed. Raises ImageReadError."""
    return _crop(path, grid_row, grid_column, shape, _stamp(Path(path)))


@st.cache_data(max_entries=1000, show_spinner=False)
def _crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int], stamp: int) -> bytes:
    return encode_jpeg(crop_around(load_image(Path(path), None), grid_row, grid_column, shape, CROP_PX))


def answer(store: RunStore, run_id: str, request: Request) -> Answer | None:
    """What was computed before for this request, or None. Read from disk once per file."""
    path = answer_path(store, run_id, request)
    return _answer(str(store.home), run_id, request.model_dump_json(), _stamp(path)) if path.is_file() else None


@st.cache_resource(max_entries=8, show_spinner=False)
def _answer(home: str, run_id: str, request_json: str, stamp: int) -> Answer | None:
    return load_answer(RunStore(Path(home)), run_id, request_from_json(request_json))


def ideal(store: RunStore, run_id: str) -> Ideal:
    """A training batch under each coupling beside the learned paths. The first call imports torch. Raises FlowError for a unet."""
    return _ideal(str(store.home), run_id, run_stamp(store, run_id))


@st.cache_resource(max_entries=4, show_spinner=False)
def _ideal(home: str, run_id: str, stamp: tuple[int, ...]) -> Ideal:
    from wtflow.analysis import one_thread  # imports torch
    from wtflow.derive.compute import ideal_of

    with one_thread():
        return ideal_of(RunStore(Path(home)), run_id)


def landscape(store: RunStore, run_id: str, kind: str, normal: tuple[int, int, int], defect: tuple[int, int, int], t: float) -> Landscape:
    """The field on a plane through the run's features at time t. The first call imports torch. Raises FlowError."""
    return _landscape(str(store.home), run_id, run_stamp(store, run_id), kind, normal, defect, t)


@st.cache_resource(max_entries=60, show_spinner=False)
def _landscape(home: str, run_id: str, stamp: tuple[int, ...], kind: str, normal: tuple, defect: tuple, t: float) -> Landscape:
    from wtflow.analysis import one_thread  # imports torch
    from wtflow.derive.compute import landscape_of

    with one_thread():
        return landscape_of(RunStore(Path(home)), run_id, kind, normal, defect, t)


def paths_field(store: RunStore, run_id: str, request: TravelRequest, umap: UmapRequest | None, n_most: int) -> dict:
    """The moving field of paths that were computed before, ready for the browser: at most `n_most` of them, with pictures to hover."""

    def build(travel: Travel, projection: Projection | None) -> Field:
        chosen = thin(travel, n_most)
        pictures = hover_pictures(store, run_id, chosen.positions)
        return travel_field(chosen, shell(travel.n_channels), pictures, projection if chosen is travel else None)

    return _field("paths", store, run_id, request, umap, build)


def wells_field(store: RunStore, run_id: str, request: TravelRequest, umap: UmapRequest | None) -> dict:
    """The map of positions at start, middle and end, ready for the browser."""

    def build(travel: Travel, projection: Projection | None) -> Field:
        radius = well_radius(travel) if GOOD in travel.positions.groups else None
        return map_field(travel, radius, hover_pictures(store, run_id, travel.positions), projection)

    return _field("wells", store, run_id, request, umap, build)


def _field(what: str, store: RunStore, run_id: str, request: TravelRequest, umap: UmapRequest | None, build: Callable[..., Field]) -> dict:
    """An encoded field by everything it depends on. Building shows progress, which cached functions cannot."""
    stamps = tuple(_stamp(answer_path(store, run_id, one)) for one in (request, umap) if one is not None)
    key = (what, str(store.home), run_id, request, umap, run_stamp(store, run_id), stamps)
    shelf = fields()
    found = shelf.get(key)
    if found is None:
        found = encode_field(build(answer(store, run_id, request), None if umap is None else answer(store, run_id, umap)))
        shelf.put(key, found)
    return found


@st.cache_resource(show_spinner=False)
def fields() -> Shelf:
    """Encoded particle fields; a few megabytes each."""
    return Shelf(6)


def hover_pictures(store: RunStore, run_id: str, positions: PositionSet) -> Pictures:
    """Small pictures of the images that positions lie in, with a bar while they are made."""
    results_ = results(store, run_id)
    rows = sorted({int(row) for row in positions.row})
    facts = results_.table.set_index("row").loc[rows]
    bar = st.progress(0.0, text="Drawing small pictures")
    images, maps = [], []
    for i, (row, path) in enumerate(zip(rows, facts.path, strict=True)):
        images.append(data_uri(picture(path, "", HOVER_PX)))
        maps.append(data_uri(heat(store, run_id, row, 1.0, HOVER_PX)))
        bar.progress((i + 1) / len(rows), text=f"Drawing small pictures: {i + 1} of {len(rows)}")
    bar.empty()
    return position_pictures(positions, results_.maps.shape[1:], rows, list(facts.sample_id), images, maps)


def _stamp(path: Path) -> int:
    try:
        facts = path.stat()
    except OSError:
        return -1
    return hash((facts.st_mtime_ns, facts.st_size, facts.st_ino))
