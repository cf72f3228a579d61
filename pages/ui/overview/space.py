"""What takes room in the store, and what could go: measured in steps, listed first, deleted after a question."""

import time
from collections.abc import Callable

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.jobs import retention
from wtflow.jobs.listing import RunView
from wtflow.metrics import RUN_METRICS
from wtflow.records.space import Plan
from wtflow.store.features import FeatureCache
from wtflow.store.graphs import GraphCache
from wtflow.store.index import sizes
from wtflow.store.runs import RunStore

STEP_S = 0.2
"""How long each step of measuring takes the server."""
N_LISTED = 200
N_LARGEST = 5
_SINCE = "space_measured_since"
"""Session key: from when on a measurement counts."""


def show_space(store: RunStore, view: RunView) -> None:
    """A fold that measures only once it is opened."""
    fold = st.expander("What takes room", icon=":material/hard_drive:", key="space", on_change="rerun")
    if fold.open:
        with fold:
            since = st.session_state.setdefault(_SINCE, time.time())
            done, total = sizes.measure_some(view.index, since, 0.0)
            st.fragment(_show, run_every=None if done >= total else 2 * STEP_S)(store, view, done < total)


def _show(store: RunStore, view: RunView, was_measuring: bool) -> None:
    done, total = sizes.measure_some(view.index, st.session_state[_SINCE], STEP_S if was_measuring else 0.0)
    if done < total:
        st.progress(done / total, text=f"Measuring: {done:,} of {numbers.count(total, 'run')}")
    elif was_measuring:
        st.rerun()
    parts = sizes.totals(view.index)
    caches = FeatureCache(store.home).used_bytes(), GraphCache(store.home).used_bytes()
    rows = [*parts.items(), ("feature cache, shared", caches[0]), ("graph cache, shared", caches[1])]
    left, right = st.columns(2, gap="large")
    with left:
        _table(("What", "Size"), [(name.capitalize(), numbers.size(n_bytes)) for name, n_bytes in rows])
    with right:
        largest = sizes.largest(view.index, N_LARGEST)
        _table(("Largest runs", "Size"), [(plain(run_id), numbers.size(n_bytes)) for run_id, n_bytes in largest])
    if done >= total:
        _show_ways(store)
    st.caption(plain(view.index.words))


def _show_ways(store: RunStore) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.button(
            "Delete derived files", icon=":material/cleaning_services:", help=_DERIVED_HELP, key="ask_derived"
        ):
            st.dialog("Delete derived files?", width="large")(_ask)(store, _made(lambda: retention.plan_derived(store)))
        n_best = st.number_input("Keep the best of each category", 1, 50, 1, width=220, key="space_n_best")
        names = {key: one.title for key, one in RUN_METRICS.items()}
        metric = st.selectbox("By", list(names), format_func=names.__getitem__, width=200, key="space_metric")
        even = st.multiselect(
            "Delete even runs with",
            list(retention.WHY),
            format_func=lambda reason: retention.WHY[reason].removeprefix("has "),
            placeholder="Keep runs with notes, a threshold, inspections and the like",
            key="space_even",
        )
        if st.button("List the others", icon=":material/list:", key="ask_best"):
            plan = _made(lambda: retention.plan_all_but_best(store, int(n_best), metric, even))
            st.dialog("Delete all but the best?", width="large")(_ask)(store, plan)


_DERIVED_HELP = "Paths, maps of wells, small pictures: computed again when a page needs them"


def _made(make: Callable[[], Plan]) -> Plan | None:
    """The list; None, with a sentence on the page, where it cannot be made."""
    try:
        with st.spinner("Looking through the runs"):
            return make()
    except WTFlowError as error:
        show_error(error)
        return None


def _ask(store: RunStore, plan: Plan | None) -> None:
    if plan is None:
        return
    if not plan.spare:
        st.write("There is nothing to delete.")
    else:
        what = "The derived files of" if plan.what == "derived" else "These"
        st.markdown(f"{what} **{numbers.count(len(plan.spare), 'run')}** go for good: {numbers.size(plan.n_bytes)}.")
        value = (RUN_METRICS[plan.metric].title,) if plan.what == "runs" else ()
        head = ("Run", "What", *value, "Size")
        cells: list[tuple[str, ...]] = []
        for one in plan.spare[:N_LISTED]:
            value = (numbers.metric(one.value),) if plan.what == "runs" else ()
            cells.append((plain(one.run_id), plain(one.title), *value, numbers.size(one.n_bytes)))
        with st.container(height=min(320, 80 + 36 * len(cells))):
            _table(head, cells)
        if len(plan.spare) > N_LISTED:
            st.caption(f"and {len(plan.spare) - N_LISTED:,} more; python -m wtflow space --json lists all")
    if plan.kept:
        with st.expander(f"{numbers.count(len(plan.kept), 'run')} stay"):
            _table(
                ("Run", "What", "Why"),
                [(plain(one.run_id), plain(one.title), plain(one.why)) for one in plan.kept[:N_LISTED]],
            )
    if plan.spare and st.button("Delete for good", type="primary", icon=":material/delete_forever:", key="space_sure"):
        bar = st.progress(0.0)
        try:
            done = retention.carry_out(store, plan, widgets.count_on(bar, lambda k, n: f"{k:,} of {n:,}"))
        except WTFlowError as error:
            show_error(error)
            return
        finally:
            bar.empty()
        st.session_state.pop(_SINCE, None)
        st.toast(f"{numbers.size(done.n_bytes)} freed.", icon=":material/delete:")
        for one in done.refused:
            st.warning(f"{plain(one.run_id)} stays: {plain(one.why)}", icon=":material/warning:")
        if not done.refused:
            st.rerun()


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Cells are taken as they are."""
    lines = [
        header,
        ("---",) * (len(header) - 1) + ("---:",) if header[-1] == "Size" else ("---",) * len(header),
        *rows,
    ]
    st.markdown("\n".join("| " + " | ".join(cells) + " |" for cells in lines))
