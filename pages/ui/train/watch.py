"""A run while it lives: progress, loss, log, and the buttons that stop, resume and delete it. Polled by fragments."""

import streamlit as st

from pages.ui import run_lists, state, widgets
from pages.ui.access.visitor import ONLY_LOOK, trainers
from pages.ui.deletion import ask_delete
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import go, link
from wtflow import numbers
from wtflow.errors import RunNotFoundError, WTFlowError
from wtflow.jobs import trainings
from wtflow.jobs.estimate import stages_of
from wtflow.permission import may_train
from wtflow.plots import theme
from wtflow.plots.curves import plot_loss
from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.store.layout import is_run_id
from wtflow.store.runs import RunStore

POLL_S = 1.0
LOG_LINES = 60
N_LISTED = 10

_STAGE_WORDS = {
    "read": "Read images",
    "features": "Features",
    "train": "Train the flow",
    "score": "Score",
    "metrics": "Metrics",
    "normals": "Normals",
}


def show_watch(store: RunStore, run_id: str) -> None:
    """The panel of one run. An unknown or damaged run gets a sentence."""
    st.button(
        "Set up another run", icon=":material/arrow_back:", on_click=state.put, args=("watch", None), type="tertiary"
    )
    summary = store.summary(run_id) if is_run_id(run_id) and (store.home / run_id).is_dir() else None
    if summary is None:
        show_error(
            RunNotFoundError(
                f"There is no run {run_id[:80]!r} here.",
                fix="It may have been deleted. Choose one below, or set up another.",
            )
        )
        return
    if summary.problem:
        st.error(f"**Run {plain(run_id)} is damaged.**  \n{plain(summary.problem)}", icon=":material/broken_image:")
        with st.container(horizontal=True):
            _show_resume(store, summary, "Write it again")
            _show_delete(store, summary)
        return
    with st.container(border=True, key="watch"):
        is_active = trainings.live_status(store, run_id).is_active
        st.fragment(_show_progress, run_every=POLL_S if is_active else None)(store, summary, is_active)


def _show_progress(store: RunStore, summary: RunSummary, was_active: bool) -> None:
    """Everything that changes while the run goes on."""
    with shown():
        trainings.reconcile(store)
        status = trainings.live_status(store, summary.run_id)
    if was_active != status.is_active:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {plain(summary.category)}", width="content")
        widgets.state_badge(RunSummary(summary.run_id, status))
        widgets.weights_badge(summary)
    st.caption(f"Started {widgets.moment(summary.created)} · {plain(summary.label)} · {plain(summary.run_id)}")
    config = store.config(summary.run_id)
    if config.sized is not None:
        st.caption(f"Image size {plain(config.sized.chosen)}")
    if status.is_active or status.state in ("stopped", "lost", "failed"):
        _show_stages(status, stages_of(config.settings))
        left = "" if status.seconds_left is None else f", about {numbers.duration(status.seconds_left)} left"
        st.progress(
            min(max(status.percent / 100, 0.0), 1.0),
            text=f"{numbers.progress(status.percent / 100)}{left}{_step_words(status)}",
        )
    _show_message(status)
    if summary.lack:
        st.warning(plain(summary.lack), icon=":material/broken_image:")
    _show_buttons(store, summary, status)
    steps = store.steps(summary.run_id)
    if len(steps):
        st.plotly_chart(
            plot_loss(steps.step.to_numpy(), steps.loss.to_numpy()),
            key="loss",
            config=theme.CONFIG,
            alt=f"Training loss after {int(steps.step.iloc[-1])} steps: {steps.loss.iloc[-1]:.3g}",
        )
    with st.expander("Log", expanded=status.state == "failed"):
        st.code(
            ONLY_LOOK if not may_train() else store.log_tail(summary.run_id, LOG_LINES) or "Nothing logged yet.",
            language=None,
            height=240,
        )


def _show_stages(status: RunStatus, stages: tuple[str, ...]) -> None:
    at = stages.index(status.stage) if status.stage in stages else -1
    with st.container(horizontal=True, gap="xsmall"):
        for i, name in enumerate(stages):
            icon, colour = (
                (":material/check:", "green")
                if i < at
                else (":material/arrow_forward:", "primary")
                if i == at
                else (None, "gray")
            )
            st.badge(_STAGE_WORDS[name], icon=icon, color=colour)


