"""One position of an inspected image, step by step along the path: what its score is made of."""

import streamlit as st

from pages.ui.errors import show_error
from pages.ui.image_and_map import read_position
from pages.ui.inspect import inspect_cache
from pages.ui.words import glossed
from wtflow.errors import WTFlowError
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.probe import plot_probe
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
    try:
        with st.spinner("Following the position (the first time loads the network: some seconds)"):
            probe = inspect_cache.probe(store, inspection, row, *position)
    except WTFlowError as error:
        show_error(error)
        return
    st.plotly_chart(
        plot_probe(probe),
        key="probe",
        config=theme.CONFIG,
        alt=f"Norm and score of row {position[0]}, column {position[1]} at every saved step",
    )
    st.caption(
        f"Row {position[0]}, column {position[1]}: the map shows {format_score(probe.map_score)}. The feature has"
        f" {probe.n_channels} channels; noise has a norm near {format_score(probe.n_channels**0.5)}."
    )
