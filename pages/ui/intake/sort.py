"""Step 2: what each photo is, by click and key."""

from collections.abc import Mapping

import streamlit as st

from pages.ui import state
from pages.ui.intake import set_cache
from pages.ui.intake.grid import Change, Item, show_grid
from pages.ui.intake.onward import show_way_on
from pages.ui.intake.said import fail
from pages.ui.widgets import count_on, is_finished
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.intake.rank import rank_unsorted
from wtflow.intake.sorting import set_labels
from wtflow.numbers import score as format_score
from wtflow.records.intake import DEFECT, DataSet, Labelled
from wtflow.store.runs import RunStore

KEY = "sort_grid"
_SEEN = "sort_seen"
"""Session key: (data set, serial) that this window wrote last: its own changes are no surprise to it."""


def words(data: DataSet) -> str:
    """How far this step is."""
    counts = data.counts
    if not data.items:
        return "good or defective"
    if counts["unsorted"]:
        return f"{counts['unsorted']:,} not sorted yet"
    return f"{counts['good']:,} good, {counts['defect']:,} defective"


def show_sort(store: RunStore, data: DataSet) -> None:
    """The grid, and what to do next."""
    if not data.items:
        st.info("There are no photos yet.", icon=":material/add_a_photo:")
        st.button("Bring photos", type="primary", on_click=state.put, args=("step", "bring"))
        return
    step, label = ("masks", "Go on: mark the defects") if data.of("defect") else ("split", "Go on: split")
    show_way_on(
        label if data.of("good") else "",
        step,
        "Good photos are what the detector learns from; defective ones test it. Photos that are unsorted or left out"
        " are in no training.",
        can_skip=bool(data.of("good")),
    )
    scores = _offer_ranking(store, data)
    items = [Item(one.id, one.name, one.label, one.defect, scores.get(one.id)) for one in data.items.values()]
    show_grid(
        KEY,
        items,
        of=data.name,
        types=list(data.types) or [DEFECT],
        pictures=lambda ids: set_cache.small_pictures(store, data, ids),
        large=lambda key: set_cache.large(store, data, key),
        on_sort=lambda changes: _sort(store, data, changes),
        opens="unsorted" if data.of("unsorted") else "all",
    )


def _offer_ranking(store: RunStore, data: DataSet) -> Mapping[str, float]:
    """id -> score by the newest run of the set, of images that are not sorted, once a person asked for it; a button
    that asks for it where there is such a run.
    """
    unsorted = data.of("unsorted")
    finished = [run for runs in set_cache.trained_on(store, data.name).values() for run in runs if is_finished(run)]
    if not unsorted or not finished:
        return {}
    run_id = max(finished, key=lambda run: run.created).run_id
    key = (str(store.home), data.name, run_id)
    known = set_cache.ranks().get(key) or {}
    if all(item.id in known for item in unsorted):
        return known
    if st.button(
        f"Score the {numbers.count(len(unsorted), 'unsorted photo')} with your last run",
        icon=":material/sort:",
        help="Then the grid can show those first that look most defective to it",
    ):
        bar = st.progress(0.0, text="Loading the run")
        ranked, _ = rank_unsorted(store, run_id, data.name, count_on(bar, lambda i, n: f"Scoring {i:,} of {n:,}"))
        set_cache.ranks().put(key, {one: float(format_score(score)) for one, score in ranked})
        st.rerun()
    return known


def _sort(store: RunStore, data: DataSet, changes: list[Change]) -> None:
    """Before the page runs again. data: as it was on the screen."""
    labels = {one.id: Labelled(one.kind, one.type) for one in changes}
    last = st.session_state.get(_SEEN, ("", 0))
    seen = max(data.serial, last[1] if last[0] == data.name else 0)
    try:
        fresh, _ = set_labels(store, data.name, labels, seen=seen)
    except WTFlowError as error:
        fail(error)
        return
    st.session_state[_SEEN] = (data.name, fresh.serial)
