"""Configure, start, watch, stop and resume runs."""

import streamlit as st

from pages.ui import data_cache, state, widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import open_page
from pages.ui.health import check, check_at_once, show_before_training, state_of
from pages.ui.roots import pick_category, pick_root
from pages.ui.train.settings_form import offer_tiles, show_settings
from pages.ui.train.watch import show_queue, show_watch
from wtflow.config import Settings
from wtflow.datasets.health import refuse_errors
from wtflow.datasets.health_sizes import fitting_tile
from wtflow.datasets.tiles import map_side, quick_canvas
from wtflow.errors import WTFlowError
from wtflow.jobs import trainings
from wtflow.records.core import Category
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    watched = state.get("watch")
    if watched is not None:
        show_watch(store, watched)
    else:
        try:
            show_form(store)
        except WTFlowError as error:  # a folder that cannot be listed hides no run
            show_error(error)
    show_queue(store, watched)


def show_form(store: RunStore) -> None:
    """Category, settings, estimate, start."""
    scan = pick_root(store)
    if scan is None:
        return
    category = pick_category(store, scan)
    train, n_test = category.of("train"), len(category.of("test"))
    st.caption(f"{widgets.count(len(train), 'training normal')}, {widgets.count(n_test, 'test image')}")
    stamp = state_of(category)
    shape = data_cache.usual_shape(category, stamp)
    settings: Settings | WTFlowError
    canvas = None
    try:
        settings = show_settings()
        canvas = quick_canvas(shape, settings)
    except WTFlowError as error:
        settings = error
    with st.container(border=True, key="start"):
        if isinstance(settings, WTFlowError):
            show_error(settings)
            st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=True)
            return
        if settings.is_untrained:
            st.caption(f":material/science: {widgets.UNTRAINED_NOTE}")
        elif settings.is_embedded:
            st.caption(f":material/deployed_code: {widgets.EMBEDDED_NOTE}")
        show_estimate(trainings.estimate(store, len(train), n_test, settings, canvas))
        offer = lambda found: offer_tiles(fitting_tile(found, shape, settings))  # noqa: E731
        show_before_training(store, category, stamp, settings, map_side(canvas, settings), offer)
        if st.button("Start training", type="primary", icon=":material/play_arrow:"):
            start(store, category, settings)


def show_estimate(found: trainings.Estimate) -> None:
    disk = "unknown for this backbone" if found.n_bytes is None else widgets.size(found.n_bytes)
    time, space, basis = st.columns([1, 1, 3], vertical_alignment="center")
    time.metric("Expected time", widgets.duration(found.seconds))
    space.metric("Space on disk", disk)
    basis.caption(found.basis)


def start(store: RunStore, category: Category, settings: Settings) -> None:
    """Check the images, then hand the run to its own process. A category with errors is not started, and one whose
    warnings were not on show is started by a second click.
    """
    stamp = state_of(category)
    was_shown = check_at_once(category, stamp) is not None
    findings = check(category, stamp).findings
    try:
        refuse_errors(category.name, findings)
        if not was_shown and any(one.severity == "warning" for one in set(findings) - set(data_cache.listed(category))):
            st.toast("The images were read, and there are new warnings above the button.", icon=":material/warning:")
            st.rerun()
        run_id = trainings.start(store, category.root, category.name, settings, category.reading)
    except WTFlowError as error:
        show_error(error)
        return
    state.put("watch", run_id)
    st.toast(f"{plain(category.name)} is on its way.", icon=":material/rocket_launch:")
    st.rerun()


store = open_page("train")
with shown():
    main(store)
