"""The only caches, with cache_flow. Keys are small plain values with a stamp of the files read; deleting every cache changes nothing but speed."""

from pathlib import Path

import streamlit as st

from wtflow.datasets.images import load_image, load_mask
from wtflow.datasets.layouts import RootScan
from wtflow.datasets.mvtec import find_categories, scan_category
from wtflow.plots.pictures import crop_around, encode_jpeg, overlay, thumbnail
from wtflow.records import Category, HealthReport, Probe
from wtflow.results import RunResults, open_results, pixel_map
from wtflow.store import layout
from wtflow.store.runs import RunStore

THUMBNAIL_PX = 320
"""Twice the width of a card, for screens with two pixels per point."""

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
    return tuple(file_stamp(folder / name) for name in (layout.CONFIG, layout.STATUS, layout.SCORES, layout.MAPS, layout.METRICS))


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
    return hash(tuple((s.id, file_stamp(s.path), s.mask_path and file_stamp(s.mask_path)) for s in found.samples))


def report(found: Category) -> HealthReport | None:
    """The health report if it was made and the files are still the same."""
    return reports().get((str(found.root), found.name, fingerprint(found)))


def keep_report(found: Category, value: HealthReport) -> None:
    reports().put((str(found.root), found.name, fingerprint(found)), value)


def picture(path: str, mask_path: str, size_px: int = THUMBNAIL_PX) -> bytes:
    """JPEG of an image file, its longer side `size_px`, with its mask outlined. Raises ImageReadError."""
    return _picture(path, mask_path, size_px, file_stamp(Path(path)))


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


def crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int]) -> bytes:
    """JPEG of the surroundings of a grid position, the position ringed. Raises ImageReadError."""
    return _crop(path, grid_row, grid_column, shape, file_stamp(Path(path)))


@st.cache_data(max_entries=1000, show_spinner=False)
def _crop(path: str, grid_row: int, grid_column: int, shape: tuple[int, int], stamp: int) -> bytes:
    return encode_jpeg(crop_around(load_image(Path(path), None), grid_row, grid_column, shape, CROP_PX))


def file_stamp(path: Path) -> int:
    """Changes when a file is written anew; the same for all that are absent."""
    try:
        facts = path.stat()
    except OSError:
        return -1
    return hash((facts.st_mtime_ns, facts.st_size, facts.st_ino))
