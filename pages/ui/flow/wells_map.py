"""The map of positions: as they move, or as a UMAP places them at one time; and next to it what is behind it."""

from typing import Literal

import streamlit as st

from pages.ui import answers, state
from pages.ui.downloads import offer_still
from pages.ui.flow import flow_cache, flow_words
from pages.ui.flow.field import FieldState, show_field
from pages.ui.flow.wells_chosen import HOW_TO_CHOOSE, chosen_points, points_by_image, show_chosen
from pages.ui.flow.wells_sample import pick_sample, pick_umap
from pages.ui.flow.wells_shape import show_radius
from pages.ui.frame import link
from wtflow.export.tables import projection_csv, travel_csv
from wtflow.numbers import count
from wtflow.plots.umap_map import trust_in_words
from wtflow.records.flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest, UmapRequest, umap_of

HEIGHT = "clamp(22rem, calc(100vh - 11.5rem), 60rem)"
"""Of the map with its controls: what the title row and the line above it leave free of the window."""
TRUST_HEIGHT = "clamp(22rem, calc(100vh - 14rem), 60rem)"
"""The same below a line about the map's trustworthiness."""
Shown = Literal["moving", "end", "start"]
MAPS: dict[Shown, str] = {"moving": "The well", "end": "UMAP at t = 1", "start": "UMAP at t = 0"}
"""What the map can show: the moving positions, or a UMAP of them at one time."""


def show_map(store: RunStore, results: RunResults, travel: Travel, request: TravelRequest) -> None:
    """The map; beside it the radius over time, what lies behind the chosen points, and what to look for."""
    points = points_by_image(results, travel)
    picked = state.choose("picked", points, None)
    marked = [] if picked is None else points[picked]
    shown: Shown = state.choose("map", MAPS, "moving")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="wells_line"):
        st.segmented_control(
            "Map",
            list(MAPS),
            required=True,
            format_func=MAPS.__getitem__,
            label_visibility="collapsed",
            width="content",
            **state.bound("map", shown),
        )
        label = count(len(travel.positions), "position")
        pick_sample(request, label, flow_words.count_in_words(travel, request))
        umap = None if shown == "moving" else pick_umap(request, shown)
    with st.container(key="map_and_images"):
        left, right = st.columns([3, 2], gap="large")
    with left:
        event = (
            _show_moving(store, results, travel, request, marked)
            if umap is None
            else _show_umap(store, results, travel, umap, marked)
        )
    if event is not None and event.clicked is not None and event.clicked < len(travel.positions):
        state.put("picked", next(sample for sample, members in points.items() if event.clicked in members))
        st.rerun()
    with right:
        chosen = chosen_points(points, [] if event is None else event.selected, picked)
        if chosen:  # what was just chosen comes first
            show_chosen(store, results, travel, points, chosen, picked)
        show_radius(travel, flow_cache.answer_key(store, results.run_id, request))
        if not chosen:
            st.caption(HOW_TO_CHOOSE)
        with st.container(border=True, key="card-words"):
            flow_words.show_words(travel)
            link("trajectories", "Watch them travel", icon=":material/route:", run=results.run_id)


def _show_moving(
    store: RunStore, results: RunResults, travel: Travel, request: TravelRequest, marked: list[int]
) -> FieldState:
    umap = umap_of(request)
    is_there = flow_cache.answer(store, results.run_id, umap) is not None
    data = flow_cache.wells_field(store, results.run_id, request, umap if is_there else None)
    event = show_field(
        data,
        key="map",
        height=HEIGHT,
        choices={
            "view": flow_words.wanted_view("map", data),
            "colour": state.get("colour"),
            "t": state.get_number("t"),
            "opens_playing": True,
            "marked": marked,
        },
        can_select=True,
        on_change=_take_choice,
    )
    ids = results.table.sample_id.tolist()
    disc = flow_cache.disc_of(store, results.run_id, flow_cache.Shown(request, umap if is_there else None), travel)
    view = "plane" if disc is None or state.get("view") == "plane" else "disc"
    offer_still("map", "still_paths", travel, view, disc, csv=lambda: travel_csv(travel, ids))
    return event


def _show_umap(
    store: RunStore, results: RunResults, travel: Travel, request: UmapRequest, marked: list[int]
) -> FieldState | None:
    """The UMAP at one time with its trustworthiness; until it is there, the way to it."""
    what = f"Compute the UMAP of {len(travel.positions):,} positions"
    expected = flow_words.expected_umap(store, request, len(travel.positions), travel.n_channels)
    projection = answers.read_task(store, results.run_id, request, what, expected)
    if projection is None:
        return None
    st.caption(f"{trust_in_words(projection)}.")
    event = show_field(
        flow_cache.projected_field(store, results.run_id, request),
        key="umap",
        height=TRUST_HEIGHT,
        choices={"colour": state.get("colour"), "marked": marked},
        can_select=True,
        on_change=_take_colour,
    )
    ids = results.table.sample_id.tolist()
    places = travel.positions
    offer_still("map", "still_points", projection, places.group, csv=lambda: projection_csv(projection, places, ids))
    return event


def _take_choice() -> None:
    flow_words.take_choice("map")


def _take_colour() -> None:
    flow_words.take_choice("umap", ("colour",))
