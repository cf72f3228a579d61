"""Which masks the pixel metrics of compared runs rest on: what differs, and the choice of one truth for all."""

import streamlit as st

from pages.ui import state
from pages.ui.compare import compare_cache
from pages.ui.errors import plain
from wtflow import numbers
from wtflow.compare.common_truth import truth_options
from wtflow.compare.differences import MOST_NAMED, truth_sentences
from wtflow.compare.runs import LETTERS, Comparison
from wtflow.store.runs import RunStore


def choose_truth(store: RunStore, comparison: Comparison) -> compare_cache.Basis:
    """Say where the masks of the runs differ, and let a person choose those that all are counted on."""
    run_ids = tuple(run.run_id for run in comparison.runs)
    own, found = compare_cache.differences(store, run_ids)
    sentences = [plain(one) for one in truth_sentences(found, own)]
    if found.are_same:
        for sentence in sentences:
            st.caption(f":material/info: {sentence}")
        return compare_cache.basis(store, run_ids, None)
    head = (
        "**The runs were not counted on the same masks**, so their pixel metrics cannot be compared as they stand."
        if found.n
        else "**It cannot be told whether the runs were counted on the same masks**, so pixel metrics are not compared."
    )
    st.warning(
        f"{head} Metrics of images do not depend on masks.\n\n" + "\n".join(f"* {sentence}" for sentence in sentences),
        icon=":material/difference:",
    )
    if found.n > MOST_NAMED:
        with st.expander(f"All {numbers.count(found.n, 'image')} on which the masks differ"):
            st.dataframe(_listed(found), hide_index=True)
    options = truth_options(store, comparison, found)
    chosen = state.choose("truth", options, None)
    if not options:
        return compare_cache.basis(store, run_ids, None)
    st.selectbox(
        "Count the pixels of all runs on",
        list(options),
        format_func=options.__getitem__,
        placeholder="Choose the masks that are right",
        width=380,
        **state.bound("truth", chosen),
    )
    on = compare_cache.basis(store, run_ids, chosen)
    if on.truth.truths:
        st.caption(
            f"Pixel metrics, the PRO curve and outlines below rest on {plain(on.truth.words)}. Other pages show"
            " each run with its own."
        )
    elif chosen is not None:
        st.info(plain(on.truth.reason), icon=":material/info:")
    return on


def _listed(found) -> list[dict[str, str]]:
    """A line per image on which the masks differ."""
    lines = [{"image": name, "masks": "differ"} for name in found.differ]
    for runs, names in found.partly:
        only = f"valid in {' and '.join(LETTERS[k] for k in runs)} only"
        lines += [{"image": name, "masks": only} for name in names]
    return lines
