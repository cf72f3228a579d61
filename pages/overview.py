"""What is this, what is here already, what can I do next?"""

import streamlit as st

from pages.ui import run_lists
from pages.ui.access.visitor import trainers
from pages.ui.demo import follow_demo, train_demo
from pages.ui.errors import plain, shown
from pages.ui.frame import head, link, open_page
from pages.ui.overview.actions import show_actions
from pages.ui.overview.describing import ask_words
from pages.ui.overview.listed import Listed, list_runs
from pages.ui.overview.running import show_running
from pages.ui.overview.space import show_space
from pages.ui.overview.table import selected_runs, show_table
from pages.ui.overview.welcome import show_picture, show_steps, show_welcome
from wtflow.jobs.listing import RunView
from wtflow.permission import may_train
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    view = run_lists.reconciled(store)
    listed = list_runs(view)
    if listed.n_all:
        show_runs(store, view, listed)
    else:
        show_start(store)


def show_start(store: RunStore) -> None:
    """What this is, what one will get, and the one thing to do."""
    with st.container(border=True, key="hero"), st.container(key="pair_hero"):
        words, picture = st.columns([5, 6], gap="large", vertical_alignment="center")
        with words:
            show_welcome()
            is_drawing = follow_demo(store)
            with st.container(horizontal=True, vertical_alignment="center"):
                if not is_drawing:
                    offer_demo(store, is_first=True)
                link("data", "Bring your own photos", icon=":material/add_a_photo:", way="photos", photos=None)
            if not is_drawing:
                st.caption("Draws some images of a product here and trains on them: about a minute, no download.")
        with picture:
            show_picture()
    show_steps()
    st.caption(f"No run yet. Runs are kept in {plain(str(store.home))}." if may_train() else "No run yet.")


def show_runs(store: RunStore, view: RunView, listed: Listed) -> None:
    """The runs, and what can be done with them."""
    is_drawing = follow_demo(store)
    with head():
        if not is_drawing:
            offer_demo(store, is_first=False)
        if may_train():
            link("data", "Bring your own photos", icon=":material/add_a_photo:", way="photos", photos=None)
    show_running(store, view)
    chosen = view.get_all(selected_runs())
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_actions"):
        show_actions(store, list(chosen.values()), view.index.tags())
    edited = show_table(store, listed, list(chosen))
    if edited is not None and may_train() and (run := view.get(edited)) is not None:
        ask_words(store, [run], view.index.tags())
    if may_train():
        st.caption(f"Kept in {plain(str(store.home))}")
        show_space(store, view)


def offer_demo(store: RunStore, *, is_first: bool) -> None:
    if st.button(
        "Train the demo",
        type="primary" if is_first else "tertiary",
        icon=":material/play_arrow:",
        key="train_demo",
        **trainers(
            help="Draws some images of a product here and trains on them: about a minute on two cores, no download"
        ),
    ):
        train_demo(store)


store = open_page("overview")
with shown():
    main(store)
