"""Caches of the pictures of a run: what it scored, with maps and outlines. The rules are those of cache.py."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui.cache import THUMBNAIL_PX, file_stamp, results, run_stamp
from wtflow.datasets.masks.live import FileTruth
from wtflow.failures.regions import compare_regions
from wtflow.pictures import Shown, full_picture_of, picture_of
from wtflow.plots.failures import paint_segments
from wtflow.plots.masks import hatch
from wtflow.plots.pictures import crop_around, draw_outline, encode_jpeg, overlay, thumbnail, to_uint8
from wtflow.records.failures import RegionReport
from wtflow.results import RunResults, ScoreRow, image_of_row, outline_of, pixel_map, truth_to_draw
from wtflow.store.runs import RunStore

CROP_PX = 192

Stamps = tuple[int, ...]


class Tile(NamedTuple):
    """A JPEG, and why it does not show the image that was scored (empty where it does)."""

    jpeg: bytes
    note: str


def plain_tile(store: RunStore, run_id: str, row: int, size_px: int = THUMBNAIL_PX) -> Tile:
    """A scored image, its longer side at most `size_px`, with the true defect outlined, and stripes over what
    is left out.
    """
    return _plain_tile(*_key(store, run_id, row), size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _plain_tile(home: str, run_id: str, row: int, stamps: Stamps, size_px: int) -> Tile:
    found, image, shown = _open(home, run_id, row)
    small, truth = thumbnail(shown.pixels, size_px), truth_to_draw(found, image)
    if truth is not None and not truth.is_normal:
        small = draw_outline(hatch(small, truth.ignored), truth.mask)
    return Tile(encode_jpeg(small), _note(shown))


def heat(store: RunStore, run_id: str, row: int, opacity: float, size_px: int = THUMBNAIL_PX) -> Tile:
    """A scored image under its map, on the run's colour scale, the true defect outlined."""
    return _heat(*_key(store, run_id, row), opacity, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _heat(home: str, run_id: str, row: int, stamps: Stamps, opacity: float, size_px: int) -> Tile:
    found, image, shown = _open(home, run_id, row)
    small, values = thumbnail(shown.pixels, size_px), pixel_map(found, row)
    mixed = overlay(small, values, found.color_range, opacity, outline_of(found, image))
    return Tile(encode_jpeg(mixed), _note(shown))


def hover(store: RunStore, run_id: str, row: int, size_px: int) -> tuple[bytes, bytes]:
    """JPEG of a scored image and of its map alone, with the true defect outlined there; the picture is read once for
    both.
    """
    return _hover(*_key(store, run_id, row), size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _hover(home: str, run_id: str, row: int, stamps: Stamps, size_px: int) -> tuple[bytes, bytes]:
    found, image, shown = _open(home, run_id, row)
    small = thumbnail(shown.pixels, size_px)
    over = overlay(small, pixel_map(found, row), found.color_range, 1.0, outline_of(found, image))
    return encode_jpeg(small), encode_jpeg(over)


def segments(
    store: RunStore, run_id: str, row: int, threshold: float, size_px: int
) -> tuple[Tile, RegionReport | None]:
    """An image with its map cut at a pixel threshold over its mask, and the regions of both (None without a valid
    mask).
    """
    return _segments(*_key(store, run_id, row), threshold, size_px)


@st.cache_data(max_entries=500, show_spinner=False)
def _segments(
    home: str, run_id: str, row: int, stamps: Stamps, threshold: float, size_px: int
) -> tuple[Tile, RegionReport | None]:
    found, image, shown = _open(home, run_id, row)
    truth, values = truth_to_draw(found, image), pixel_map(found, row)
    small = thumbnail(shown.pixels, size_px)
    nothing = values < 0
    mask, ignored = (nothing, nothing) if truth is None else (truth.mask, truth.ignored)
    painted = paint_segments(small, values >= threshold, mask, ignored)
    tile = Tile(encode_jpeg(painted), _note(shown))
    return tile, None if truth is None else compare_regions(values, truth, threshold)


def full_picture(store: RunStore, run_id: str, row: int) -> Shown:
    """A scored image at full size where the file is unchanged; else what is left of it, and why."""
    image = image_of_row(results(store, run_id).table, row)
    return _full_picture(str(store.home), run_id, row, (*run_stamp(store, run_id), file_stamp(Path(image.path))))


@st.cache_resource(max_entries=4, show_spinner=False)
def _full_picture(home: str, run_id: str, row: int, stamps: Stamps) -> Shown:
    found = results(RunStore(Path(home)), run_id)
    return full_picture_of(found, image_of_row(found.table, row))


def crop(
    store: RunStore, run_id: str, sample_id: str, grid_row: int, grid_column: int, shape: tuple[int, int]
) -> bytes:
    """JPEG of the surroundings of a grid position, the position ringed, of any image of the run. Raises
    ImageReadError, ImageChangedError.
    """
    return _crop(str(store.home), run_id, sample_id, _original(store, run_id, sample_id), grid_row, grid_column, shape)


@st.cache_data(max_entries=1000, show_spinner=False)
def _crop(
    home: str, run_id: str, sample_id: str, stamps: Stamps, grid_row: int, grid_column: int, shape: tuple[int, int]
) -> bytes:
    original = results(RunStore(Path(home)), run_id).seen.original(sample_id, None)
    return encode_jpeg(crop_around(original, grid_row, grid_column, shape, CROP_PX))


def training_picture(store: RunStore, run_id: str, sample_id: str) -> bytes:
    """JPEG of an image that the run learned from. Raises ImageReadError, ImageChangedError."""
    return _training_picture(str(store.home), run_id, sample_id, _original(store, run_id, sample_id))


@st.cache_data(max_entries=1000, show_spinner=False)
def _training_picture(home: str, run_id: str, sample_id: str, stamps: Stamps) -> bytes:
    original = results(RunStore(Path(home)), run_id).seen.original(sample_id, None)
    return encode_jpeg(thumbnail(to_uint8(original), THUMBNAIL_PX))


def _key(store: RunStore, run_id: str, row: int) -> tuple[str, str, int, Stamps]:
    """A scored image, and stamps of all files that its pictures are drawn from."""
    found = results(store, run_id)
    image = image_of_row(found.table, row)
    read = [image.mask_path] if image.mask_path and isinstance(found.truth, FileTruth) else []
    if not found.seen.holds_pictures():
        read.append(image.path)
    stamps = (*run_stamp(store, run_id), *(file_stamp(Path(path)) for path in read))
    return str(store.home), run_id, row, stamps


def _original(store: RunStore, run_id: str, sample_id: str) -> Stamps:
    entry = results(store, run_id).seen.entries.get(sample_id)
    return (*run_stamp(store, run_id), file_stamp(Path(entry["path"])) if entry else 0)


def _open(home: str, run_id: str, row: int) -> tuple[RunResults, ScoreRow, Shown]:
    found = results(RunStore(Path(home)), run_id)
    image = image_of_row(found.table, row)
    return found, image, picture_of(found, image)


def _note(shown: Shown) -> str:
    return "" if shown.is_there else shown.note
