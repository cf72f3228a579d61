"""Configure, start, watch, stop and resume runs."""

import streamlit as st

from pages.ui import data_cache, state
from pages.ui.access.visitor import ONLY_LOOK
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import head, link, open_page
from pages.ui.health import check, check_at_once, show_before_training, state_of
from pages.ui.roots import pick_category, pick_root
from pages.ui.train.network import fit_to_network, show_licence, show_preset_note, weights_words
from pages.ui.train.settings_form import offer_tiles, pick_preset, show_settings
from pages.ui.train.size_field import pick_size, show_reason, suggest_size
from pages.ui.train.watch import show_queue, show_watch
from wtflow import numbers
from wtflow.config import Settings
from wtflow.datasets.health import refuse_errors
from wtflow.datasets.health_sizes import fitting_tile
from wtflow.datasets.tiles import map_side, quick_canvas
from wtflow.errors import WTFlowError
from wtflow.jobs import trainings
from wtflow.jobs.sizes import AUTO, at_chosen_size
from wtflow.permission import may_train
from wtflow.records.core import Category
from wtflow.records.sizes import SizeChoice
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    watched = state.get("watch")
    if watched is not None:
        show_watch(store, watched)
    elif not may_train():
        st.info(ONLY_LOOK, icon=":material/visibility:")
    else:
        try:
            show_form(store)
        except WTFlowError as error:  # a folder that cannot be listed hides no run
            show_error(error)
    show_queue(store, watched)


def show_form(store: RunStore) -> None:
    """Folder, category, preset, estimate and start in one screen; below it what is wrong with the images, and all
    settings.
    """
    with st.container(key="pair_folder"):
        folder, category_place = st.columns([3, 2], vertical_alignment="bottom")
    line = st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="start")
    notes, findings, form, drawing = (st.container() for _ in range(4))
    with folder:
        scan = pick_root(store, drawing)
    if scan is None:
        return
    with head():
        link("sweep", "Train many", icon=":material/grid_on:", help=MANY, sweep=None)
    with category_place:
        category = pick_category(store, scan, MOST_PILLS)
    stamp = state_of(category)
    shape = data_cache.usual_shape(category, stamp)
    with line:
        base = pick_preset()
    try:
        with form:
            asked = show_settings(base)
            show_preset_note(base.preset)
        suggested = suggest_size(store, category, stamp, shape, asked, notes)
        with line:
            size = pick_size(base, suggested)
        is_auto = size == AUTO
        sized = at_chosen_size(asked, suggested.size_px) if is_auto else asked.changed({"image_size": size})
        settings, said = fit_to_network(sized)
        canvas = quick_canvas(shape, settings)
    except WTFlowError as error:
        with notes:
            show_error(error)
        line.button("Start training", type="primary", icon=":material/play_arrow:", disabled=True)
        return
    train, n_test = category.of("train"), len(category.of("test"))
    estimate = trainings.estimate(store, len(train), n_test, settings, canvas)
    with line:
        show_estimate(estimate)
        is_pressed = st.button("Start training", type="primary", icon=":material/play_arrow:")
    with notes:
        show_reason(base, suggested, is_auto, settings.image_size)
        st.caption(
            " ".join(
                part
                for part in (
                    f"{numbers.count(len(train), 'training normal')}, {numbers.count(n_test, 'test image')}.",
                    estimate.basis,
                    weights_words(settings),
                    *(f"**{plain(sentence)}**" for sentence in said),
                )
                if part
            )
        )
        show_licence(settings)
        if is_pressed:
            start(store, category, settings, stamp, suggested if is_auto else None)
    with findings:
        offer = lambda found: offer_tiles(fitting_tile(found, shape, settings))  # noqa: E731
        is_refused = st.session_state.get(_REFUSED) == stamp
        show_before_training(store, category, stamp, settings, map_side(canvas, settings), offer, is_refused)


MANY = "All categories of this folder, with several seeds and settings, as one job"
MOST_PILLS = 4
"""Categories that stand in one line beside the folder."""
_REFUSED = "train_refused"
"""Session key: stamp of the category whose start was refused for what is wrong with its images."""


def show_estimate(found: trainings.Estimate) -> None:
    disk = "unknown" if found.n_bytes is None else numbers.size(found.n_bytes)
    st.metric("Expected time", numbers.duration(found.seconds), width="content")
    st.metric(
        "Space on disk",
        disk,
        width="content",
        help="It is not known for this backbone." if found.n_bytes is None else None,
    )


def start(store: RunStore, category: Category, settings: Settings, stamp: int, sized: SizeChoice | None) -> None:
    """Check the images, then hand the run to its own process. A category with errors is not started, and one whose
    warnings were not on show is started by a second click. sized: how the image size was chosen; None where a person
    did.
    """
    was_shown = check_at_once(category, stamp) is not None
    findings = check(category, stamp).findings
    try:
        refuse_errors(category.name, findings)
        if not was_shown and any(one.severity == "warning" for one in set(findings) - set(data_cache.listed(category))):
            st.session_state[_REFUSED] = stamp
            st.toast("The images were read, and there are new warnings below the button.", icon=":material/warning:")
            st.rerun()
        run_id = trainings.start(store, category.root, category.name, settings, category.reading, sized)
    except WTFlowError as error:
        show_error(error)
        return
    state.put("watch", run_id)
    st.toast(f"{plain(category.name)} is on its way.", icon=":material/rocket_launch:")
    st.rerun()


store = open_page("train")
with shown():
    main(store)
