"""An inspection beside the one before it by the same detector."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain
from pages.ui.frame import link
from pages.ui.inspect import inspect_cache
from pages.ui.inspect.names import name_of
from wtflow.errors import WTFlowError
from wtflow.inspecting import kept, tasks
from wtflow.inspecting.compared import compare, one_before
from wtflow.plots import theme
from wtflow.plots.inspected import plot_against
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore

HISTOGRAM_PX = 280


Before = tuple[Inspection, Sequence[Inspected]]
"""The inspection before, and its images."""


def show_before(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> Before | None:
    """What is different from the inspection before, in a sentence; nothing where there is none."""
    before = one_before(inspection, tasks.look_all(store))
    if before is None or inspection.facts is None:
        return None
    try:
        old = kept.rows(store, before.inspection_id)
    except WTFlowError:
        return None  # deleted meanwhile
    found = compare(rows, old, inspection.facts.decision.value)
    st.markdown(f":material/history: {found.words}")
    return before, old


def show_both(store: RunStore, inspection: Inspection, rows: Sequence[Inspected], both: Before) -> None:
    """Scores of both inspections in a fold, and what either tells of camera and light."""
    before, old = both
    if inspection.facts is None:
        return
    fold = st.expander(
        f"Beside {plain(name_of(store, before))}, {widgets.moment(before.created)}", key="before", on_change="rerun"
    )
    if not fold.open:
        return
    with fold:
        new_scores, old_scores = ([row.score for row in some if not row.problem] for some in (rows, old))
        st.plotly_chart(
            plot_against(
                new_scores,
                old_scores,
                inspection.facts.decision.value,
                names=("this inspection", "the one before"),
                height_px=HISTOGRAM_PX,
            ),
            key="scores_before",
            config=theme.CONFIG,
            alt="Scores of this inspection upward, of the one before downward",
        )
        for words, one in (("Here", inspection), ("Before", before)):
            drift = inspect_cache.drift(store, one)
            st.caption(f"**{words}**: {plain(drift.sentence) or 'camera and light as in training.'}")
        link("inspect", "Open the one before", icon=":material/history:", inspection=before.inspection_id, image=None)
