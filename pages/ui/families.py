"""Which runs belong together: those of one category, and those of copies of its folder."""

from pathlib import Path

import streamlit as st

from pages.ui.cache import file_stamp
from wtflow.records.core import RunSummary
from wtflow.store.dataset_versions import category_behind, version_of
from wtflow.store.datasets import MANIFEST, data_home
from wtflow.store.runs import RunStore


def category_of(store: RunStore, run: RunSummary) -> str:
    """The category that a run is compared within: that of the folder which its data set is a copy of, else its own."""
    return category_at(store, run.root, run.category)


def category_at(store: RunStore, root: str, category: str) -> str:
    """The same for the runs on a category of a folder."""
    version = version_of(root) if root else None
    stamp = 0 if version is None else file_stamp(data_home(store) / version[0] / MANIFEST)
    return category if version is None else _category_behind(str(store.home), root, category, stamp)


@st.cache_data(max_entries=200, show_spinner=False)
def _category_behind(home: str, root: str, category: str, stamp: int) -> str:
    return category_behind(RunStore(Path(home)), root, category)
