"""Many categories, settings and seeds as one job: planned, watched, and compared in one table."""

import streamlit as st

from pages.ui import state
from pages.ui.access.visitor import ONLY_LOOK
from pages.ui.errors import plain, shown
from pages.ui.frame import open_page
from pages.ui.sweep.form import show_form
from pages.ui.sweep.progress import show_life
from pages.ui.sweep.result import show_result
from wtflow.permission import may_train
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks


def main(store: RunStore) -> None:
    name = state.get("sweep")
    if name is None:
        if may_train():
            show_form(store)
        else:
            st.info(ONLY_LOOK, icon=":material/visibility:")
        show_list(store)
        return
    st.button("All sweeps", icon=":material/arrow_back:", on_click=state.put, args=("sweep", None), type="tertiary")
    sweep = sweeps.read(store, name)
    show_life(store, sweep)
    show_result(store, sweep)


def show_list(store: RunStore) -> None:
    """The sweeps of the store, each a button."""
    known = sweeps.names(store)
    if not known:
        return
    st.markdown("#### Sweeps")
    for name in known:
        status, words = tasks.look(store, name), sweeps.read(store, name).words
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(plain(name), key=f"open_{name}", on_click=state.put, args=("sweep", name))
            st.caption(f"{plain(words)} · {status.n_finished:,} runs finished · {status.state}")


store = open_page("sweep")
with shown():
    main(store)