def _step_words(status: RunStatus) -> str:
    noun = "step" if status.stage == "train" else "image"
    return f" · {noun} {status.step:,} of {status.total:,}" if status.total else ""


def _show_message(status: RunStatus) -> None:
    if status.state in ("failed", "lost"):
        st.error(f"**{plain(status.message)}**  \n{plain(status.fix)}", icon=":material/error:")
    elif status.fix:
        st.warning(f"**{plain(status.message)}**  \n{plain(status.fix)}", icon=":material/warning:")
    elif status.message and status.state != "finished":
        st.caption(plain(status.message))


def _show_buttons(store: RunStore, summary: RunSummary, status: RunStatus) -> None:
    with st.container(horizontal=True):
        if status.state == "finished" and st.button("Open results", type="primary", icon=":material/monitoring:"):
            go("results", run=summary.run_id)
        if status.state == "finished" and st.button("Inspect new images", icon=":material/image_search:"):
            go("inspect", run=summary.run_id, **state.NO_INSPECTION)
        stop = trainers(disabled=status.state == "stopping")
        if status.is_active and st.button("Stop", icon=":material/stop_circle:", **stop):
            trainings.request_stop(store, summary.run_id)
            st.rerun()
        if status.state in ("stopped", "failed", "lost"):
            _show_resume(store, summary, "Resume")
        elif status.state == "finished" and summary.lack:
            _show_resume(store, summary, "Write it again")
        if not status.is_active:
            _show_delete(store, summary)


def _show_resume(store: RunStore, summary: RunSummary, label: str) -> None:
    if st.button(label, type="primary", icon=":material/play_arrow:", key="resume", **trainers()):
        try:
            trainings.resume(store, summary.run_id)
        except WTFlowError as error:
            show_error(error)
        else:
            st.rerun()


def _show_delete(store: RunStore, summary: RunSummary) -> None:
    if st.button("Delete", icon=":material/delete:", key="ask_delete", **trainers()):
        ask_delete(store, [summary], then=lambda: state.put("watch", None))


def show_queue(store: RunStore, watched: str | None) -> None:
    """Other runs, the waiting ones in the order of their turn."""
    is_active = bool(run_lists.look(store).active)
    st.fragment(_show_lines, run_every=2 * POLL_S if is_active else None)(store, watched)


def _show_lines(store: RunStore, watched: str | None) -> None:
    with shown():
        view = run_lists.reconciled(store)
    active = view.active[::-1]
    newest = view.find(RunQuery(sort="-run", limit=N_LISTED + len(active) + 1)).runs
    if [s.run_id for s in active] == [watched]:
        active = []  # shown above already
    others = [s for s in newest if s.run_id != watched and not widgets.is_active(s)][: max(0, N_LISTED - len(active))]
    if active:
        st.subheader("Running and waiting", anchor=False)
        waiting = [summary for summary in active if summary.status is not None and summary.status.state == "queued"]
        for summary in active:
            place = waiting.index(summary) + 1 if summary in waiting else 0
            _show_line(
                summary,
                (
                    numbers.progress(summary.status.percent / 100 if summary.status is not None else 0)
                    if not place
                    else "is next"
                    if place == 1
                    else f"is number {place} in the queue"
                ),
            )
    if others:
        st.subheader("Earlier runs", anchor=False)
        for summary in others:
            _show_line(summary, "")


def _show_line(summary: RunSummary, word: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"line_{summary.run_id}"):
        widgets.state_badge(summary)
        st.markdown(f"**{plain(summary.name or summary.category or summary.run_id)}** {word}", width="content")
        st.caption(
            f"{widgets.moment(summary.created)} · {plain(summary.label)}" if summary.label else plain(summary.problem),
            width="stretch",
        )
        if widgets.is_finished(summary):
            link("results", "Results", icon=":material/monitoring:", run=summary.run_id)
        link("train", "Open", icon=":material/visibility:", watch=summary.run_id)
