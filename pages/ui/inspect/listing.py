"""The inspections of a run, or all: name, when, how many, drift; opened, renamed, taken home, deleted."""

import streamlit as st

from pages.ui import run_lists, state, widgets
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from pages.ui.frame import link
from pages.ui.inspect.drifted import drift_badge
from pages.ui.inspect.names import name_of, was_dropped
from pages.ui.inspect.taking import show_export
from pages.ui.inspect.watching import is_watching
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.inspecting import tasks
from wtflow.numbers import percent
from wtflow.numbers import score as format_score
from wtflow.permission import may_train
from wtflow.records.core import RunSummary
from wtflow.records.inspect import Inspection
from wtflow.store.inspection_words import name_inspection, read_words
from wtflow.store.notes import MAX_NAME
from wtflow.store.runs import RunStore

PER_PAGE = 12
WIDTHS = (4, 2, 2, 2, 2, 3)
HEADS = ("Inspection", "When", "Images", "Called defective", "Threshold", "")


def show_list(store: RunStore, run_id: str) -> None:
    """The inspections of a run, newest first; of all runs where a person asks for them."""
    all_of_them = tasks.look_all(store)
    own = [one for one in all_of_them if one.detector == run_id]
    if not all_of_them:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Inspections", anchor=False, width="content")
        is_all = False
        if len(own) < len(all_of_them):
            is_all = st.toggle(f"Of all detectors ({len(all_of_them):,})", key="inspections_of_all", value=not own)
    shown = all_of_them if is_all else own
    if not shown:
        st.caption("None by this run yet.")
        return
    on_page = widgets.pager(len(shown), PER_PAGE)
    runs = run_lists.look(store).get_all(shown[i].detector for i in on_page)
    for column, words in zip(st.columns(WIDTHS), HEADS, strict=True):
        column.caption(words)
    for i in on_page:
        _show_line(store, shown[i], runs, is_all)


def _show_line(store: RunStore, inspection: Inspection, runs: dict[str, RunSummary], with_detector: bool) -> None:
    counts, facts = inspection.counts, inspection.facts
    n_read = counts.n_done - counts.n_broken
    with st.container(key=f"line_{inspection.inspection_id}"):
        name, when, n, defective, threshold, rest = st.columns(WIDTHS, vertical_alignment="center")
        with name:
            label = f"**{plain(name_of(store, inspection))}**"
            link("inspect", label, inspection=inspection.inspection_id, image=None, calls=None)
            if with_detector:
                run = runs.get(inspection.detector)
                st.caption(plain((run.name or run.category) if run is not None else inspection.name))
        when.markdown(widgets.moment(inspection.created) if inspection.created else "")
        n.markdown(f"{counts.n_done:,}", help=_broken_words(counts.n_broken))
        share = f" ({percent(counts.n_defective / n_read)})" if n_read else ""
        defective.markdown(f"**{counts.n_defective:,}**{share}")
        threshold.markdown(format_score(facts.decision.value) if facts is not None else numbers.MISSING)
        with rest, st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            _show_state(inspection)
            drift_badge(store, inspection)


def _broken_words(n: int) -> str | None:
    return f"{numbers.count(n, 'file')} could not be read" if n else None


def _show_state(inspection: Inspection) -> None:
    if inspection.problem:
        st.badge("damaged", icon=":material/broken_image:", color="red")
    elif is_watching(inspection):
        st.badge("watching", icon=":material/visibility:", color="primary")
    elif inspection.status.state != "finished":
        widgets.state_badge(RunSummary(inspection.inspection_id, inspection.status))


def show_head(store: RunStore, inspection: Inspection) -> None:
    """Which inspection this is, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="inspection_head"):
        link("inspect", "All", icon=":material/list:", help="All inspections, and new images", **state.NO_INSPECTION)
        st.markdown(f"#### {plain(name_of(store, inspection))}", width="content")
        _show_state(inspection)
        where = "" if was_dropped(inspection) or not may_train() else f" · {plain(', '.join(inspection.sources))}"
        st.caption(f"{widgets.moment(inspection.created)}{where}", width="stretch")
        if not inspection.problem:
            _show_rename(store, inspection)
            show_export(store, inspection)
        if not inspection.status.is_active and st.button(
            "Delete", icon=":material/delete:", type="tertiary", **trainers()
        ):
            st.dialog("Delete this inspection?", icon=":material/delete:")(_ask_delete)(store, inspection)


def _show_rename(store: RunStore, inspection: Inspection) -> None:
    key = f"inspection_name_{inspection.inspection_id}"

    def save() -> None:
        try:
            name_inspection(store, inspection.inspection_id, st.session_state[key])
        except WTFlowError as error:
            st.session_state[_FAILED] = error

    with st.popover("Rename", icon=":material/edit:", type="tertiary"):
        try:
            given = read_words(store, inspection.inspection_id).name
        except WTFlowError as error:
            show_error(error)
        else:
            placeholder = "A name, such as week 48"
            st.text_input(
                "Name", given, max_chars=MAX_NAME, key=key, on_change=save, placeholder=placeholder, **trainers()
            )
    if (error := st.session_state.pop(_FAILED, None)) is not None:
        show_error(error)


_FAILED = "inspection_name_failed"
"""Session key: why the name that was typed last could not be kept, until that was shown."""


def _ask_delete(store: RunStore, inspection: Inspection) -> None:
    n = numbers.count(inspection.counts.n_done, "image")
    st.write(
        f"The scores, maps and notes of {n} in **{plain(name_of(store, inspection))}** are removed for good, with the"
        " copies of dropped images. Images in folders stay."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it"):
            st.rerun()
        if not st.button("Delete for good", type="primary", icon=":material/delete_forever:"):
            return
    try:
        tasks.delete(store, inspection.inspection_id)
    except WTFlowError as error:
        show_error(error)
        return
    state.put("inspection", None)
    st.rerun()
