"""Pictures of a data set's images for its pages, and which runs were trained on which version."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from pages.ui import run_lists
from pages.ui.cache import file_stamp
from pages.ui.shelves import Shelf
from wtflow.errors import DatasetError, ImageReadError
from wtflow.intake import versions
from wtflow.intake.near import NEAR
from wtflow.intake.pictures import large_picture, small_picture
from wtflow.plots.pictures import encode_jpeg, no_picture
from wtflow.records.core import RunSummary
from wtflow.records.intake import DataSet, Item
from wtflow.records.run_list import RunQuery
from wtflow.store.dataset_versions import version_of
from wtflow.store.datasets import MANIFEST, data_home, open_set
from wtflow.store.runs import RunStore


def small_pictures(store: RunStore, data: DataSet, ids: Sequence[str]) -> Mapping[str, bytes]:
    """id -> a small picture of it; grey and crossed out where its file is gone."""
    return {key: _small(str(store.home), data.name, data.items[key]) for key in ids if key in data.items}


@st.cache_data(max_entries=6000, show_spinner=False, hash_funcs={Item: lambda item: item.sha256})
def _small(home: str, name: str, item: Item) -> bytes:
    try:
        return small_picture(RunStore(Path(home)), name, item)
    except ImageReadError:
        return encode_jpeg(no_picture(128, 128))


def large(store: RunStore, data: DataSet, key: str) -> bytes:
    """A picture of an image to look at and draw on. Raises ImageReadError."""
    return _large(str(store.home), data.name, data.items[key])


@st.cache_data(max_entries=12, show_spinner=False, hash_funcs={Item: lambda item: item.sha256})
def _large(home: str, name: str, item: Item) -> bytes:
    return large_picture(RunStore(Path(home)), name, item)


def is_published(store: RunStore, data: DataSet, number: int) -> bool:
    """Whether this version, the newest one, holds what the next one would; False where what a person pinned contradicts
    itself.
    """
    folder = data_home(store) / data.name
    return _is_published(str(store.home), data.name, number, file_stamp(folder / MANIFEST), file_stamp(folder / NEAR))


@st.cache_data(max_entries=100, show_spinner=False)
def _is_published(home: str, name: str, number: int, manifest: int, near: int) -> bool:
    store = RunStore(Path(home))
    try:
        return versions.is_published(store, open_set(store, name))
    except DatasetError:
        return False


@st.cache_resource(show_spinner=False)
def ranks() -> Shelf[Mapping[str, float]]:
    """Scores of images that are not sorted, by store, data set and run; each some tens of bytes an image."""
    return Shelf(8)


def trained_on(store: RunStore, name: str) -> dict[int, list[RunSummary]]:
    """Version -> its runs, newest first."""
    home, found = data_home(store), {}
    below = RunQuery(below=str(home / name), archived="also", sort="-run")
    for run in run_lists.look(store).find(below).runs:
        version = version_of(run.root) if run.root else None
        if version is not None and version[0] == name and Path(run.root).is_relative_to(home):
            found.setdefault(version[1], []).append(run)
    return found
