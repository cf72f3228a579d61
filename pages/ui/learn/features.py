"""Lesson `features`: the open run next to the toy. Shows what was computed before and leads to where more is;
computes nothing.
"""

from itertools import product

import streamlit as st

from pages.ui import cache, run_cache, state, widgets
from pages.ui.errors import plain, shown
from pages.ui.flow import flow_cache
from pages.ui.flow.wells_sample import COUNTS, SAVES
from pages.ui.frame import link
from wtflow.plots import theme
from wtflow.plots.well import plot_radius_heat
from wtflow.records.core import GOOD, RunSummary
from wtflow.records.flow import UNMARKED, Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest, default_wells
from wtflow.studies.well import describe_well, radius_density, shell, well_radius

NO_RUN = (
    "There is no finished run yet. Train one, then this lesson shows its features next to the toy; all other lessons"
    " need none."
)


def show_features(store: RunStore) -> None:
    """The radius of the open run's features over time, if its travel is kept, what that shows in words, and links to
    the same widgets.
    """
    summary = open_run(store)
    if summary is None:
        st.info(NO_RUN, icon=":material/info:")
        link("train", "Train a run", icon=":material/model_training:")
        return
    run_id = summary.run_id
    with shown():
        results = cache.results(store, run_id)
        travel = kept_travel(store, results)
    with st.container(border=True, key="lesson_features"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(widgets.run_label(summary))}**", width="content")
            widgets.weights_badge(summary)
        if travel is None:
            st.markdown(
                "No paths of this run were computed yet. The page Wells computes those of 2,000 positions in some"
                " seconds; this picture then shows them."
            )
        elif GOOD not in travel.positions.groups:
            st.markdown("This run has no normal test images, so there is no well to draw.")
        else:
            _show_radius(travel)
        with st.container(horizontal=True, key="lesson_features_links"):
            link("trajectories", "Watch them travel", icon=":material/route:", run=run_id)
            link("wells", "See where they end", icon=":material/adjust:", run=run_id)
            link("trajectories", "Few steps against many", icon=":material/stairs:", run=run_id, tab="steps")
            link("trajectories", "Ideal against learned", icon=":material/difference:", run=run_id, tab="ideal")


def open_run(store: RunStore) -> RunSummary | None:
    """The finished run that was chosen on any page, else the newest, else None."""
    finished = {one.run_id: one for one in run_cache.live_summaries(store) if widgets.is_finished(one)}
    return finished.get(state.get("run") or "") or next(iter(finished.values()), None)


def kept_travel(store: RunStore, results: RunResults) -> Travel | None:
    """A travel that the page `wells` computed before: with its first settings, else with others that it offers."""
    start = default_wells(results.settings.solver).travel
    for n, steps in sorted(product(COUNTS, SAVES), key=lambda pair: (pair != (start.n, start.steps), pair)):
        request = TravelRequest(how="balanced", n=n, steps=steps, solver=results.settings.solver)
        found = flow_cache.answer(store, results.run_id, request)
        if found is not None:
            return found
    return None


def _show_radius(travel: Travel) -> None:
    defects = tuple(name for name in travel.positions.groups if name not in (GOOD, UNMARKED))
    edges, normal = radius_density(travel, (GOOD,))
    defect = radius_density(travel, defects)[1] if defects else None
    figure = plot_radius_heat(edges, normal, defect, travel.t, well_radius(travel), shell(travel.n_channels))
    st.plotly_chart(
        figure, key="lesson_radius", config=theme.CONFIG, alt="Histograms of the distance from the origin over time"
    )
    st.caption(
        f"{len(travel.positions):,} positions in {travel.n_channels:,} dimensions."
        f" {' '.join(plain(line) for line in describe_well(travel))}"
    )
