"""How do normal and defective features travel along the path?"""

from contextlib import nullcontext

import streamlit as st

from pages.ui import answers, state, thresholds, widgets
from pages.ui.errors import show_error, shown
from pages.ui.flow import flow_cache, flow_words, paths_beside
from pages.ui.flow.coupling import show_coupling
from pages.ui.flow.field import HEIGHT, field_state, show_field
from pages.ui.flow.ideal_and_steps import show_ideal, show_steps
from pages.ui.flow.positions_form import PathsForm, read_paths_form, show_filter, show_paths_form
from pages.ui.frame import link, open_page
from wtflow.errors import WTFlowError
from wtflow.numbers import count
from wtflow.records.flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest

TABS = {
    "ideal": "Ideal against learned",
    "steps": "Few steps against many",
    "coupling": "When does the coupling matter?",
}
CLICKED, SHOWN = "paths_clicked", "paths_shown"
"""Session keys: the particle that was clicked last, with the paths it belongs to; and the paths on the page."""


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if results.test.empty:
        st.info(
            "This run has no test images, so there are no features to follow. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    form = read_paths_form(results, thresholds.read_threshold(results))
    line = st.container(horizontal=True, vertical_alignment="center", gap="small", key="clicked")
    show_filter(form)
    travel = read_paths(store, results, form.request)
    st.session_state[SHOWN] = (results.run_id, form.request.model_dump_json())
    whose, clicked = st.session_state.get(CLICKED) or (None, None)
    clicked = clicked if whose == st.session_state[SHOWN] else None
    with line:
        show_line(results, form, travel, clicked)
    if travel is not None:
        try:
            show_paths(store, results, form.request, travel, clicked)
        except WTFlowError as error:  # the studies below may have an answer all the same
            show_error(error)
    show_more(store, results)


def read_paths(store: RunStore, results: RunResults, request: TravelRequest) -> Travel | None:
    try:
        return answers.read_travel(store, results.run_id, request)
    except WTFlowError as error:  # the studies below may have an answer all the same
        show_error(error)
        return None


def show_line(results: RunResults, form: PathsForm, travel: Travel | None, clicked: int | None) -> None:
    """What is shown, in a line above the picture."""
    if travel is None:
        show_paths_form(results, form, f"{form.n:,} positions of {form.images_in_words}", "")
        return
    n = count(len(travel.positions), "position")
    words = flow_words.count_in_words(travel, form.request)
    show_paths_form(results, form, f"{n} of {form.images_in_words}", words)
    paths_beside.pick_lines(results)
    paths_beside.show_position(results, travel, clicked)


def show_paths(
    store: RunStore, results: RunResults, request: TravelRequest, travel: Travel, clicked: int | None
) -> None:
    """The moving field, and in words what it shows."""
    made_of = paths_beside.what_is_shown(store, results, request)
    if made_of is None:
        return
    with st.spinner("Pairing positions with noise") if made_of.lines else nullcontext():
        data = flow_cache.paths_field(store, results.run_id, made_of)
    marked = [0] if len(travel.positions) == 1 else [] if clicked is None else [clicked]
    show_field(
        data,
        key="paths",
        height=HEIGHT,
        choices={
            "view": flow_words.wanted_view("paths", data),
            "colour": state.get("colour"),
            "t": state.get_number("t"),
            "marked": marked,
            "opens_playing": True,
        },
        can_select=False,
        on_change=take_choice,
    )
    paths_beside.explain_others(store, results, made_of, travel)
    paths_beside.offer_umap(store, results, made_of, travel)
    paths_beside.show_files(store, results, made_of, travel)
    with st.container(border=True, key="card-words"):
        flow_words.show_words(travel, flow_words.steps_in_words(results, travel) if made_of.among else None)
        if request.at is None:
            link("wells", "See where they end", icon=":material/adjust:", run=results.run_id)


def take_choice() -> None:
    flow_words.take_choice("paths")
    clicked = field_state("paths").clicked
    if clicked is not None:
        st.session_state[CLICKED] = (st.session_state.get(SHOWN), clicked)


def show_more(store: RunStore, results: RunResults) -> None:
    """Three studies of the same run. Only the one that is open is computed."""
    st.subheader("Look closer", anchor=False)
    wanted = state.choose("tab", TABS, None)
    st.segmented_control(
        "Study", list(TABS), format_func=TABS.__getitem__, label_visibility="collapsed", **state.bound("tab", wanted)
    )
    if wanted == "ideal":
        show_ideal(store, results)
    elif wanted == "steps":
        show_steps(store, results)
    elif wanted == "coupling":
        show_coupling(store, results)


store = open_page("trajectories")
with shown():
    main(store)
