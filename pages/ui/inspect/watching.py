"""A watched folder, to be read from a distance: the last images, newest first and large, with the verdict as colour and
word, and how many a minute.
"""

import time
from urllib.parse import urlsplit

import streamlit as st

from pages.ui.errors import plain, shown
from pages.ui.frame import link
from pages.ui.inspect import inspect_cache
from wtflow.errors import WTFlowError
from wtflow.inspecting import kept, tasks
from wtflow.inspecting.webhook import SETTINGS, watch_settings
from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.permission import may_train
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore

POLL_S = 1.0
N_SMALL = 8
"""The images before the last one."""
LARGE_PX = 640
WINDOW_S = 60.0


def is_watching(inspection: Inspection) -> bool:
    """Whether it watches a folder now."""
    return inspection.settings.watch and inspection.status.is_active


def show_watch(store: RunStore, inspection: Inspection) -> None:
    """The last images, live."""
    with st.container(border=True, key="watched"):
        st.fragment(_show_last, run_every=POLL_S)(store, inspection.inspection_id)


def _show_last(store: RunStore, inspection_id: str) -> None:
    with shown():
        inspection = tasks.look(store, inspection_id)
        rows = kept.rows(store, inspection_id)
    last = sorted(rows, key=lambda row: row.at, reverse=True)[: N_SMALL + 1]
    lately = [row for row in rows if time.time() - row.at < WINDOW_S]
    n_called = sum(row.verdict == "defective" for row in lately)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"### {len(lately):,} a minute", width="content")
        st.markdown(f"{n_called:,} of them called defective", width="content")
        st.caption(_aftermath_words(store, inspection), width="stretch")
    if not last:
        st.info("No image yet. Each one appears here as soon as its file is complete.", icon=":material/hourglass:")
        return
    with st.container(key="pair_watched"):
        left, right = st.columns([2, 3], gap="medium")
    with left:
        _show_one(store, inspection, last[0], large=True, at=0)
    with right, st.grid(4, min_column_width=110, gap="small", key="watched_before"):
        for at, row in enumerate(last[1:], start=1):
            _show_one(store, inspection, row, large=False, at=at)


def _show_one(store: RunStore, inspection: Inspection, row: Inspected, *, large: bool, at: int) -> None:
    call = row.verdict or "broken"
    with st.container(key=f"live_{call}_{'large' if large else 'small'}_{at}", gap="xsmall"):
        words = {"defective": "Defective", "normal": "Normal", "broken": "Could not be read"}[call]
        share = of_threshold(row.score, row.threshold) if not row.problem else None
        st.markdown(f"## {words}" if large else f"**{words}**")
        if row.problem:
            st.caption(plain(row.problem))
        else:
            picture = inspect_cache.tile(store, inspection, row, with_map=True, size_px=LARGE_PX if large else 320)
            st.image(picture, width="stretch", alt=f"{row.image}: called {row.verdict}")
        label = plain(row.image.rpartition("/")[2])
        link("inspect", label, inspection=inspection.inspection_id, image=row.image, help=plain(row.image))
        if large and not row.problem:
            st.caption(f"Score {format_score(row.score)}{f', {share}' if share else ''}")


def _aftermath_words(store: RunStore, inspection: Inspection) -> str:
    """What happens with defective images, and where that is set."""
    settings = inspection.settings
    goal = settings.defective_to if may_train() else "a folder"
    moved = f"are {'moved' if settings.is_moved else 'copied'} to {plain(goal)}"
    words = f"Defective images {moved if settings.defective_to else 'stay where they are'}"
    path = plain(str(store.home / SETTINGS) if may_train() else SETTINGS)
    try:
        told = watch_settings(store.home)
    except WTFlowError as error:
        return f"{words}. {plain(error.message)}"
    if not told.webhook:
        return f"{words}, and no other program is told of them ({path} may name one)."
    of = "of every image" if told.of == "all" else "of them"
    host = urlsplit(told.webhook).hostname or "another program"  # the rest of the address may hold a secret
    return f"{words}; {plain(host)} is told {of} ({path})."
