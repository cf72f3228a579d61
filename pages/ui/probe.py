"""One position, step by step along the path: the figure and what stands below it, for *Localization* and *Inspect*."""

from collections.abc import Callable

import streamlit as st

from pages.ui.errors import show_error
from wtflow.errors import WTFlowError
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.probe import plot_probe
from wtflow.records.core import Probe


def show_followed(compute: Callable[[], Probe], position: tuple[int, int]) -> bool:
    """Show what `compute` finds of a position (row, column). False where it cannot be computed, and why is shown."""
    try:
        with st.spinner("Following the position (the first time loads the network: some seconds)"):
            probe = compute()
    except WTFlowError as error:
        show_error(error)
        return False
    st.plotly_chart(
        plot_probe(probe),
        key="probe",
        config=theme.CONFIG,
        alt=f"Norm and score of row {position[0]}, column {position[1]} at every saved step",
    )
    st.caption(
        f"Row {position[0]}, column {position[1]}: the map shows {format_score(probe.map_score)}. "
        f"The feature has {probe.n_channels} channels; noise has a norm near {format_score(probe.n_channels**0.5)}. "
        "Channels are those that the flow sees, after normalising."
        + (
            f" Normal images score higher this near the edge, so scores here are divided by {probe.edge_factor:.2f}."
            if probe.edge_factor > 1.005
            else ""
        )
    )
    return True
