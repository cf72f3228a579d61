"""The test images of a run as a grid of cards under their maps: filtered, sorted, in pages.
A card leads to its localization.
"""

from typing import cast

import streamlit as st

from pages.ui import note_taking, picture_cache, state, thresholds, widgets
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.relocation import show_where_images_are
from pages.ui.small_picture import show_small
from wtflow import numbers
from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.pictures import why_no_pictures
from wtflow.plots.theme import OUTCOMES
from wtflow.results import CalledRow, RunResults, add_outcomes, image_at
from wtflow.store.runs import RunStore
from wtflow.studies.small_pictures import CARD_PX, Look, Small

PER_PAGE = 28
"""Full rows of seven in a wide window and of four in a narrow one."""

OF_THRESHOLD = " of the threshold"
"""Said once above the cards, which have no room for it."""
VIEWS: dict[Look, str] = {"overlay": "With map", "outlined": "Image only"}

_COLOURS: dict[str, widgets.BadgeColour] = {"TP": "orange", "FN": "violet", "FP": "yellow", "TN": "blue"}


def show_gallery(store: RunStore, results: RunResults, threshold: thresholds.Threshold) -> None:
    """The cards and their filter. A filter redraws these alone, but for one that the figures above show as well."""
    st.subheader("Images", anchor=False)
    if why := why_no_pictures(results):
        st.caption(f":material/info: {plain(why)}")
    show_where_images_are(store, results)
    st.fragment(_show_cards)(store, results, threshold, _shown_above(thresholds.read_filter(results)))


def _shown_above(chosen: thresholds.Filter) -> tuple:
    return chosen.outcomes, chosen.score_range


def _show_cards(store: RunStore, results: RunResults, threshold: thresholds.Threshold, shown_above: tuple) -> None:
    chosen = thresholds.read_filter(results)
    if _shown_above(chosen) != shown_above:
        st.rerun()
    _show_filter(results, threshold, chosen)
    rows = thresholds.rows_of(results, threshold, chosen)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = _show_order(chosen)
        on_page = widgets.pager(len(rows), PER_PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        what = f": {plain(chosen.words)}" if chosen.is_active else ""
        of_all = f"{len(rows):,} of {numbers.count(len(results.test), 'test image')}{what}"
        beside = ". Beside the outcome: the score as a share of the threshold." if threshold.value > 0 else ""
        st.caption(of_all + beside, width="content")
        if chosen.is_active:
            st.button("Show all", icon=":material/filter_alt_off:", on_click=_clear, type="tertiary")
    if rows.empty:
        st.info("No image passes this filter. Show all, or move the threshold.", icon=":material/filter_alt:")
        return
    cards = [cast(CalledRow, image_at(rows, i)) for i in on_page]
    with st.spinner("Drawing the images"), st.grid(min_column_width=widgets.TILE_PX, key="gallery"):
        small = picture_cache.small_pictures(store, results.run_id)
        for image in cards:
            (picture,) = picture_cache.tiles(small, int(image.row), [(view, CARD_PX)])
            _show_card(results, image, picture, threshold.value)


def _show_filter(results: RunResults, threshold: thresholds.Threshold, chosen: thresholds.Filter) -> None:
    table = add_outcomes(results.test, threshold.value)
    n_of_outcome = table.outcome.value_counts()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        thresholds.show_types(results, chosen, table.defect.value_counts().to_dict())
        st.pills(
            "Outcome at this threshold",
            list(OUTCOMES),
            selection_mode="multi",
            wrap=True,
            format_func=lambda name: f"{OUTCOMES[name]} ({n_of_outcome.get(name, 0)})",
            **state.bound("outcome", list(chosen.outcomes)),
        )
        note_taking.show_tag_filter(results, chosen)


def _show_order(chosen: thresholds.Filter) -> Look:
    """Choice of the order and of what a tile shows; returns the latter."""
    st.selectbox(
        "Order",
        list(thresholds.SORTS),
        format_func=thresholds.SORTS.__getitem__,
        width=190,
        **state.bound("sort", chosen.sort),
    )
    st.session_state.setdefault("gallery_view", "overlay")
    return st.selectbox(
        "Show", list(VIEWS), format_func=VIEWS.__getitem__, key="gallery_view", width=150, persist_state="session"
    )


def _show_card(results: RunResults, image: CalledRow, picture: Small, threshold: float) -> None:
    with st.container(key=f"tile-image_{image.row}", gap="xsmall"):
        show_small(
            picture,
            f"{image.sample_id}, {OUTCOMES[image.outcome]}, score {format_score(image.score)}",
        )
        link(
            "localization",
            f"**{format_score(image.score)}** {plain(image.defect)}",
            run=results.run_id,
            sample=image.sample_id,
            position=None,
            help=f"{plain(image.sample_id)}: look at the map of this image",
        )
        share = (of_threshold(float(image.score), threshold) or "").removesuffix(OF_THRESHOLD)
        st.markdown(
            f":{_COLOURS[image.outcome]}-badge[{OUTCOMES[image.outcome]}]{f' :small[{share}]' if share else ''}"
        )
        with st.container(key=f"follow_{image.row}"):
            link(
                "follow",
                "Follow",
                run=results.run_id,
                sample=image.sample_id,
                position=None,
                help=f"Follow {'this defect' if image.is_defective else 'its highest patch'} from the image to the map",
            )
        note_taking.show_note_line(thresholds.read_notes(results).note(image.sample_id))


def _clear() -> None:
    thresholds.clear_filter()
    st.session_state["n_histograms"] = st.session_state.get("n_histograms", 0) + 1
