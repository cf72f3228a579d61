"""The answer of an inspection: how many are called defective, how the scores lie to those of normals, whether camera or
light have changed, and what is different from the inspection before.
"""

from collections.abc import Sequence

import streamlit as st

from pages.ui import cache, state
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.inspect.before import show_before, show_both
from pages.ui.inspect.drifted import show_drift, show_drifted
from pages.ui.outcome_counts import Cell, show_cells
from wtflow import numbers
from wtflow.deciding.force import threshold_in_force
from wtflow.errors import WTFlowError
from wtflow.inspecting import kept
from wtflow.inspecting.compared import share_called
from wtflow.numbers import score as format_score
from wtflow.plots import theme
from wtflow.plots.inspected import plot_against
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.layout import is_run_id
from wtflow.store.runs import RunStore

HISTOGRAM_PX = 330
"""The answer is whole in a window of 768 px."""


def show_answer(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """Counts, drift and what changed on the left, the histogram on the right."""
    if inspection.facts is None or not rows:
        if not inspection.status.is_active:
            st.info("Nothing was inspected: no image was found.", icon=":material/info:")
        return
    with st.container(key="pair_answer"):
        left, right = st.columns([2, 3], gap="large")
    with left:
        show_counts(inspection, rows)
        drift = show_drift(store, inspection)
        before = show_before(store, inspection, rows)
        show_threshold(store, inspection, rows)
    with right:
        show_histogram(store, inspection, rows)
        show_drifted(store, inspection, drift, rows)
        if before is not None:
            show_both(store, inspection, rows, before)
    for note in inspection.notes:
        st.caption(f":material/info: {plain(note)}")


def show_counts(inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """How many of how many are called what, as buttons that filter the images below."""
    n_broken = sum(bool(row.problem) for row in rows)
    n_defective = sum(row.verdict == "defective" for row in rows)
    with st.container(key="counts", gap="xsmall"):
        st.markdown(f"### {n_defective:,} of {numbers.count(len(rows) - n_broken, 'image')} called defective")
        threshold = inspection.facts.decision.value if inspection.facts else float("nan")
        share = share_called(rows, threshold)
        if share.n:
            st.caption(f"{share.words} have a score of {format_score(threshold)} or more.")
        cells = [
            Cell("defective", "TP_inspected", f"**{n_defective:,}** called defective"),
            Cell("normal", "TN_inspected", f"**{len(rows) - n_broken - n_defective:,}** called normal"),
        ]
        if n_broken:
            cells.append(Cell("problem", "broken_inspected", f"**{n_broken:,}** could not be read"))
        show_cells("calls", cells, key="counts_inspected", width=100)


def show_threshold(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """Where the threshold comes from, and what would be called at the one in force now if that is another."""
    if inspection.facts is None:
        return
    used = inspection.facts.decision
    st.caption(f"Threshold {format_score(used.value)}: {plain(used.words)}")
    if inspection.runtime is not None and inspection.runtime.words:
        st.caption(f"Computed by {plain(inspection.runtime.words)}")
    if inspection.threshold is not None or not is_run_id(inspection.detector):
        return
    try:
        now = threshold_in_force(store, cache.results(store, inspection.detector))
    except WTFlowError:
        return  # the run is gone or damaged: its inspections speak for themselves
    if now.value != used.value:
        share = share_called(rows, now.value)
        st.caption(
            f":material/info: The run's threshold is {format_score(now.value)} now; at that"
            f" {numbers.count(share.k, 'image')} would be called defective. Inspect again to have it in the table."
        )


def show_histogram(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """New scores over those of normals; a clicked bar narrows the images below to its scores."""
    if inspection.facts is None:
        return
    key = f"inspected_histogram_{st.session_state.get('n_inspected_histograms', 0)}"
    scores = [row.score for row in rows if not row.problem]
    known = known_scores(store, inspection)
    n_known = len(known)
    threshold = inspection.facts.decision.value
    st.plotly_chart(
        plot_against(
            scores,
            known,
            threshold,
            names=("new images", "normals of the run"),
            height_px=HISTOGRAM_PX,
        ),
        key=key,
        on_select=lambda: take_bar(key),
        selection_mode="points",
        config=theme.CONFIG,
        alt=f"Scores of {len(scores)} new images upward, of {n_known} normals downward, threshold"
        f" {format_score(threshold)}",
    )


def known_scores(store: RunStore, inspection: Inspection) -> Sequence[float]:
    """Scores of normals that the flow never saw, to compare with; empty where there are none."""
    normals = kept.normals(store, inspection.inspection_id)
    if normals is not None:
        return list(map(float, normals.fair_scores))
    try:
        return list(map(float, cache.results(store, inspection.detector).holdout.score))
    except WTFlowError:
        return ()  # the run is gone, or the detector is a file


def take_bar(key: str) -> None:
    """A clicked bar becomes a filter by score; a click next to the bars takes it back."""
    points = st.session_state[key].selection.points
    if points:
        low, high = points[0]["customdata"][:2]
        state.put("between", f"{low!r}~{high!r}")
    else:
        state.put("between", None)


def link_to_results(inspection: Inspection) -> None:
    """To where the threshold is chosen."""
    if is_run_id(inspection.detector):
        link("results", "Choose a threshold", icon=":material/tune:", run=inspection.detector)
