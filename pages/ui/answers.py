"""Answers about a run on a page: from its folder, else by a separate process, whose progress the page shows."""

import contextlib

import streamlit as st

from pages.ui.access.visitor import trainers
from pages.ui.cache import results as read_results
from pages.ui.errors import plain, show_error, shown
from pages.ui.flow import flow_cache
from pages.ui.flow.meanwhile import show_ends
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.jobs import studies
from wtflow.jobs.first_visits import first_requests
from wtflow.permission import may_train
from wtflow.records.flow import Travel
from wtflow.records.follow import Yardstick
from wtflow.store.runs import RunStore
from wtflow.studies.requests import A, PicturesRequest, Request, RequestFor, TravelRequest, YardstickRequest

POLL_S = 1.0
STOPPED = "tasks_stopped"
"""Session key: requests whose process a person stopped, so that none begins by itself."""
QUICK = 120_000
"""Evaluations (positions x steps) that a process begins without being asked: some four seconds on one core. More wait
for a button.
"""


def read_travel(store: RunStore, run_id: str, request: TravelRequest) -> Travel | None:
    """The paths of a request; None while a separate process computes them. Its progress is then shown, and where the
    same positions ended.
    """
    is_quick = request.n * request.steps * (1 + request.n_probes) <= QUICK
    what = f"Move {request.n:,} positions in {request.steps} steps"
    found = read_task(store, run_id, request, what, "under a minute for most runs", at_once=is_quick)
    if found is None:
        show_ends(store, run_id, request)
    else:
        _bring_pictures(store, run_id)
    return found


def read_yardstick(store: RunStore, run_id: str, request: YardstickRequest, steps: int) -> Yardstick | None:
    """The positions that one path is compared with, on the run's own steps; None as in `read_travel`."""
    words = f"Move {request.n:,} positions in {numbers.count(steps, 'step')}"
    is_quick = request.n * steps <= QUICK
    return read_task(store, run_id, request, words, "under a minute for most runs", at_once=is_quick)


def read_task(
    store: RunStore, run_id: str, request: RequestFor[A], what: str, expected: str, *, at_once: bool = False
) -> A | None:
    """An answer that a separate process makes; until it is there its progress, or why it failed.

    at_once: the process begins by itself, unless a person stopped it; else a button begins it.
    """
    found = flow_cache.answer(store, run_id, request)
    if found is None and at_once and request not in st.session_state.get(STOPPED, ()):
        _start(store, run_id, request)
        found = flow_cache.answer(store, run_id, request)
    if found is None:
        is_running = studies.task_state(store, run_id, request).state == "running"
        with st.container(border=True, key=f"task_{request.kind}"):
            st.fragment(_show_task, run_every=POLL_S if is_running else None)(
                store, run_id, request, what, expected, is_running
            )
    return found


def _start(store: RunStore, run_id: str, request: Request) -> None:
    """Begin, together with what else this run's pages open with if the request is part of that. Does nothing for
    one that runs or has failed.
    """
    if not may_train() or studies.task_state(store, run_id, request).state != "absent":
        return
    first = first_requests(read_results(store, run_id).settings)
    others = [one for one in first if one != request] if request in first else []
    try:
        studies.start_tasks(store, run_id, [request, *others])
    except WTFlowError as error:  # the button below tries again
        show_error(error)


def _bring_pictures(store: RunStore, run_id: str) -> None:
    """Have the pictures to hover over drawn by a process where nobody has; this page does without until then."""
    pictures = PicturesRequest()
    if may_train() and studies.task_state(store, run_id, pictures).state == "absent":
        with contextlib.suppress(WTFlowError):  # a full disk, or two processes at work: the next visit tries again
            studies.start_tasks(store, run_id, [pictures], is_ahead=True)


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
            if st.button("Stop", icon=":material/stop_circle:", key=f"stop_{request.kind}", **trainers()):
                st.session_state[STOPPED] = {*st.session_state.get(STOPPED, ()), request}
                with st.spinner("Stopping"):
                    studies.stop_task(store, run_id, request)
                st.rerun()
            return
        label = "Compute again" if now.state == "failed" else what
        if st.button(label, type="primary", icon=":material/play_arrow:", key=f"start_{request.kind}", **trainers()):
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
    return f", about {numbers.duration(seconds)} left" if seconds >= 1 else ", some seconds left"
