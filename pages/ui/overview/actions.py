"""What can be done with the selected runs: compare, describe, archive, export, delete."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import widgets
from pages.ui.access.visitor import trainers
from pages.ui.deletion import ask_delete
from pages.ui.errors import show_error
from pages.ui.families import category_of
from pages.ui.frame import go
from pages.ui.overview.describing import ask_words
from pages.ui.overview.export import ask_export
from wtflow.compare.runs import MOST_RUNS
from wtflow.errors import WTFlowError
from wtflow.records.core import RunSummary
from wtflow.store.notes import archive_run
from wtflow.store.runs import RunStore


def show_actions(store: RunStore, chosen: Sequence[RunSummary], tags: list[str]) -> None:
    """A button for each. One that cannot be used says why when it is pointed at. tags: those that are offered."""
    sound = [one for one in chosen if widgets.is_finished(one) and not one.problem]
    resting = [one for one in chosen if not widgets.is_active(one)]
    none = "Select runs in the table first"
    why_not = _why_not_compared(store, chosen, sound) if chosen else none
    if st.button(
        "Compare",
        icon=":material/compare_arrows:",
        disabled=bool(why_not),
        help=why_not or "Metrics with intervals, and the images that they call differently",
    ):
        oldest_first = sorted(sound, key=lambda one: one.run_id)
        go(
            "compare",
            runs_of=category_of(store, sound[0]),
            runs=[one.run_id for one in oldest_first],
            part=None,
            sample=None,
        )
    if st.button(
        "Name and tags", icon=":material/label:", **trainers(disabled=not chosen, help=none if not chosen else None)
    ):
        ask_words(store, chosen, tags)
    is_back = bool(chosen) and all(one.archived for one in chosen)
    if st.button(
        "Take back" if is_back else "Archive",
        icon=":material/unarchive:" if is_back else ":material/archive:",
        **trainers(
            disabled=not chosen,
            help=none if not chosen else None if is_back else "Hide them from lists and pickers; nothing is deleted",
        ),
    ):
        _archive(store, chosen, not is_back)
    if st.button(
        "Export",
        icon=":material/folder_zip:",
        disabled=not sound,
        help=none if not chosen else None if sound else "Only finished runs hold something to export",
    ):
        ask_export(store, sound)
    if st.button(
        "Delete",
        icon=":material/delete:",
        **trainers(disabled=not resting, help=none if not chosen else None if resting else "Stop it first"),
    ):
        ask_delete(store, resting)


def _archive(store: RunStore, chosen: Sequence[RunSummary], archived: bool) -> None:
    try:
        for one in chosen:
            archive_run(store, one.run_id, archived)
    except WTFlowError as error:
        show_error(error)
    else:
        st.rerun()


def _why_not_compared(store: RunStore, chosen: Sequence[RunSummary], sound: Sequence[RunSummary]) -> str:
    if len(sound) < len(chosen):
        return "Only finished runs can be compared"
    if len({category_of(store, one) for one in chosen}) > 1:
        return "Only runs of one category can be compared"
    return "" if 2 <= len(chosen) <= MOST_RUNS else f"Select two to {MOST_RUNS} runs of one category"
