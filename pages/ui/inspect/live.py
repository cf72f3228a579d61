"""An inspection while it goes on: progress, images a second, time left, stop; and why it ended, and how to go on."""

import os

import streamlit as st

from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error, shown
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.inspecting import tasks
from wtflow.records.inspect import Inspection
from wtflow.store.runs import RunStore

POLL_S = 1.0


def show_life(store: RunStore, inspection: Inspection) -> None:
    """Progress and buttons, polled while it is active. Draws the page again once that changes."""
    is_active = inspection.status.is_active
    if is_active or inspection.status.state != "finished":
        st.fragment(_show, run_every=POLL_S if is_active else None)(store, inspection.inspection_id, is_active)


def progress_words(inspection: Inspection) -> str:
    """How far it is, how fast, and how long it takes still."""
    counts, status = inspection.counts, inspection.status
    done = f"{counts.n_done:,} of {numbers.count(counts.n_found, 'image')}"
    pace = f", {counts.per_second:.3g} a second" if counts.per_second else ""
    left = "" if status.seconds_left is None else f", about {numbers.duration(status.seconds_left)} left"
    return f"{done}{pace}{left}"


def _show(store: RunStore, inspection_id: str, was_active: bool) -> None:
    with shown():
        inspection = tasks.look(store, inspection_id)
    status = inspection.status
    if status.is_active != was_active:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", key="life"):
        if status.is_active:
            _show_running(store, inspection)
        else:
            icon = ":material/pause_circle:" if status.state == "stopped" else ":material/error:"
            words = f"**{plain(status.message)}** {plain(status.fix)} {_done_words(inspection)}"
            (st.info if status.state == "stopped" else st.error)(words, icon=icon, width="stretch")
            if st.button("Resume", type="primary", icon=":material/play_arrow:", key="resume_inspection", **trainers()):
                try:
                    tasks.resume(store, inspection_id)
                except WTFlowError as error:
                    show_error(error)
                else:
                    st.rerun()


def _show_running(store: RunStore, inspection: Inspection) -> None:
    status, counts = inspection.status, inspection.counts
    if status.stage == "watch":
        st.markdown(":material/visibility: **Watching**: new images are inspected as they come.", width="stretch")
    elif status.stage == "runtime":
        st.progress(min(status.percent / 100, 1.0), text=status.message)
    elif counts.n_found:
        share = min(counts.n_done / counts.n_found, 1.0)
        st.progress(share, text=f"{progress_words(inspection)}. You may leave this page meanwhile.")
    else:
        st.progress(
            0.0,
            text="Opening the detector. The first time it also measures the run's normals, which takes up to a minute.",
        )
    if status.pid == os.getpid():
        return  # another window answers it in the app's own process, within seconds
    is_stopping = status.state == "stopping"
    if st.button("Stop", icon=":material/stop_circle:", key="stop_inspection", **trainers(disabled=is_stopping)):
        tasks.stop(store, inspection.inspection_id)
        st.rerun(scope="fragment")


def _done_words(inspection: Inspection) -> str:
    counts = inspection.counts
    return f"{counts.n_done:,} of {numbers.count(counts.n_found, 'image')} done." if counts.n_found else ""
