"""Answers about a run on a page: from its folder, computed here with a bar where that is
quick, else by a separate process.
"""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.flow import flow_cache
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.jobs import studies
from wtflow.records.flow import Travel
from wtflow.records.follow import Yardstick
from wtflow.store.runs import RunStore
from wtflow.studies.requests import A, Request, RequestFor, TravelRequest, YardstickRequest

POLL_S = 1.0
QUICK = 120_000
"""Evaluations (positions x steps) that a page makes itself: some four seconds on one core, with a bar.
More go to a process.
"""


def read_travel(store: RunStore, run_id: str, request: TravelRequest) -> Travel | None:
    """The paths of a request; None while a separate process computes them, whose progress is then shown."""
    found = flow_cache.answer(store, run_id, request)
    if found is None and request.n * request.steps * (1 + request.n_probes) <= QUICK:
        found = _compute_here(store, run_id, request, request.n)
    if found is None:
        found = read_task(
            store,
            run_id,
            request,
            f"Move {request.n:,} positions in {request.steps} steps",
            "under a minute for most runs",
        )
    return found


def read_yardstick(store: RunStore, run_id: str, request: YardstickRequest, steps: int) -> Yardstick | None:
    """The positions that one path is compared with, on the run's own steps; None as in `read_travel`."""
    found = flow_cache.answer(store, run_id, request)
    if found is None and request.n * steps <= QUICK:
        found = _compute_here(store, run_id, request, request.n)
    if found is None:
        words = f"Move {request.n:,} positions in {widgets.count(steps, 'step')}"
        found = read_task(store, run_id, request, words, "under a minute for most runs")
    return found


def read_task(store: RunStore, run_id: str, request: RequestFor[A], what: str, expected: str) -> A | None:
    """An answer that a separate process makes, begun by a button;
    until then the button, its progress, or why it failed.
    """
    found = flow_cache.answer(store, run_id, request)
    if found is None:
        is_running = studies.task_state(store, run_id, request).state == "running"
        with st.container(border=True, key=f"task_{request.kind}"):
            st.fragment(_show_task, run_every=POLL_S if is_running else None)(
                store, run_id, request, what, expected, is_running
            )
    return found


def _show_task(store: RunStore, run_id: str, request: Request, what: str, expected: str, was_running: bool) -> None:
    """The life of a task. Draws the page again as soon as it begins or ends."""
    with shown():
        now = studies.task_state(store, run_id, request)
    if now.state == "ready" or (now.state == "running") != was_running:
        st.rerun()
    if now.state == "failed":
        st.error(f"**{plain(now.message)}**  \n{plain(now.fix)}", icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if now.state == "running":
            left = f" (takes {expected})" if now.seconds_left is None else _left(now.seconds_left)
            doing = f" ({now.words})" if now.words else ""
            st.progress(
                min(max(now.share, 0.0), 1.0),
                text=f"{what}: {numbers.progress(now.share)}{left}{doing}. You may leave this page meanwhile.",
            )
            if st.button("Stop", icon=":material/stop_circle:", key=f"stop_{request.kind}"):
                with st.spinner("Stopping"):
                    studies.stop_task(store, run_id, request)
                st.rerun()
            return
        label = "Compute again" if now.state == "failed" else what
        if st.button(label, type="primary", icon=":material/play_arrow:", key=f"start_{request.kind}"):
            try:
                studies.forget_failure(store, run_id, request)
                studies.start_task(store, run_id, request)
            except WTFlowError as error:
                show_error(error)
            else:
                st.rerun()
        st.caption(f"Takes {expected}. The answer is kept with the run. You can stop it at any time.", width="content")


def _left(seconds: float) -> str:
    """What is left, as a computation tells it; it may be wrong by a little, and nothing is left then."""
    return f", about {widgets.duration(seconds)} left" if seconds >= 1 else ", some seconds left"


def _compute_here(store: RunStore, run_id: str, request: RequestFor[A], n: int) -> A:
    """Compute with a progress bar that goes when it is done."""
    bar = st.progress(0.0, text="Loading the network (some seconds the first time)")
    from wtflow.machine.progress import one_thread  # imports torch: seconds, paid only here
    from wtflow.studies.compute import compute_answer

    def show(share: float) -> None:
        bar.progress(min(share, 1.0), text=f"Moving {n:,} positions")

    with one_thread():
        answer = compute_answer(store, run_id, request, show)
    bar.empty()
    return answer
