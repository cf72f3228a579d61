"""A sweep while it goes on: how far the whole is, what computes it, what failed, and the buttons."""

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error, shown
from pages.ui.frame import link
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.permission import may_train
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Sweep, SweepStatus
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks

POLL_S = 2.0
MOST_FAILED = 5
COLOURS: dict[str, widgets.BadgeColour] = {"finished": "green", "failed": "red", "lost": "red", "running": "primary"}


def show_life(store: RunStore, sweep: Sweep) -> None:
    """The panel of a sweep, polled while it is active."""
    status = tasks.look(store, sweep.name)
    with st.container(border=True, key="sweep_life"):
        st.fragment(_show, run_every=POLL_S if status.is_active else None)(store, sweep, status)


def _show(store: RunStore, sweep: Sweep, before: SweepStatus) -> None:
    with shown():
        status = tasks.look(store, sweep.name)
    if (before.is_active, before.n_finished) != (status.is_active, status.n_finished):
        st.rerun()  # the table has one run more
    n_all = max(status.n_all, len(sweep.cells))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {plain(sweep.name)}", width="content")
        st.badge(status.state, color=COLOURS.get(status.state, "gray"))
        st.caption(f"{plain(sweep.words)} · preset {sweep.preset} · started {widgets.moment(sweep.created)}")
    failed = f", {status.n_failed:,} failed" if status.n_failed else ""
    running = f", {status.n_running:,} running" if status.n_running and status.is_active else ""
    left = f", about {numbers.duration(status.seconds_left)} left" if status.seconds_left else ""
    words = f"{status.n_finished:,} of {numbers.count(n_all, 'run')} finished{running}{failed}{left}"
    st.progress(min(max(status.percent / 100, 0.0), 1.0), text=words)
    if status.state in ("failed", "lost"):
        st.error(f"**{plain(status.message)}**  \n{plain(status.fix)}", icon=":material/error:")
    elif status.n_failed and status.message:
        st.warning(plain(status.message), icon=":material/warning:")
    _show_buttons(store, sweep, status)
    if status.is_active:
        _show_nodes(sweep, status)
    _show_runs(store, sweep)


def _show_buttons(store: RunStore, sweep: Sweep, status: SweepStatus) -> None:
    if not may_train():
        return
    with st.container(horizontal=True):
        if status.is_active:
            is_stopping = status.state == "stopping"
            if st.button("Stop all", icon=":material/stop_circle:", disabled=is_stopping):
                tasks.stop(store, sweep.name)
                st.rerun()
        elif status.n_finished < len(sweep.cells) and st.button("Resume", icon=":material/play_arrow:", type="primary"):
            try:
                tasks.start(store, sweep.name)
            except WTFlowError as error:
                show_error(error)
                return
            st.rerun()


def _show_nodes(sweep: Sweep, status: SweepStatus) -> None:
    """What computes it, from what the coordinator wrote."""
    if not status.nodes:
        return
    where = "Ray" if sweep.way.executor == "ray" else "This computer"
    alive = [node for node in status.nodes if node.is_alive]
    cpus, free = sum(node.cpus for node in alive), sum(node.cpus_free for node in alive)
    gpus, gpus_free = sum(node.gpus for node in alive), sum(node.gpus_free for node in alive)
    graphics = f", {gpus_free:g} of {gpus:g} GPUs free" if gpus else ""
    gone = len(status.nodes) - len(alive)
    lost = f", {numbers.count(gone, 'node')} gone" if gone else ""
    nodes = f"{numbers.count(len(alive), 'node')}, " if sweep.way.executor == "ray" else ""
    st.caption(
        f"{where}: {nodes}{free:g} of {cpus:g} CPUs free{graphics}{lost}; {numbers.count(status.n_tasks, 'task')};"
        f" {numbers.count(status.threads, 'thread')} each"
    )
    if len(status.nodes) > 1:
        with st.expander("Nodes", icon=":material/dns:"):
            st.dataframe(
                [
                    {
                        "node": node.name,
                        "state": "alive" if node.is_alive else "gone",
                        "CPUs": node.cpus,
                        "CPUs free": node.cpus_free,
                        "GPUs": node.gpus,
                        "GPUs free": node.gpus_free,
                    }
                    for node in status.nodes
                ],
                hide_index=True,
            )


def _show_runs(store: RunStore, sweep: Sweep) -> None:
    """Runs that failed with their reason, and those under way; each leads to its own page."""
    states = tasks.run_states(store, sweep)
    rows = [(cell, states[cell.key]) for cell in sweep.cells if cell.key in states]
    failed = [(cell, status) for cell, status in rows if status.state == "failed"]
    busy = [(cell, status) for cell, status in rows if status.state in ("running", "stopping")]
    for cell, status in failed[:MOST_FAILED]:
        st.error(f"**{plain(cell.words)}**: {plain(status.message)} {plain(status.fix)}", icon=":material/error:")
        link("train", "Its log", icon=":material/description:", watch=cell.run_id)
    if len(failed) > MOST_FAILED:
        st.caption(f"{len(failed) - MOST_FAILED:,} more failed.")
    if busy:
        st.caption(" · ".join(f"{plain(cell.words)}: {_stage(status)}" for cell, status in busy[:8]))


def _stage(status: RunStatus) -> str:
    return plain(status.message) if status.message else f"{status.stage} {numbers.progress(status.percent / 100)}"
