"""What does it get wrong, and is there a pattern?"""

import streamlit as st

from pages.ui import cache, state, thresholds, widgets
from pages.ui.errors import plain, shown
from pages.ui.failures.by_type import measure_defects, show_strip, show_types, show_worst_first
from pages.ui.failures.explain import show_explanation, show_groups
from pages.ui.failures.image import show_one
from pages.ui.frame import link, open_page
from pages.ui.intake.correct import show_corrections
from wtflow.compare.intervals import wilson_interval
from wtflow.failures.calls import PIXEL_QUANTILE
from wtflow.failures.splits import MISSES, describe_split
from wtflow.failures.words import FailureStudy, describe_alarms
from wtflow.numbers import percent, percent_range
from wtflow.numbers import score as format_score
from wtflow.results import RunResults
from wtflow.store.runs import RunStore

N_SPLITS = 2
"""Facts that the first screen names for misses; each further one stands below its own figure."""


def main(store: RunStore) -> None:
    results = widgets.open_run(store)
    if results.test.empty:
        st.info(
            "This run has no test images, so nothing can be called wrongly. Add images to test/ and train again.",
            icon=":material/info:",
        )
        return
    threshold = thresholds.read_threshold(results)
    place = st.container()
    study = measure_defects(store, results, threshold)
    with place:
        show_answer(store, results, study, threshold)
    if study.failures.empty:
        st.success(
            "At this threshold every call is right: no missed defect and no false alarm.",
            icon=":material/check_circle:",
        )
    show_one(store, results, study, threshold)
    show_corrections(store, results.run_id)
    if results.has_defects:
        show_types(results, study)
    show_worst_first(store, results, study)
    show_explanation(store, results, study, threshold)
    show_groups(store, results, study, threshold)


def show_answer(store: RunStore, results: RunResults, study: FailureStudy, threshold: thresholds.Threshold) -> None:
    """The first screen: what is missed, what is falsely rejected, in numbers and pictures; then the pattern."""
    test = results.test
    n_defective = int(test.is_defective.sum())
    with st.container(key="pair_answer"):
        missed, alarms = st.columns(2)
    with missed.container(border=True, height="stretch", key="card-missed"):
        show_count("What is missed", study, "FN", n_defective, "This category has no defective test image.")
        show_strip(store, results, study, "FN")
        by_type = sorted(study.types, key=lambda row: (row.n_found - row.n, row.defect))
        worst = [f"{plain(row.defect)} {row.n - row.n_found} of {row.n}" for row in by_type if row.n_found < row.n]
        if worst:
            st.caption("Most: " + ", ".join(worst[:3]))
    with alarms.container(border=True, height="stretch", key="card-alarms"):
        n_normal = len(test) - n_defective
        show_count("What is falsely rejected", study, "FP", n_normal, "This category has no normal test image.")
        show_strip(store, results, study, "FP")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"At the threshold {format_score(threshold.value)}. {threshold.words}", width="content")
        link("results", "Move it", icon=":material/tune:", run=results.run_id, **state.NO_FILTER)
    with st.container(border=True, key="card-pattern"):
        st.markdown("**Is there a pattern?**")
        show_pattern(store, results, study)


def show_count(label: str, study: FailureStudy, outcome: str, n: int, none: str) -> None:
    """How many of n are wrong, with the interval of the share."""
    if not n:
        st.metric(label, "–")
        st.caption(none)
        return
    k = int((study.failures.outcome == outcome).sum())
    low, high = wilson_interval(k, n)
    st.metric(label, f"{k} of {n}")
    st.caption(f"{percent(k / n)} (95\N{NBSP}% interval: {percent_range(low, high)})")


def show_pattern(store: RunStore, results: RunResults, study: FailureStudy) -> None:
    """Sentences about misses, then about false alarms; and what is not known."""
    further = [describe_split(split, MISSES[split.fact], "misses", "hits") for split in study.miss_splits[N_SPLITS:]]
    sentences = [sentence for sentence in (*study.misses, *study.alarms) if sentence not in further]
    alarms = cache.alarm_map(store, results.run_id, PIXEL_QUANTILE)
    if alarms is not None and len(places := describe_alarms(alarms)) > 1:
        sentences.append(places[0])
    if "area" in study.table and results.has_defects and study.table.area.isna().all():
        sentences.append(
            "No defective image has a valid mask, so the size, contrast and place of the defects are unknown."
        )
    if not sentences:
        sentences = (
            ["Nothing is called wrongly, so there is no pattern."]
            if study.failures.empty
            else ["No pattern is known yet: see below."]
        )
    with st.container(key="pattern_words"):
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in (*sentences, *study.wholes)))


store = open_page("failures")
with shown():
    main(store)
