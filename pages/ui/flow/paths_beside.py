"""Around the paths: straight lines under them, the position that was clicked, UMAP's angles, and all as files."""

from collections.abc import Callable
from typing import Literal, get_args

import streamlit as st

from pages.ui import answers, state
from pages.ui.downloads import MovieFormat, offer_still
from pages.ui.errors import plain
from pages.ui.flow import flow_cache, flow_words
from pages.ui.frame import link
from pages.ui.words import glossed
from wtflow.config import Coupling
from wtflow.export.tables import travel_csv
from wtflow.plots.disc_views import Disc
from wtflow.plots.groups import group_words
from wtflow.records.core import GOOD
from wtflow.records.flow import Travel
from wtflow.results import RunResults, image_of_row
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest, default_paths, umap_of

FEW = 100
"""Positions that two principal axes spread as well as a UMAP would."""

COUPLINGS: tuple[Coupling, ...] = get_args(Coupling)
NO_LINES = "none"

View = Literal["plane", "angle", "disc"]
"""Views that a still or a movie of the paths has."""
CURVES = {"norm": "Distance", "speed": "Speed", "straightness": "Straightness", "divergence": "Divergence"}
"""Curves over time that are offered as files, by the name of their quantity."""


def pick_lines(results: RunResults) -> None:
    """The coupling of the straight lines to noise under the paths, or none."""
    trained = results.settings.coupling
    words = {NO_LINES: "No straight lines"} | {
        kind: f"Straight lines: {kind} pairs{' (as trained)' * (kind == trained)}" for kind in COUPLINGS
    }
    st.selectbox(
        "Straight lines to noise",
        list(words),
        format_func=words.__getitem__,
        label_visibility="collapsed",
        width=270,
        **state.bound("lines", state.choose("lines", COUPLINGS, None) or NO_LINES),
    )


def what_is_shown(store: RunStore, results: RunResults, request: TravelRequest) -> flow_cache.Shown | None:
    """What the field is made of; None while the normals around one image are being computed."""
    around = None
    if len(request.rows) == 1:
        # What the page opens with, so that it is there already.
        around = default_paths(request.solver).model_copy(update={"steps": request.steps})
        if answers.read_travel(store, results.run_id, around) is None:
            return None
    umap = umap_of(request)
    is_there = around is None and flow_cache.answer(store, results.run_id, umap) is not None
    return flow_cache.Shown(request, umap if is_there else None, around, state.choose("lines", COUPLINGS, None))


def offer_umap(store: RunStore, results: RunResults, shown: flow_cache.Shown, travel: Travel) -> None:
    """Where the angles come from two principal axes only, the way to better ones."""
    if shown.umap is None and shown.among is None and len(travel.positions) > FEW:
        umap = umap_of(shown.request)
        expected = flow_words.expected_umap(store, umap, len(travel.positions), travel.n_channels)
        answers.read_task(store, results.run_id, umap, "Angles by UMAP", expected)


def show_position(results: RunResults, travel: Travel, clicked: int | None) -> None:
    """Which position was clicked, with the ways to its image and to its path alone; else that one can click."""
    places = flow_cache.drawn(travel).positions
    is_single = len(travel.positions) == 1
    clicked = 0 if is_single else clicked
    if clicked is None or clicked >= len(places):
        part = (
            ""
            if len(places) == len(travel.positions)
            else f"{len(places):,} of them are drawn, evenly over the types; files hold all. "
        )
        st.caption(f"{part}Click a point to come to its image.", width="content")
        return
    sample = image_of_row(results.table, int(places.row[clicked])).sample_id
    row, column = int(places.grid_row[clicked]), int(places.grid_column[clicked])
    what = plain(group_words(str(places.group[clicked])))
    st.markdown(f"**{plain(sample)}**, row {row}, column {column}: {what}", width="content")
    there = {"run": results.run_id, "sample": sample, "position": f"{row},{column}"}
    link("localization", "Open its image", icon=":material/center_focus_strong:", **there)
    if is_single:
        link("follow", "Follow this patch", icon=":material/conversion_path:", **there)
    else:
        link("trajectories", "Follow it alone", icon=":material/route:", images="one", how="clicked", **there)


def explain_others(store: RunStore, results: RunResults, shown: flow_cache.Shown, travel: Travel) -> None:
    """Among whom one image is shown, or why there is no well."""
    if shown.among is None:
        return
    around = flow_cache.answer(store, results.run_id, shown.among)
    if around is None or GOOD not in around.positions.groups:
        st.caption(glossed("This run has no normal test images, so there is no well to compare with."))
        return
    among = flow_cache.others(travel, around)
    n_normal = sum(group == GOOD for group in around.positions.group.tolist())
    drawn = "" if among is None else f" In grey: {len(among.positions):,} normal positions of other images."
    st.caption(glossed(f"The well is that of {n_normal:,} normal positions of all test images.{drawn}"))


def show_files(store: RunStore, results: RunResults, shown: flow_cache.Shown, travel: Travel) -> None:
    """The figure, its numbers, its animation and the curves over time as files;
    the numbers of the curves are in the figure's.
    """
    ids = results.table.sample_id.tolist()
    disc = flow_cache.disc_of(store, results.run_id, shown, travel)
    wanted = (state.get("view") or "disc").partition("_")[0]
    view: View = "plane" if wanted == "plane" else "angle" if wanted == "radius" or disc is None else "disc"
    with st.container(horizontal=True):
        offer_still(
            "paths",
            "still_paths",
            travel,
            view,
            disc,
            csv=lambda: travel_csv(travel, ids),
            movie=lambda ending, progress: _movie(travel, view, disc, ending, progress),
        )
        for quantity, label in CURVES.items():
            if getattr(travel, quantity) is not None:
                offer_still(label.lower(), "still_over_time", travel, quantity, label=f"{label} over time")


def _movie(
    travel: Travel, view: View, disc: Disc | None, ending: MovieFormat, progress: Callable[[int, int], None]
) -> bytes:
    from wtflow.plots.still.moving import movie

    return movie(travel, view, ending, 4.0, 20, progress, disc)
