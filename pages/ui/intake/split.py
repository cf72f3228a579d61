"""Step 4: which photos train and which test."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error
from pages.ui.intake import set_cache
from pages.ui.intake.onward import show_way_on
from pages.ui.intake.said import fail
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.intake.near import find_pairs
from wtflow.intake.sorting import say_apart, set_split
from wtflow.intake.split import place
from wtflow.records.intake import DataSet, Pair, Placed
from wtflow.store.dataset_versions import newest_version
from wtflow.store.runs import RunStore

PER_PAGE = 6
"""Pairs that are shown at once."""
_SIDES = {"train": "trains", "test": "tests"}


def words(data: DataSet) -> str:
    """How far this step is."""
    return f"{numbers.percent(data.test_share)} for the test"


def show_split(store: RunStore, data: DataSet) -> None:
    """The share and the seed, what comes of it, and photos that are nearly the same."""
    show_way_on(
        "Go on: make a version",
        "version",
        "The detector learns from most of the good photos. The others, and all defective ones, are kept back to test"
        " it: it never sees them while it learns.",
    )
    if len(data.of("good")) < 2:
        st.info("At least two good photos are needed. Bring or sort some first.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        st.session_state["split_share"] = round(100 * data.test_share)
        st.slider(
            "Share of the good photos that test, in percent",
            0,
            60,
            step=5,
            key="split_share",
            width=380,
            on_change=lambda: _set(store, data.name, share=st.session_state["split_share"] / 100),
        )
        st.session_state["split_seed"] = data.seed
        st.number_input(
            "Seed",
            0,
            10_000,
            step=1,
            key="split_seed",
            width=140,
            help="Another seed draws other photos for the test. Photos of an earlier version keep their side.",
            on_change=lambda: _set(store, data.name, seed=int(st.session_state["split_seed"])),
        )
    bar = st.empty()
    count = widgets.count_on(
        bar.progress(0.0, text="Looking for photos that are nearly the same"),
        lambda i, n: f"Looking for photos that are nearly the same: {i:,} of {n:,}",
    )
    pairs = find_pairs(store, data.name, count)
    bar.empty()
    placed = place(data, pairs, newest_version(store, data.name))
    show_sides(data, placed)
    for sentence in placed.words:
        st.caption(f":material/info: {plain(sentence)}")
    show_pairs(store, data, pairs, placed)


def _set(store: RunStore, name: str, *, share: float | None = None, seed: int | None = None) -> None:
    try:
        set_split(store, name, test_share=share, seed=seed)
    except WTFlowError as error:
        fail(error)


def show_sides(data: DataSet, placed: Placed) -> None:
    """How many photos train and test."""
    sides = placed.sides
    train = sum(side == "train" for side in sides.values())
    good = sum(side == "test" and data.items[key].label == "good" for key, side in sides.items())
    with st.container(horizontal=True, gap="large"):
        st.metric("Good photos that train", f"{train:,}", width="content")
        st.metric("Good photos that test", f"{good:,}", width="content")
        st.metric("Defective photos that test", f"{len(data.of('defect')):,}", width="content")


def show_pairs(store: RunStore, data: DataSet, pairs: tuple[Pair, ...], placed: Placed) -> None:
    """Near-duplicates side by side: they lie on one side of the split, unless a person says that they differ."""
    there = [pair for pair in pairs if pair.first in placed.sides and pair.second in placed.sides]
    st.subheader("Nearly the same", anchor=False)
    if not there:
        st.caption("No two photos are nearly the same.")
        return
    st.caption(
        f"{numbers.count(len(there), 'pair')}, the most alike first. Both photos of a pair are kept on one side, so"
        " that the test asks nothing that was learned by heart. Where two photos show different parts, say so."
    )
    number = (
        st.number_input("Page", 1, -(-len(there) // PER_PAGE), key="pairs_page", width=140)
        if len(there) > PER_PAGE
        else 1
    )
    with st.grid(min_column_width=330, key="pairs"):
        for pair in there[(number - 1) * PER_PAGE : number * PER_PAGE]:
            show_pair(store, data, pair, placed)


def show_pair(store: RunStore, data: DataSet, pair: Pair, placed: Placed) -> None:
    ids = (pair.first, pair.second)
    small = set_cache.small_pictures(store, data, ids)
    is_apart = tuple(sorted(ids)) in data.apart
    with st.container(border=True, key=f"pair_{ids[0]}_{ids[1]}", gap="xsmall"):
        for column, key in zip(st.columns(2), ids, strict=True):
            item = data.items[key]
            column.image(small[key], width="stretch", alt=item.name)
            column.caption(f"{plain(item.name)}: {_SIDES[placed.sides[key]]}")
        label = "They are the same part after all" if is_apart else "They show different parts"
        if st.button(label, key=f"apart_{ids[0]}_{ids[1]}", type="tertiary"):
            try:
                say_apart(store, data.name, [ids], are_apart=not is_apart)
            except WTFlowError as error:
                show_error(error)
            else:
                st.rerun()
