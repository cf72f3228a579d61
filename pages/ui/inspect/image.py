"""One inspected image: picture, map and outline with linked zoom, why this score, nearest normals, a note."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.ui import state
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from pages.ui.frame import link
from pages.ui.image_and_map import OWN_SCALE_NOTE, read_look, read_position
from pages.ui.inspect import inspect_cache
from pages.ui.inspect.gallery import read_between, read_calls, read_order, words_of
from pages.ui.inspect.names import name_of
from pages.ui.inspect.probing import show_probe
from pages.ui.inspect.rows import show_nearest
from pages.ui.intake.correct import offer_correction
from pages.ui.localization.picture import show_pictures
from pages.ui.stepping import step_buttons
from wtflow.errors import WTFlowError
from wtflow.inspecting import kept
from wtflow.inspecting.choice import ORDERS, choose_rows
from wtflow.inspecting.pictures import origin_words
from wtflow.numbers import of_threshold
from wtflow.numbers import score as format_score
from wtflow.permission import may_train
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.inspection_words import InspectionWords, note_image
from wtflow.store.layout import is_run_id
from wtflow.store.notes import MAX_COMMENT
from wtflow.store.runs import RunStore

OUTLINE = "Outline of what reaches the threshold"


def show_image(store: RunStore, inspection: Inspection) -> None:
    """The image that the address names, with buttons and arrow keys to its neighbours in the gallery."""
    words = words_of(store, inspection)
    rows = kept.rows(store, inspection.inspection_id)
    row = _pick(store, inspection, rows, words)
    if row.problem:
        st.error(f"**This image could not be read.**  \n{plain(row.problem)}", icon=":material/broken_image:")
        st.caption(f"It lay at {plain(row.path)}" if may_train() else "It is no longer where it lay.")
        _show_note(store, inspection, row, words)
        return
    _show_verdict(store, inspection, row)
    _show_pictures(store, inspection, row)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_nearest(store, inspection, row)
    with right:
        _show_note(store, inspection, row, words)
        if is_run_id(inspection.detector) and (store.home / inspection.detector).is_dir():
            is_called = row.verdict == "defective"
            known = {"is_defective": is_called, "sha256": row.sha256, "is_of_run": False}
            offer_correction(store, inspection.detector, row.image, Path(row.path), **known)
    show_probe(store, inspection, row)


def _pick(store: RunStore, inspection: Inspection, rows: Sequence[Inspected], words: InspectionWords) -> Inspected:
    wanted = state.get("image") or ""
    order = read_order()
    found = choose_rows(rows, read_calls(), order, noted=frozenset(words.notes), score_range=read_between())
    if all(one.image != wanted for one in found):  # a link to an image that the filter leaves out: step through all
        found = choose_rows(rows, (), order)
    at = next((i for i, one in enumerate(found) if one.image == wanted), None)
    back = {"inspection": inspection.inspection_id, "image": None}
    if at is None:
        with st.container(horizontal=True):
            link("inspect", "Back to the inspection", icon=":material/grid_view:", **back)
        kept.row(store, inspection.inspection_id, wanted)  # says that there is none
        st.stop()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        link("inspect", plain(name_of(store, inspection)), icon=":material/grid_view:", help="All its images", **back)
        step_buttons("image", [row.image for row in found], at)
        st.markdown(f"**{plain(wanted)}**", width="content")
        st.caption(f"{at + 1:,} of {len(found):,}, {ORDERS[order].lower()}", width="content")
    return found[at]


def _show_verdict(store: RunStore, inspection: Inspection, row: Inspected) -> None:
    is_called = row.verdict == "defective"
    with st.container(horizontal=True, vertical_alignment="center", key=f"verdict_{'TP' if is_called else 'TN'}"):
        st.markdown(f"**Called {row.verdict}**", width="content")
        share = of_threshold(row.score, row.threshold)
        place = share or f"{'at or above' if is_called else 'below'} the threshold"
        st.markdown(f"Score **{format_score(row.score)}** is {place} {format_score(row.threshold)}.", width="content")
        if words := origin_words(store, inspection, row):
            st.caption(words, width="content")
        if row.note:
            st.caption(f":material/info: {plain(row.note)}", width="content")


def _show_pictures(store: RunStore, inspection: Inspection, row: Inspected) -> None:
    found = inspect_cache.drawn(store, inspection, row)
    if found.note:
        st.caption(f":material/info: {plain(found.note)}")
    if found.encoded is None:
        st.image(found.jpeg, alt=row.image)
        st.caption("This inspection kept no maps, so only the image is shown. Inspect it again with maps to see where.")
        return
    shape = inspection.facts.map_shape if inspection.facts else (0, 0)
    show_pictures(
        found.encoded,
        key="pictures",
        image_key=found.key,
        name=f"{row.image}, score {format_score(row.score)}",
        threshold=row.threshold,
        look=read_look(),
        own_scale_note=OWN_SCALE_NOTE,
        selected=read_position(shape),
        on_click=lambda position: state.put("position", position),
        outline_words=OUTLINE,
    )


def _show_note(store: RunStore, inspection: Inspection, row: Inspected, words: InspectionWords) -> None:
    key = f"inspected_note_{inspection.inspection_id}_{row.image}"

    def save() -> None:
        try:
            note_image(store, inspection.inspection_id, row.image, st.session_state[key])
        except WTFlowError as error:
            st.session_state[_FAILED] = error

    st.text_area(
        "Note",
        words.notes.get(row.image, ""),
        max_chars=MAX_COMMENT,
        key=key,
        on_change=save,
        placeholder="Saved with this inspection when you leave the field",
        height="content",
        **trainers(),
    )
    if (error := st.session_state.pop(_FAILED, None)) is not None:
        show_error(error)


_FAILED = "inspected_note_failed"
"""Session key: why the note that was written last could not be kept, until that was shown."""
