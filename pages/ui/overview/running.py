"""Trainings that go on, in a line each above the table, kept up to date."""

import streamlit as st

from pages.ui import run_lists
from pages.ui.errors import plain, shown
from pages.ui.frame import link
from wtflow import numbers
from wtflow.jobs.listing import RunView
from wtflow.records.core import RunSummary
from wtflow.store.runs import RunStore

POLL_S = 2.0


def show_running(store: RunStore, view: RunView) -> None:
    """Polls while there is a training, apart from the table: what a person is doing there is not disturbed."""
    if view.active:
        st.fragment(_show_lines, run_every=POLL_S)(store, _states(view.active))


def _states(active: list[RunSummary]) -> set[tuple[str, str]]:
    return {(one.run_id, one.status.state if one.status else "") for one in active}


def _show_lines(store: RunStore, states: set[tuple[str, str]]) -> None:
    """Draws the page again as soon as a run begins or ends."""
    with shown():
        active = run_lists.reconciled(store).active
    if _states(active) != states:
        st.rerun()
    for one in reversed(active):
        if one.status is None:
            continue
        with st.container(horizontal=True, vertical_alignment="center", key=f"active_{one.run_id}"):
            st.markdown(f"**{plain(one.name or one.category)}**", width="content")
            left = one.status.seconds_left
            words = "waits for its turn" if one.status.state == "queued" else numbers.progress(one.status.percent / 100)
            words += "" if left is None else f", about {numbers.duration(left)} left"
            st.progress(min(max(one.status.percent / 100, 0.0), 1.0), text=words)
            link("train", "Watch the training", icon=":material/visibility:", watch=one.run_id)
