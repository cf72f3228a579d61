"""What masks meant for a run, as it was counted."""

import streamlit as st

from pages.ui.errors import plain
from pages.ui.masks.meaning import show_table
from wtflow.datasets.masks.words import run_words
from wtflow.records.mask_rule import parse_value
from wtflow.records.masks import decision_of
from wtflow.results import RunResults

UNKNOWN = "This run does not say how masks were read: outlines and areas are those of the masks as they are now."


def show_masks_of_run(results: RunResults) -> None:
    """The rule in a line, and the values folded; nothing for a run without defects."""
    if not results.has_defects:
        return
    decision = decision_of(results.metrics)
    if decision is None or not decision.n_masks:
        st.caption(f":material/contrast: {UNKNOWN if decision is None else plain(run_words(decision))}")
        return
    stored = " They were drawn on images as stored." if results.config.reading.masks_as_stored else ""
    with st.expander(f"{plain(run_words(decision))}{stored}", icon=":material/contrast:", type="compact"):
        show_table(decision, tuple(parse_value(value.words) for value in decision.values))
