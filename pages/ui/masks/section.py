"""The masks of a category below its findings: folded while all is well, and where a person's word is changed."""

import streamlit as st

from pages.ui.errors import plain
from pages.ui.masks.choice import keep, show_choice
from pages.ui.masks.meaning import show_example_of, show_values
from wtflow.datasets.masks.rule_words import rule_words
from wtflow.datasets.masks.words import SAID_BY, region_words
from wtflow.records.core import Category, HealthReport
from wtflow.records.reading import AUTO
from wtflow.store.runs import RunStore

LOOK_AT_THEM = ("soft_masks", "turned_mask", "mask_size")
"""Findings that the pictures help to judge."""


def show_masks(store: RunStore, category: Category, report: HealthReport, stamp: int) -> None:
    """What the masks mean, with a picture, and a way to say otherwise. Masks of which nothing is certain stand in
    their finding instead. stamp: of the category, see `health.state_of`.
    """
    decision = report.masks
    if decision is None or not decision.is_clear or not (decision.n_masks or category.reading.masks != AUTO):
        return
    rule = decision.rule if decision.n_masks else ""
    with st.expander(
        f"What the masks mean: `{rule}`, {SAID_BY[decision.said_by]}"
        if rule
        else f"No mask can be read by `{category.reading.masks}`",
        icon=":material/contrast:",
        expanded=not rule or any(finding.code in LOOK_AT_THEM for finding in report.findings),
        key="masks",
    ):
        left, right = st.columns(2, gap="large")
        with left:
            st.markdown(plain(rule_words(rule or category.reading.masks)))
            show_values(category, decision, stamp)
            if report.regions is not None:
                st.caption(f":material/grain: {plain(region_words(report.regions))}")
            is_open = show_switches(store, category)
        with right:
            sample = show_example_of(category, decision, stamp)
        if is_open:
            show_choice(store, category, report, stamp, sample)


def show_switches(store: RunStore, category: Category) -> bool:
    """Buttons to say otherwise and to forget what was said; whether the choice is open."""
    reading = category.reading
    with st.container(horizontal=True, vertical_alignment="center"):
        is_open = st.toggle("They mean something else", key=f"mask_open_{category.name}_{reading.masks}")
        if (reading.masks != AUTO or reading.masks_as_stored) and st.button(
            "Forget it", icon=":material/undo:", help="Read the masks as the app does by itself."
        ):
            keep(store, category, reading.model_copy(update={"masks": AUTO, "masks_as_stored": False}))
    return is_open
