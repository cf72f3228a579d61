"""The demo images on a page: the button that has them drawn, how far that is, and what happens once they are there."""

import streamlit as st

from pages.ui import data_cache, run_lists, state, widgets
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import go
from wtflow import numbers
from wtflow.config import settings_from
from wtflow.datasets.demo.write import DEMO_CATEGORIES
from wtflow.errors import RunBusyError, WTFlowError
from wtflow.jobs import demos, trainings
from wtflow.jobs.demos import demo_root
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.store.runs import RunStore

POLL_S = 1.0

_ASKED = "demo_asked"
"""Session key: the category that this session waits for. A choice `demo` in an address alone starts nothing."""


def show_drawing(store: RunStore, categories: tuple[str, ...] = DEMO_CATEGORIES) -> None:
    """How far the drawing of these categories is, why it failed, or the button that begins it."""
    is_running = demos.demo_state(store, categories).state == "running"
    with st.container(border=True, key="demo"):
        st.fragment(_show_drawing, run_every=POLL_S if is_running else None)(store, categories, is_running)


def _show_drawing(store: RunStore, categories: tuple[str, ...], was_running: bool) -> None:
    """Draws the page again as soon as the drawing begins or ends."""
    with shown():
        now = demos.demo_state(store, categories)
    if now.state == "ready" or (now.state == "running") != was_running:
        data_cache.forget_demo()
        st.rerun()
    if now.state == "running":
        left = "" if now.seconds_left is None else f", about {numbers.duration(now.seconds_left)} left"
        st.progress(
            min(max(now.share, 0.0), 1.0),
            text=f"Drawing the demo images (once): {numbers.progress(now.share)}{left}."
            " You may leave this page meanwhile.",
        )
        return
    if now.state == "failed":
        st.error(f"**{plain(now.message)}**  \n{plain(now.fix)}", icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        label = "Draw them again" if now.state == "failed" else "Draw the demo images"
        if st.button(label, type="primary", icon=":material/brush:", key="draw_demo", **trainers()) and begin(
            store, categories
        ):
            st.rerun()
        st.caption(
            "Three small categories of drawn products, 50 MB: about half a minute on two cores, no download.",
            width="content",
        )


def begin(store: RunStore, categories: tuple[str, ...]) -> bool:
    """Have these categories drawn. False, with a sentence on the page, where that cannot be started."""
    try:
        demos.draw_demo(store, categories)
    except WTFlowError as error:
        show_error(error)
        return False
    return True


def train_demo(store: RunStore) -> None:
    """Train the first demo category that no run has, once its images are drawn; watch a training that goes on."""
    done = {s.category for s in _runs(store) if widgets.is_finished(s)}
    name = next((name for name in DEMO_CATEGORIES if name not in done), DEMO_CATEGORIES[0])
    # Only this category: the others are drawn when somebody asks for them.
    if demos.demo_state(store, (name,)).state == "ready":
        _train(store, name)
    elif begin(store, (name,)):
        st.session_state[_ASKED] = name
        state.put("demo", name)
        st.rerun()


def follow_demo(store: RunStore) -> bool:
    """Show the drawing that this session, or its address, waits for, and train when it is done. False: it waits for
    none.
    """
    name = state.choose("demo", DEMO_CATEGORIES, None)
    if name is None:
        return False
    now = demos.demo_state(store, (name,)).state
    if now == "running":
        st.session_state[_ASKED] = name  # a page loaded again has a new session
    is_asked = st.session_state.get(_ASKED) == name
    if now == "ready" or not (is_asked or now == "failed"):
        state.put("demo", None)
        st.session_state.pop(_ASKED, None)
        if is_asked:
            _train(store, name)
        return False
    if now == "absent" and not begin(store, (name,)):  # the process that ended drew others
        return False
    show_drawing(store, (name,))
    return True


def _train(store: RunStore, name: str) -> None:
    """Start the training of a demo category, or join the one that another session has started."""
    run_id = _active(store, name)
    if run_id is None:
        try:
            run_id = trainings.start(store, demo_root(store), name, settings_from("fast"))
        except RunBusyError:
            run_id = _active(store, name)
            if run_id is None:
                raise
    go("train", watch=run_id, root=str(demo_root(store)), category=name)


def _active(store: RunStore, name: str) -> str | None:
    return next((s.run_id for s in _runs(store) if s.category == name and widgets.is_active(s)), None)


def _runs(store: RunStore) -> list[RunSummary]:
    return list(run_lists.look(store).find(RunQuery(root=str(demo_root(store)), archived="also", sort="-run")).runs)
