"""The dialog in which a person names, tags and stars a run, or tags several."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.errors import plain, show_error
from wtflow.errors import WTFlowError
from wtflow.records.core import RunSummary
from wtflow.store.notes import MAX_NAME, name_run, star_run, tag_run
from wtflow.store.runs import RunStore


def ask_words(store: RunStore, runs: Sequence[RunSummary], tags: list[str]) -> None:
    """Ask for the words on these runs. tags: those that are offered, the most used first."""
    title = "Name and tags" if len(runs) == 1 else f"Tags of {len(runs)} runs"
    st.dialog(title, icon=":material/label:")(_ask_one if len(runs) == 1 else _ask_many)(store, runs, tags)


def _ask_one(store: RunStore, runs: Sequence[RunSummary], tags: list[str]) -> None:
    (run,) = runs
    st.caption(f"{plain(run.category)} · {plain(run.run_id)}")
    with st.form("words_on_run", border=False):
        name = st.text_input("Name", run.name, max_chars=max(MAX_NAME, len(run.name)), placeholder="In your own words")
        wanted = _pick_tags("Tags", list(dict.fromkeys((*tags, *run.tags))), run.tags)
        star = st.checkbox("Star", run.star)
        is_sure = st.form_submit_button("Save", type="primary")
    if is_sure:
        try:
            if wanted != list(run.tags):
                tag_run(store, run.run_id, run.tags, wanted)
            if star != run.star:
                star_run(store, run.run_id, star)
            if name.strip() != run.name:
                name_run(store, run.run_id, name)
        except WTFlowError as error:
            show_error(error)
        else:
            st.rerun()


def _ask_many(store: RunStore, runs: Sequence[RunSummary], tags: list[str]) -> None:
    shared = [tag for tag in tags if all(tag in run.tags for run in runs)]
    some = [tag for tag in tags if tag not in shared and any(tag in run.tags for run in runs)]
    st.caption("Tags that all of them have are chosen. What you add or remove here changes in each of them.")
    if some:
        st.caption(f"Some of them also have: {plain(', '.join(some))}.")
    with st.form("words_on_runs", border=False):
        wanted = _pick_tags("Tags", tags, shared)
        is_sure = st.form_submit_button("Save", type="primary")
    if is_sure:
        try:
            for run in runs:
                tag_run(store, run.run_id, shared, [*(tag for tag in run.tags if tag not in shared), *wanted])
        except WTFlowError as error:
            show_error(error)
        else:
            st.rerun()


def _pick_tags(label: str, offered: list[str], chosen: Sequence[str]) -> list[str]:
    return st.multiselect(
        label, offered, list(chosen), accept_new_options=True, placeholder="Choose tags, or type new ones"
    )
