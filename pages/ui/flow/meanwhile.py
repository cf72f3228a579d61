"""What a page shows while a process moves the features: where the same positions ended, from the run's own maps."""

import streamlit as st

from pages.ui.cache import results as read_results
from pages.ui.flow import flow_cache
from pages.ui.words import glossed
from wtflow.errors import WTFlowError
from wtflow.numbers import percent
from wtflow.plots import theme
from wtflow.plots.ends import plot_ends
from wtflow.store.runs import RunStore
from wtflow.studies.ends import Ends, ends_of
from wtflow.studies.requests import TravelRequest


def show_ends(store: RunStore, run_id: str, request: TravelRequest) -> None:
    """Distances at the end of the positions of a request; nothing where the run's maps do not tell them."""
    ends = _ends(flow_cache.run_key(store, run_id), store, run_id, request)
    if ends is None:
        return
    st.plotly_chart(
        plot_ends(ends.normal, ends.defect),
        key="ends",
        config=theme.CONFIG,
        alt="Distance from the origin at t = 1 of normal positions and of positions inside defects",
    )
    outside = ends.share_outside
    escaped = "" if outside is None else f" Of the positions inside defects {percent(outside)} ended outside."
    st.caption(
        glossed(f"Until the paths are there: where these positions ended when the run scored its images.{escaped}")
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _ends(key: flow_cache.Key, _store: RunStore, run_id: str, request: TravelRequest) -> Ends | None:
    try:
        return ends_of(_store, read_results(_store, run_id), request)
    except WTFlowError:  # the process says what is wrong
        return None
