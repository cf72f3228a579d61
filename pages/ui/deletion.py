"""Deleting runs, after a question."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui import state
from pages.ui.errors import plain, show_error
from wtflow import numbers
from wtflow.errors import RunNotFoundError, WTFlowError
from wtflow.jobs import trainings
from wtflow.records.core import RunSummary
from wtflow.store.runs import RunStore

MOST_NAMED = 12
"""Lines of a question that is still read."""


def ask_delete(store: RunStore, runs: Sequence[RunSummary], then: Callable[[], None] = lambda: None) -> None:
    """Ask whether these runs are to go, in a dialog. then: called once they are gone."""
    title = "Delete this run?" if len(runs) == 1 else f"Delete {len(runs)} runs?"
    st.dialog(title, icon=":material/delete:")(_ask)(store, runs, then)


def _ask(store: RunStore, runs: Sequence[RunSummary], then: Callable[[], None]) -> None:
    whose = f"run {_words(runs[0])}" if len(runs) == 1 else "these runs"
    st.write(f"The scores, maps, notes and checkpoint of {whose} are removed for good. The images stay.")
    if len(runs) > 1:
        lines = [f"- {_words(one)}" for one in runs[:MOST_NAMED]]
        st.markdown("\n".join(lines + [f"- and {len(runs) - MOST_NAMED} more"] * (len(runs) > MOST_NAMED)))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it" if len(runs) == 1 else "Keep them"):
            st.rerun()
        is_sure = st.button("Delete for good", type="primary", icon=":material/delete_forever:")
    if is_sure and _delete(store, [one.run_id for one in runs]):
        then()
        st.rerun()


def _words(run: RunSummary) -> str:
    """A run as a person knows it, and its id, which no other run has."""
    of = f" of {plain(run.category)}" if run.category else ""
    named = f"“{plain(run.name)}”, " if run.name else ""
    return f"{named}{plain(run.run_id)}{of}"


def _delete(store: RunStore, run_ids: Sequence[str]) -> bool:
    """Delete the runs, each as far as it can be. False, with the reasons on the page, where one could not."""
    errors = []
    for run_id in run_ids:
        try:
            trainings.delete(store, run_id)
        except RunNotFoundError:  # another window was quicker
            pass
        except WTFlowError as error:
            errors.append(error)
            continue
        if state.get("run") == run_id:
            state.put("run", None)
    if len(errors) < len(run_ids) and len(run_ids) > 1:
        st.toast(f"{numbers.count(len(run_ids) - len(errors), 'run')} deleted.", icon=":material/delete:")
    for error in errors:
        show_error(error)
    return not errors
