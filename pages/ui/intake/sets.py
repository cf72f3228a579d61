"""My photos: the data sets made here, and a new one."""

import streamlit as st

from pages.ui import state, widgets
from pages.ui.errors import plain, show_error
from pages.ui.frame import link
from pages.ui.intake import set_cache
from pages.ui.intake.said import show_said
from pages.ui.intake.steps import show_set
from wtflow import numbers
from wtflow.errors import DatasetError, WTFlowError
from wtflow.intake.words import state_words
from wtflow.store.dataset_versions import version_numbers
from wtflow.store.datasets import create_set, open_set, set_names
from wtflow.store.runs import RunStore

N_RUNS = 3
"""Runs of a data set that its line names."""


def show_photos(store: RunStore) -> None:
    """The data set that the address names, or all of them with a field for a new one."""
    names, wanted = set_names(store), state.get("photos")
    if wanted in names:
        show_set(store, wanted)
        return
    show_said()
    if wanted is not None:
        show_error(
            DatasetError(
                f"There is no data set {wanted[:80]!r} here.", fix="It may have been deleted. Choose one, or make one."
            )
        )
    show_new(store)
    if names:
        st.subheader("My data sets", anchor=False)
        for name in names:
            show_line(store, name)


def show_new(store: RunStore) -> None:
    """A name, and off it goes."""
    with st.container(border=True, key="new_set"):
        st.subheader("New data set from your photos", anchor=False)
        st.write(
            "Bring photos of good parts, and of bad ones if you have any. Sort them by a click, mark the defects if you"
            " like, and press *Train*. The photos go to the computer that the app runs on, and no further."
        )
        with st.form("new_set_form", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.text_input(
                "What do the photos show?", placeholder="such as circuit board", max_chars=60, width=360
            ).strip()
            is_pressed = st.form_submit_button("Start", type="primary", icon=":material/arrow_forward:")
    if not is_pressed:
        return
    if not name:
        st.warning("Give it a name first, such as “circuit board”.", icon=":material/edit:")
        return
    try:
        create_set(store, name)
    except WTFlowError as error:
        show_error(error)
        return
    state.put("photos", name)
    state.put("step", "bring")
    st.rerun()


def show_line(store: RunStore, name: str) -> None:
    """A data set in one line: what is in it, its versions, and the runs trained on each."""
    with st.container(border=True, key=f"set_{name}", gap="xsmall"):
        try:
            data, versions = open_set(store, name), version_numbers(store, name)
        except WTFlowError as error:
            show_error(error)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(plain(name), icon=":material/photo_library:", key=f"open_{name}"):
                state.put("photos", name)
                st.rerun()
            st.caption(
                f"{numbers.count(len(data.items), 'photo')}: {plain(state_words(data))}"
                if data.items
                else "No photos yet",
                width="content",
            )
            newest = f"version {versions[-1]}" if versions else "not trained yet: no version"
            st.badge(newest, icon=":material/history:", color="green" if versions else "gray")
        runs = [(number, run) for number, found in set_cache.trained_on(store, name).items() for run in found]
        if runs:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption("Trained:", width="content")
                for number, run in sorted(runs, key=lambda one: -one[1].created)[:N_RUNS]:
                    words = plain(run.name) or f"version {number}"
                    if widgets.is_finished(run):
                        auroc = numbers.metric(run.metrics.get("image_auroc"))
                        link("results", f"{words}, AUROC {auroc}", icon=":material/monitoring:", run=run.run_id)
                    else:
                        standing = run.status.state if run.status else "damaged"
                        link("train", f"{words}, {standing}", icon=":material/model_training:", watch=run.run_id)
