"""How do normal and defective features travel along the path?"""

from collections.abc import Callable
from typing import Literal

import streamlit as st

from pages.ui import answers, state, thresholds, widgets
from pages.ui.downloads import MovieFormat, offer_still
from pages.ui.errors import plain, show_error, shown
from pages.ui.flow import flow_cache, flow_words
from pages.ui.flow.field import HEIGHT, field_state, show_field
from pages.ui.flow.ideal_and_steps import show_ideal, show_steps
from pages.ui.flow.positions_form import show_paths_form
from pages.ui.frame import link, open_page
from wtflow.errors import WTFlowError
from wtflow.export.tables import travel_csv
from wtflow.plots.groups import group_words
from wtflow.records.flow import Travel
from wtflow.results import RunResults, image_of_row
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest

View = Literal["plane", "angle"]
"""Views that a still or a movie of the paths has."""
CURVES = {"norm": "Distance", "speed": "Speed", "straightness": "Straightness", "divergence": "Divergence"}
"""Curves over time that are offered as files, by the name of their quantity."""
TABS = {"ideal": "Ideal against learned", "steps": "Few steps against many"}
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
    request = show_paths_form(results, thresholds.read_threshold(results))
    try:
        travel = answers.read_travel(store, results.run_id, request)
        if travel is not None:
            show_paths(store, results, request, travel)
    except WTFlowError as error:  # the studies below may have an answer all the same
        show_error(error)
    show_more(store, results)


def show_paths(store: RunStore, results: RunResults, request: TravelRequest, travel: Travel) -> None:
    """The moving field, the chosen position above it, and in words what it shows."""
    st.session_state[SHOWN] = (results.run_id, request.model_dump_json())
    whose, clicked = st.session_state.get(CLICKED) or (None, None)
    clicked = clicked if whose == st.session_state[SHOWN] else None
    show_position(results, request, travel, clicked)
    data = flow_cache.paths_field(store, results.run_id, request, None)
    show_field(
        data,
        key="paths",
        height=HEIGHT,
        choices={
            "view": flow_words.wanted_view("paths", data),
            "colour": state.get("colour"),
            "t": state.get_number("t"),
            "marked": [] if clicked is None else [clicked],
            "opens_playing": True,
        },
        can_select=False,
        on_change=take_choice,
    )
    show_files(results, travel)
    with st.container(border=True, key="card-words"):
        flow_words.show_words(travel)
        if request.at is None:
            link("wells", "See where they end", icon=":material/adjust:", run=results.run_id)


def take_choice() -> None:
    flow_words.take_choice("paths")
    clicked = field_state("paths").clicked
    if clicked is not None:
        st.session_state[CLICKED] = (st.session_state.get(SHOWN), clicked)


def show_position(results: RunResults, request: TravelRequest, travel: Travel, clicked: int | None) -> None:
    """One line: how many there are, or which one was clicked, with the ways to its image and to its path alone."""
    places = flow_cache.drawn(travel).positions
    is_single = len(travel.positions) == 1
    clicked = 0 if is_single else clicked
    with st.container(horizontal=True, vertical_alignment="center", key="clicked"):
        if clicked is None or clicked >= len(places):
            part = (
                ""
                if len(places) == len(travel.positions)
                else f" {len(places):,} of them are drawn, evenly over the types; files hold all."
            )
            st.caption(
                f"{flow_words.count_in_words(travel, request)}.{part} Click one to come to its image.", width="content"
            )
            return
        sample = image_of_row(results.table, int(places.row[clicked])).sample_id
        row, column = int(places.grid_row[clicked]), int(places.grid_column[clicked])
        what = plain(group_words(str(places.group[clicked])))
        st.markdown(f"**{plain(sample)}**, row {row}, column {column}: {what}", width="content")
        there = {"run": results.run_id, "sample": sample, "position": f"{row},{column}"}
        link("localization", "Open its image", icon=":material/center_focus_strong:", **there)
        if not is_single:
            link("trajectories", "Follow it alone", icon=":material/route:", images="one", how="clicked", **there)


def show_files(results: RunResults, travel: Travel) -> None:
    """The figure, its numbers, its animation and the curves over time as files;
    the numbers of the curves are in the figure's.
    """
    view: View = "plane" if state.get("view") == "plane" else "angle"
    ids = results.table.sample_id.tolist()
    with st.container(horizontal=True):
        offer_still(
            "paths",
            "still_paths",
            travel,
            view,
            csv=lambda: travel_csv(travel, ids),
            movie=lambda ending, progress: _movie(travel, view, ending, progress),
        )
        for quantity, label in CURVES.items():
            if getattr(travel, quantity) is not None:
                offer_still(label.lower(), "still_over_time", travel, quantity, label=f"{label} over time")


def show_more(store: RunStore, results: RunResults) -> None:
    """Two studies of the same run. Only the one that is open is computed."""
    st.subheader("Look closer", anchor=False)
    wanted = state.choose("tab", TABS, None)
    st.segmented_control(
        "Study", list(TABS), format_func=TABS.__getitem__, label_visibility="collapsed", **state.bound("tab", wanted)
    )
    if wanted == "ideal":
        show_ideal(store, results)
    elif wanted == "steps":
        show_steps(store, results)


def _movie(travel: Travel, view: View, ending: MovieFormat, progress: Callable[[int, int], None]) -> bytes:
    from wtflow.plots.still.moving import movie

    return movie(travel, view, ending, 4.0, 20, progress)


store = open_page("trajectories")
with shown():
    main(store)
