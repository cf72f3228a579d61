"""Where do features end: do normals fall into a well, and do defects escape it?"""

import streamlit as st

from pages.ui import answers, widgets
from pages.ui.errors import shown
from pages.ui.flow import flow_cache
from pages.ui.flow.wells_map import show_map
from pages.ui.flow.wells_sample import pick_sample
from pages.ui.flow.wells_shape import show_landscape, show_shape
from pages.ui.frame import open_page
from wtflow.records.core import GOOD
from wtflow.store.runs import RunStore


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if results.test.empty:
        st.info(
            "This run has no test images, so there is nothing to look at. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    request = pick_sample(results)
    travel = answers.read_travel(store, results.run_id, request)
    if travel is None:
        return
    show_map(store, results, travel, request)
    if GOOD in travel.positions.groups:
        st.subheader("The well itself", anchor=False)
        show_shape(travel, flow_cache.answer_key(store, results.run_id, request))
    show_landscape(store, results)


store = open_page("wells")
with shown():
    main(store)
