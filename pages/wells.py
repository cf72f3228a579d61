"""Where do features end: do normals fall into a well, and do defects escape it?"""

import streamlit as st

from pages.ui import answers, state, widgets
from pages.ui.errors import shown
from pages.ui.flow import flow_cache
from pages.ui.flow.wells_landscape import show_landscape
from pages.ui.flow.wells_map import show_map
from pages.ui.flow.wells_sample import read_sample
from pages.ui.flow.wells_shape import show_depth, show_escape, show_spread
from pages.ui.frame import open_page
from wtflow.records.core import GOOD
from wtflow.records.flow import Travel
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.studies.requests import TravelRequest

TABS = {
    "escape": "Who escapes",
    "depth": "How deep the well is",
    "spread": "Radius of every position",
    "landscape": "Landscape",
}


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if results.test.empty:
        st.info(
            "This run has no test images, so there is nothing to look at. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    request = read_sample(results)
    travel = answers.read_travel(store, results.run_id, request)
    if travel is None:
        return
    show_map(store, results, travel, request)
    show_tabs(store, results, travel, request)


def show_tabs(store: RunStore, results: RunResults, travel: Travel, request: TravelRequest) -> None:
    """Four closer looks at the well. Only the one that is open is computed."""
    st.subheader("Look closer", anchor=False)
    tabs = TABS if GOOD in travel.positions.groups else {"landscape": TABS["landscape"]}
    wanted = state.choose("tab", tabs, next(iter(tabs)))
    st.segmented_control(
        "Look closer",
        list(tabs),
        required=True,
        format_func=tabs.__getitem__,
        label_visibility="collapsed",
        **state.bound("tab", wanted),
    )
    key = flow_cache.answer_key(store, results.run_id, request)
    if wanted == "landscape":
        show_landscape(store, results)
    elif wanted == "spread":
        show_spread(travel, key)
    elif wanted == "depth":
        show_depth(travel, key)
    else:
        show_escape(travel, key)


store = open_page("wells")
with shown():
    main(store)
