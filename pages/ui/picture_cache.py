"""Caches of the pictures of a run: what it scored, with maps and outlines. The rules are those of cache.py."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui.cache import file_stamp, results, run_stamp
from wtflow.failures.regions import compare_regions
from wtflow.pictures import Shown, full_picture_of, picture_of
from wtflow.plots.failures import paint_segments
from wtflow.plots.localization import encode_localization
from wtflow.plots.pictures import crop_around, encode_jpeg, thumbnail, to_uint8
from wtflow.records.failures import RegionReport
from wtflow.results import image_of_row, pixel_map, truth_to_draw
from wtflow.store.runs import RunStore
from wtflow.studies.small_pictures import CARD_PX, Look, Small, SmallPictures, open_small

CROP_PX = 192

Stamps = tuple[int, ...]


def small_pictures(store: RunStore, run_id: str) -> SmallPictures:
    """The small pictures of a run as it is now: kept with it, and drawn where nobody has yet."""
    return open_small(store, run_id, lambda: results(store, run_id))


def tile(store: RunStore, run_id: str, row: int, look: Look, size_px: int = CARD_PX) -> Small:
    """A scored image, its longer side at most `size_px`."""
    return tiles(small_pictures(store, run_id), row, [(look, size_px)])[0]


def tiles(small: SmallPictures, row: int, looks: Sequence[tuple[Look, int]]) -> list[Small]:
    """Several pictures (look, longer side) of one image, which is read once for those that are not there."""
    kept = [small.kept(row, look, size_px) for look, size_px in looks]
    found = [one for one in kept if one is not None]
    if len(found) == len(looks):
        return found
    return _drawn(str(small.store.home), small.results.run_id, str(small.folder), _key(small, row), row, tuple(looks))


@st.cache_data(max_entries=3000, show_spinner=False)
def _drawn(
    home: str, run_id: str, folder: str, stamp: int, row: int, looks: tuple[tuple[Look, int], ...]
) -> list[Small]:
    """Kept in memory as well, for a disk that takes no pictures."""
    return small_pictures(RunStore(Path(home)), run_id).draw(row, looks)


def segments(
    store: RunStore, run_id: str, row: int, threshold: float, size_px: int
) -> tuple[Small, RegionReport | None]:
    """An image with its map cut at a pixel threshold over its mask, and the regions of both (None without a valid
    mask).
    """
    small = small_pictures(store, run_id)
    return _segments(str(store.home), run_id, str(small.folder), _key(small, row), row, threshold, size_px)


@st.cache_data(max_entries=500, show_spinner=False)
def _segments(
    home: str, run_id: str, folder: str, stamp: int, row: int, threshold: float, size_px: int
) -> tuple[Small, RegionReport | None]:
    found = results(RunStore(Path(home)), run_id)
    image = image_of_row(found.table, row)
    shown = picture_of(found, image)
    truth, values = truth_to_draw(found, image), pixel_map(found, row)
    picture = thumbnail(shown.pixels, size_px)
    nothing = values < 0
    mask, ignored = (nothing, nothing) if truth is None else (truth.mask, truth.ignored)
    painted = paint_segments(picture, values >= threshold, mask, ignored)
    tile = Small(encode_jpeg(painted), _note(shown))
    return tile, None if truth is None else compare_regions(values, truth, threshold)


def full_picture(store: RunStore, run_id: str, row: int) -> Shown:
    """A scored image at full size where the file is unchanged; else what is left of it, and why."""
    image = image_of_row(results(store, run_id).table, row)
    return _full_picture(str(store.home), run_id, row, (*run_stamp(store, run_id), file_stamp(Path(image.path))))


@st.cache_resource(max_entries=4, show_spinner=False)
def _full_picture(home: str, run_id: str, row: int, stamps: Stamps) -> Shown:
    found = results(RunStore(Path(home)), run_id)
    return full_picture_of(found, image_of_row(found.table, row))


class Localized(NamedTuple):
    """What `show_pictures` draws of an image, a key that changes with it, and why it is not the file as it is now."""

    encoded: dict[str, object]
    key: str
    note: str


def localization(store: RunStore, run_id: str, row: int) -> Localized:
    """A scored image with its map and outlines, ready for the browser."""
    small = small_pictures(store, run_id)
    stamp = file_stamp(Path(image_of_row(small.results.table, row).path))
    return _localization(str(store.home), run_id, str(small.folder), stamp, row)


@st.cache_resource(max_entries=24, show_spinner=False)
def _localization(home: str, run_id: str, folder: str, stamp: int, row: int) -> Localized:
    store = RunStore(Path(home))
    found = results(store, run_id)
    image = image_of_row(found.table, row)
    shown, truth = full_picture(store, run_id, row), truth_to_draw(found, image)
    is_drawn = truth is not None and not truth.is_normal
    encoded = encode_localization(
        shown.pixels,
        pixel_map(found, row),
        found.maps[row],
        mask=truth.mask if truth is not None and is_drawn else None,
        ignored=truth.ignored if truth is not None and is_drawn else None,
        color_range=found.color_range,
    )
    return Localized(encoded, f"{Path(folder).name}-{row}-{stamp}", shown.note)


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
    return encode_jpeg(thumbnail(to_uint8(original), CARD_PX))


def _key(small: SmallPictures, row: int) -> int:
    """The stamp of what a picture is drawn from besides what names the folder of small pictures."""
    return 0 if small.holds_pictures else file_stamp(Path(image_of_row(small.results.table, row).path))


def _original(store: RunStore, run_id: str, sample_id: str) -> Stamps:
    entry = results(store, run_id).seen.entries.get(sample_id)
    return (*run_stamp(store, run_id), file_stamp(Path(entry["path"])) if entry else 0)


def _note(shown: Shown) -> str:
    return "" if shown.is_there else shown.note
