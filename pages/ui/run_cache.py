"""The list of runs, kept while their files stay as they are: reading 200 of them anew takes half a second, and every
page with a picker needs the list on every rerun.
"""

import contextlib
import os
from pathlib import Path

import streamlit as st

from wtflow.datasets.stamps import stamp_of
from wtflow.jobs import trainings
from wtflow.records.core import RunSummary
from wtflow.store import layout
from wtflow.store.runs import RunStore

_FOLDERS = ("", Path(layout.CHECKPOINT).parent, layout.FRESH)
"""Folders of a run that hold what a summary is made of."""

Stamp = frozenset[tuple[str, int]]
Kept = dict[str, tuple[Stamp, RunSummary]]


def live_summaries(store: RunStore) -> list[RunSummary]:
    """All runs, newest first, with live states; a damaged run has the reason in `problem`."""
    kept, ids = _kept(str(store.home)), store.ids()
    for gone in set(kept).difference(ids):
        kept.pop(gone, None)
    return [trainings.live_summary(store, _summary(store, run_id, kept)) for run_id in ids]


def _summary(store: RunStore, run_id: str, kept: Kept) -> RunSummary:
    stamp, found = _stamp(store.home / run_id), kept.get(run_id)
    if found is None or found[0] != stamp:
        found = kept[run_id] = (stamp, store.summary(run_id))
    return found[1]


@st.cache_resource(max_entries=4, show_spinner=False)
def _kept(home: str) -> Kept:
    """By run, the stamp of its files and what was read of them; filled from outside."""
    return {}


def _stamp(folder: Path) -> Stamp:
    """Changes when a file of the run is written again, comes or goes."""
    found: list[tuple[str, int]] = []
    for place in _FOLDERS:
        with contextlib.suppress(OSError), os.scandir(folder / place) as entries:
            found += [(f"{place}/{one.name}", stamp_of(one.stat())) for one in entries if one.is_file()]
    return frozenset(found)
