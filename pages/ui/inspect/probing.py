"""One position of an inspected image, step by step along the path: what its score is made of."""

import streamlit as st

from pages.ui.image_and_map import read_position
from pages.ui.inspect import inspect_cache
from pages.ui.probe import show_followed
from pages.ui.words import glossed
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.layout import is_run_id
from wtflow.store.runs import RunStore


def show_probe(store: RunStore, inspection: Inspection, row: Inspected) -> None:
    """The position that was clicked, or how to choose one. Where it cannot be computed, why."""
    if inspection.facts is None or row.map_at < 0:
        return
    st.subheader("One position, step by step", anchor=False)
    position = read_position(inspection.facts.map_shape)
    if position is None:
        st.caption(
            glossed(
                "Click a pixel in the pictures above to follow its feature from the data (t = 0) to the noise (t = 1)."
            )
        )
        return
    if not is_run_id(inspection.detector):
        st.caption("This detector came from a file, not from a run of this app: its positions are not followed here.")
        return
    show_followed(lambda: inspect_cache.probe(store, inspection, row, *position), position)
