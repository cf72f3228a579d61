"""The runs of a store, looked at once in each run of a page."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import streamlit as st

from wtflow import numbers
from wtflow.jobs import listing, trainings
from wtflow.jobs.listing import RunView
from wtflow.store.runs import RunStore


def look(store: RunStore) -> RunView:
    """The runs as they are now."""
    with _bar() as progress:
        return listing.look(store, progress)


def reconciled(store: RunStore) -> RunView:
    """The same, after the store was brought in line with the processes."""
    with _bar() as progress:
        trainings.reconcile(store, progress)
    return listing.last_look(store)


@contextmanager
def _bar() -> Generator[Callable[[int, int], None], None, None]:
    """A bar that appears once many runs have to be read, as for a store that has no index yet."""
    place = None

    def show(done: int, total: int) -> None:
        nonlocal place
        place = place or st.empty()
        place.progress(done / total, text=f"Reading {numbers.count(total, 'run')}, once")

    try:
        yield show
    finally:
        if place is not None:
            place.empty()
