"""Caches of what folders of images contain."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.ui.cache import file_stamp
from pages.ui.shelves import Shelf
from wtflow.config import Settings
from wtflow.datasets.demo.write import DEMO_CATEGORIES, RECORD, is_demo_complete
from wtflow.datasets.health_folders import look_at_folders
from wtflow.datasets.scan import RootScan, find_categories, scan_category
from wtflow.datasets.sizes.look import NormalsSeen
from wtflow.datasets.tiles import quick_shape
from wtflow.jobs.demos import demo_root
from wtflow.jobs.sizes import look, open_sizes
from wtflow.records.core import Category, Finding, HealthReport
from wtflow.records.reading import Reading
from wtflow.records.shapes import Shape
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

SCAN_AGAIN_AFTER_S = 5
"""A folder is listed again after so long; images that were added meanwhile appear without pressing anything."""


@st.cache_resource(show_spinner=False)
def reports() -> Shelf[HealthReport]:
    """Health reports by root, category and fingerprint of the files."""
    return Shelf(16)


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=8, show_spinner=False)
def categories(root: str) -> RootScan:
    return find_categories(Path(root))


def category(store: RunStore, root: Path, name: str) -> Category:
    """A category, read as a person said. Raises LayoutError, StoreError."""
    return _category(str(root), name, reading_of(store, root, name).model_dump_json())


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=64, show_spinner=False)
def _category(root: str, name: str, reading_json: str) -> Category:
    return scan_category(Path(root), name, Reading.model_validate_json(reading_json))


def listed(found: Category) -> tuple[Finding, ...]:
    """What listing the category's folders shows."""
    return _listed(str(found.root), found.name, hash((found.samples, found.reading)), found)


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=64, show_spinner=False)
def _listed(root: str, name: str, key: int, _found: Category) -> tuple[Finding, ...]:
    return look_at_folders(_found)


def usual_shape(found: Category, stamp: int) -> Shape | None:
    """(height, width) of most training images, by a look at a few of them. stamp: see `health.state_of`."""
    return _usual_shape(str(found.root), found.name, stamp, tuple(sample.path for sample in found.of("train")))


@st.cache_data(max_entries=64, show_spinner=False)
def _usual_shape(root: str, name: str, stamp: int, _paths: tuple[Path, ...]) -> Shape | None:
    return quick_shape(_paths)


def drawn_demo(store: RunStore) -> tuple[str, ...]:
    """The demo's categories whose images are all there."""
    root = demo_root(store)
    return _drawn_demo(str(root), file_stamp(root / RECORD))


@st.cache_data(ttl=SCAN_AGAIN_AFTER_S, max_entries=8, show_spinner=False)
def _drawn_demo(root: str, stamp: int) -> tuple[str, ...]:
    return tuple(name for name in DEMO_CATEGORIES if is_demo_complete(Path(root), (name,)))


def forget_demo() -> None:
    """Look at the demo's folder again: it has just been drawn."""
    _drawn_demo.clear()
    categories.clear()


@st.cache_resource(show_spinner=False)
def _seen() -> Shelf[NormalsSeen]:
    """What looks at normals found, by root, category, fingerprint of the files and the settings that count."""
    return Shelf(16)


def normals_seen(found: Category, stamp: int, settings: Settings) -> NormalsSeen | None:
    """What a look at the training normals found, if it was made of the same files. stamp: see `health.state_of`."""
    return _seen().get(_seen_key(found, stamp, settings))


def see_normals(found: Category, stamp: int, settings: Settings, progress: Callable[[int, int], None]) -> NormalsSeen:
    """The same, made now and kept."""
    value = look(found, settings, progress)
    _seen().put(_seen_key(found, stamp, settings), value)
    return value


def _seen_key(found: Category, stamp: int, settings: Settings) -> tuple[object, ...]:
    return str(found.root), found.name, stamp, settings.tile, settings.background, open_sizes(settings)


def report(found: Category, fingerprint: int) -> HealthReport | None:
    """The health report if it was made of the same files. fingerprint: see `datasets.stamps`."""
    return reports().get((str(found.root), found.name, fingerprint))


def keep_report(found: Category, fingerprint: int, value: HealthReport) -> None:
    """fingerprint: of the files before they were read, so that one written meanwhile is read again."""
    reports().put((str(found.root), found.name, fingerprint), value)
