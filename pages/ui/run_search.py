"""Which runs a picker offers, and the search for all others: of thousands a picker holds those that are likely."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.ui import run_lists
from pages.ui.errors import plain, show_error
from wtflow import numbers
from wtflow.errors import SettingsError
from wtflow.jobs.listing import RunView
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.store.runs import RunStore

N_OFFERED = 40
"""Runs in a picker: those of the category first, then the newest of others."""
N_SHOWN = 12
"""Runs below a search."""


@dataclass(frozen=True, slots=True)
class Offered:
    """runs: the options of a picker, in their order. n: finished runs that could be chosen. query: all of them."""

    runs: tuple[RunSummary, ...]
    n: int
    query: RunQuery


def offered(view: RunView, chosen: RunSummary | None) -> Offered:
    """The finished runs that a picker offers beside the chosen one: archived ones only where one was chosen."""
    every = RunQuery(states=("finished",), sort="-run", limit=N_OFFERED)
    newest = view.find(every)
    found = list(newest.runs)
    if newest.n_found > len(found) and chosen is not None:
        own = RunQuery(states=("finished",), sort="-run", category=chosen.category, limit=N_OFFERED * 3 // 4)
        found = [*view.find(own).runs, *found]
    if chosen is not None and chosen.run_id not in {run.run_id for run in found[:N_OFFERED]}:
        found = [chosen, *found]
    by_id = {run.run_id: run for run in found}  # the first of two counts
    return Offered(tuple(by_id.values())[:N_OFFERED], newest.n_found, every)


def show_search(
    store: RunStore,
    offered: Offered,
    line: Callable[[RunSummary], str],
    choose: Callable[[str], None],
    *,
    key: str = "run_search",
) -> None:
    """A search among all runs, where the picker does not hold them all. choose: what a click on a run does."""
    if offered.n <= len(offered.runs):
        return
    words = f"Search all {offered.n:,} finished runs"
    place = st.popover("", icon=":material/search:", help=words, key=key, on_change="rerun")
    if place.open:
        with place:
            st.fragment(_show)(store, offered.query, words, line, choose, key)


def _show(
    store: RunStore,
    query: RunQuery,
    words: str,
    line: Callable[[RunSummary], str],
    choose: Callable[[str], None],
    key: str,
) -> None:
    text = st.text_input(
        words,
        key=f"{key}_text",
        type="search",
        live=True,
        placeholder="Category, name, tag, setting; also image_auroc>0.9",
    )
    is_all = st.toggle("Archived ones too", key=f"{key}_archived")
    try:
        found = run_lists.look(store).find(
            RunQuery(
                search=text or "",
                states=query.states,
                sources=query.sources,
                sort=query.sort,
                limit=N_SHOWN,
                archived="also" if is_all else "no",
            )
        )
    except SettingsError as error:
        show_error(error)
        return
    lines = {run.run_id: line(run) for run in found.runs}
    with st.container(gap=None, key=f"{key}_found"):
        for run_id, words_of_run in lines.items():
            if st.button(plain(words_of_run), key=f"{key}_{run_id}", type="tertiary", help=plain(run_id)):
                choose(run_id)
                st.rerun()
    if found.n_found > len(found.runs):
        st.caption(f"The newest {len(found.runs)} of {numbers.count(found.n_found, 'run')}")
    elif not found.runs:
        st.caption("No finished run fits.")
