"""A person says what masks mean: rules to choose from, each with what it would mark, and a field for any other."""

import streamlit as st

from pages.ui import mask_cache
from pages.ui.errors import plain, show_error
from pages.ui.masks.meaning import DEFECT_KEY, LEFT_OUT_KEY, SIDES, pick_example, show_example
from wtflow.datasets.masks.rule_words import rule_words
from wtflow.errors import SettingsError, WTFlowError
from wtflow.records.core import Category, HealthReport, Sample
from wtflow.records.mask_rule import MaskRule, parse_rule
from wtflow.records.masks import MaskDecision
from wtflow.records.reading import AUTO, Reading
from wtflow.store.readings import keep_reading, reading_of
from wtflow.store.runs import RunStore

CARD_PX = 300
"""Least width of a card: mask and image beside each other are still told apart."""


def keep(store: RunStore, category: Category, reading: Reading) -> None:
    """Remember how the category is to be read and draw the page again, or show why that failed."""
    try:
        keep_reading(store, category.root, category.name, reading)
    except WTFlowError as error:
        show_error(error)
        return
    st.rerun()


def show_choice(
    store: RunStore, category: Category, report: HealthReport, stamp: int, example: Sample | None = None
) -> None:
    """Cards to choose a rule from, drawn alone while a person tries rules. stamp: of the category, see
    `health.state_of`; example: None lets a person choose one.
    """
    if report.masks is not None:
        st.fragment(_show_cards)(store, category, report.masks, stamp, _has_turned(report), example)


def _has_turned(report: HealthReport) -> bool:
    """Whether EXIF turns images, so that it matters which way up masks were drawn."""
    return report.reading.masks_as_stored or any(one.code in ("turned", "turned_mask") for one in report.findings)


def _show_cards(
    store: RunStore,
    category: Category,
    decision: MaskDecision,
    stamp: int,
    has_turned: bool,
    example: Sample | None,
) -> None:
    reading = category.reading
    as_stored = reading.masks_as_stored
    if has_turned:
        as_stored = st.toggle(
            "Masks are drawn on images as stored, before EXIF turns them",
            value=as_stored,
            key=f"mask_as_stored_{category.name}",
        )
    sample = example or pick_example(category, decision, stamp)
    if sample is None:
        return
    if example is None:
        st.html(f"{SIDES} &ensp; {DEFECT_KEY} &ensp; {LEFT_OUT_KEY}")
    with st.grid(min_column_width=CARD_PX, key="mask_choice"):
        for i, rule in enumerate(_offered(category, stamp)):
            with st.container(border=True, height="stretch", key=f"mask_card_{i}"):
                _show_card(store, category, sample, rule, stamp, as_stored, f"use_{i}")
        with st.container(border=True, height="stretch", key="mask_card_own"):
            rule = _type_rule(category)
            if rule == AUTO == reading.masks and not has_turned:
                st.caption("Type a rule, or tick a box, and see here what it marks.")
            elif rule is not None:
                _show_card(store, category, sample, rule, stamp, as_stored, "use_own")


def _offered(category: Category, stamp: int) -> tuple[str, ...]:
    """Rules that a person may have meant; where the app is certain, its own and the other way round."""
    return mask_cache.preview(category, AUTO, stamp).decision.suggestions or (AUTO, "invert")


def _type_rule(category: Category) -> str | None:
    """A rule in a person's own words; None while they mean nothing."""
    which = f"{category.name}_{category.reading.masks}"  # a new field, filled anew, when another rule holds
    text = st.text_input(
        "Another rule",
        value="" if category.reading.masks == AUTO else category.reading.masks,
        placeholder="defect=1,ignore=255",
        help="Numbers (1), ranges (128-255) or colours (#ff0000): defect=1,ignore=255, or defect=nonzero.",
        key=f"mask_rule_{which}",
    )
    with st.container(horizontal=True):
        invert = st.checkbox("Invert", help="The other way round.", key=f"mask_invert_{which}")
        alpha = st.checkbox(
            "Transparency", help="Values are those of the transparency (alpha).", key=f"mask_alpha_{which}"
        )
    try:
        rule = parse_rule(text.strip() or AUTO)
    except SettingsError as error:
        show_error(error)
        return None
    return MaskRule(rule.defect, rule.ignore, rule.alpha or alpha, rule.invert != invert).words


def _show_card(
    store: RunStore, category: Category, sample: Sample, rule: str, stamp: int, as_stored: bool, key: str
) -> None:
    """What a rule says and marks, and the button that makes it hold."""
    preview = mask_cache.preview(category, rule, stamp)
    st.markdown(f"**`{rule}`**")
    drawn = preview.decision.rule or ("alpha,defect=nonzero" if parse_rule(rule).alpha else "")
    show_example(category, sample, drawn if preview.is_usable else "", stamp, as_stored=as_stored)
    is_clearer = preview.decision.rule and not parse_rule(rule).alpha  # values instead of "as the app reads masks"
    st.markdown(plain(rule_words(preview.decision.rule if is_clearer else rule)))
    st.caption(plain(preview.words))
    said = {"masks": rule, "masks_as_stored": as_stored}
    is_kept = said == {"masks": category.reading.masks, "masks_as_stored": category.reading.masks_as_stored}
    if st.button(
        "This holds now" if is_kept else "Use this",
        icon=":material/check:",
        key=f"mask_{key}",
        disabled=is_kept or not (preview.is_usable or rule == AUTO),
    ):
        try:
            kept = reading_of(store, category.root, category.name)
        except WTFlowError as error:
            show_error(error)
            return
        keep(store, category, kept.model_copy(update=said))
