"""Caches of inspections: rows, and pictures of inspected images. The rules are those of cache.py."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.ui.cache import file_stamp, run_stamp
from wtflow.inspecting import kept, pictures, tasks
from wtflow.records.core import Probe
from wtflow.records.drift import Drift
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore
from wtflow.studies.small_pictures import CARD_PX

EACH_DRIFT = 25
"""Images after which drift is measured again while more come: it takes some tenths of a second."""


def tile(store: RunStore, inspection: Inspection, row: Inspected, *, with_map: bool, size_px: int = CARD_PX) -> bytes:
    """JPEG of an inspected image, under its map or alone."""
    stamp = (row.map_at, row.at, *row.picture)
    return _tile(str(store.home), inspection.inspection_id, row.image, stamp, with_map, size_px)


@st.cache_data(max_entries=3000, show_spinner=False)
def _tile(home: str, inspection_id: str, image: str, stamp: tuple[float, ...], with_map: bool, size_px: int) -> bytes:
    store = RunStore(Path(home))
    inspection, row = tasks.look(store, inspection_id), kept.row(store, inspection_id, image)
    return pictures.small_picture(store, inspection, row, with_map=with_map, size_px=size_px)


def drift(store: RunStore, inspection: Inspection) -> Drift:
    """What an inspection tells of camera and light; of one that goes on, anew with every `EACH_DRIFT` images."""
    n = kept.stamp(store, inspection.inspection_id)
    at = (inspection.counts.n_done // EACH_DRIFT,) if inspection.status.is_active else n
    return _drift(str(store.home), inspection.inspection_id, at, inspection.status.is_active)


@st.cache_resource(max_entries=64, show_spinner=False)
def _drift(home: str, inspection_id: str, at: tuple[int, ...], is_active: bool) -> Drift:
    store = RunStore(Path(home))
    return kept.drift(store, tasks.look(store, inspection_id))


class Drawn(NamedTuple):
    """What `show_pictures` draws of an image (None where no map was kept), a key that changes with it, the image as a
    JPEG, and why that is not the file as it is now.
    """

    encoded: dict[str, object] | None
    key: str
    jpeg: bytes
    note: str


def drawn(store: RunStore, inspection: Inspection, row: Inspected) -> Drawn:
    """An inspected image with its map, ready for the browser."""
    stamp = (row.map_at, row.at, float(file_stamp(Path(row.path))))
    return _drawn(str(store.home), inspection.inspection_id, row.image, stamp)


@st.cache_resource(max_entries=24, show_spinner=False)
def _drawn(home: str, inspection_id: str, image: str, stamp: tuple[float, ...]) -> Drawn:
    store = RunStore(Path(home))
    inspection, row = tasks.look(store, inspection_id), kept.row(store, inspection_id, image)
    encoded, jpeg, note = pictures.encode_inspected(store, inspection, row)
    return Drawn(encoded, f"{inspection_id}-{image}-{stamp[1]}-{stamp[2]}", jpeg, note)


def probe(store: RunStore, inspection: Inspection, row: Inspected, grid_row: int, grid_column: int) -> Probe:
    """One position of an inspected image along the path. The first call imports torch and loads the network: seconds.

    Raises ImageReadError and ImageChangedError where the file is gone or has changed, and what opening the run raises.
    """
    stamp = (row.map_at, row.at, float(file_stamp(Path(row.path))), *map(float, run_stamp(store, inspection.detector)))
    return _probe(str(store.home), inspection.inspection_id, row.image, stamp, grid_row, grid_column)


@st.cache_data(max_entries=500, show_spinner=False)
def _probe(
    home: str, inspection_id: str, image: str, stamp: tuple[float, ...], grid_row: int, grid_column: int
) -> Probe:
    from wtflow.inspecting.probing import probe_inspected  # imports torch, which only a probe pays for

    store = RunStore(Path(home))
    inspection, row = tasks.look(store, inspection_id), kept.row(store, inspection_id, image)
    return probe_inspected(store, inspection, row, grid_row, grid_column)
