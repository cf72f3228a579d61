"""Where do features end: do normals fall into a well, and do defects escape it?"""

import streamlit as st

from pages.ui import cache_flow, derived, widgets
from pages.ui.errors import shown
from pages.ui.frame import open_page
from pages.ui.wells_map import pick_sample, show_map
from pages.ui.wells_shape import show_landscape, show_shape
from wtflow.records.core import GOOD
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if results.test.empty:
        st.info("This run has no test images, so there is nothing to look at. Add images to test/ and train again.", icon=":material/info:")
        return
    request, umap = pick_sample(results)
    travel = derived.read_travel(store, results.run_id, request)
    if travel is None:
        return
    show_map(store, results, travel, umap)
    if GOOD in travel.positions.groups:
        st.subheader("The well itself", anchor=False)
        show_shape(travel, cache_flow.answer_key(store, results.run_id, request))
    show_landscape(store, results)


store = open_page("wells")
with shown():
    main(store)
