"""Where new images come from: dropped in the browser, a zip, a folder of the server; inspected once, or watched."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.ui import state
from pages.ui.access.visitor import ONLY_LOOK
from pages.ui.errors import plain, show_error
from pages.ui.frame import link
from pages.ui.intake.folders import browse
from wtflow import numbers
from wtflow.deciding.force import threshold_in_force
from wtflow.errors import WTFlowError
from wtflow.inspecting import tasks
from wtflow.inspecting.dropped import AT_ONCE, Dropped, dropped_images, source_of
from wtflow.inspecting.runtimes.decide import LEAST_GAIN
from wtflow.inspecting.runtimes.installed import installed
from wtflow.numbers import score as format_score
from wtflow.permission import may_train
from wtflow.records.core import IMAGE_SUFFIXES
from wtflow.records.inspect import Inspection, InspectSettings
from wtflow.records.runtimes import TITLES, Wish
from wtflow.results import RunResults
from wtflow.store.runs import RunStore

TYPES = [*(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES), "zip"]
_N_DROPS = "n_drops"
"""Session key: how many drops were taken, so that the field for the next one is empty."""


def show_start(store: RunStore, results: RunResults) -> None:
    """Images in; an inspection begins, and the page shows it."""
    if not may_train():
        st.info(ONLY_LOOK, icon=":material/visibility:")
        return
    with st.container(key="pair_start"):
        left, right = st.columns([3, 2], gap="large")
    with left:
        dropped = st.file_uploader(
            "Drop images here, or a zip of them",
            type=TYPES,
            accept_multiple_files=True,
            key=f"dropped_{st.session_state.get(_N_DROPS, 0)}",
            help=f"Up to {AT_ONCE} are answered at once; more go on in a process of their own.",
        )
    with right:
        _show_folder(store, results)
        _show_threshold(store, results)
    if dropped:
        _take(store, results, dropped)


def _show_folder(store: RunStore, results: RunResults) -> None:
    """A folder of this computer, to inspect once or to watch."""
    path = st.text_input(
        "Or a folder on the computer of the app",
        key="inspect_folder",
        persist_state="session",
        placeholder="Path of a folder, or of one image",
        help="Folders in it are looked through, too. Files are only read.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        _show_browser()
        is_asked = st.button(
            "Inspect", type="primary", icon=":material/play_arrow:", disabled=not path.strip(), key="inspect_folder_now"
        )
        is_watched = st.button(
            "Watch",
            icon=":material/visibility:",
            disabled=not path.strip(),
            key="watch_folder",
            help="Inspect what is there, then every new image as soon as its file is complete, until you stop it.",
        )
    runtime = _runtime()
    if is_asked or is_watched:
        try:
            source = source_of(path)
            _open(tasks.start(store, results.run_id, [source], settings=InspectSettings(is_watched, runtime=runtime)))
        except WTFlowError as error:
            show_error(error)


def _runtime() -> Wish:
    """What is to compute folders; a choice only where there is another than torch."""
    if not installed():
        return "torch"
    is_auto = st.toggle(
        "Faster runtime where it is worth it",
        key="inspect_faster",
        persist_state="session",
        help=f"Checks {' and '.join(TITLES[one] for one in installed())} against torch, once for each run on this"
        f" computer, and computes by the fastest: where it is {LEAST_GAIN} times as fast or more with equal verdicts,"
        " and there are images enough.",
    )
    return "auto" if is_auto else "torch"


def _show_browser() -> None:
    """Folders to choose from; the chosen one is written into the field."""
    with st.popover("Browse", icon=":material/folder_open:"):
        folder = browse("inspect_browser")
        if folder is not None:
            take = {"on_click": st.session_state.update, "kwargs": {"inspect_folder": str(folder)}}
            st.button("Take this folder", type="primary", icon=":material/check:", key="take_folder", **take)


def _show_threshold(store: RunStore, results: RunResults) -> None:
    try:
        decision = threshold_in_force(store, results)
    except WTFlowError as error:
        show_error(error)
        return
    st.caption(
        f"Called defective from a score of **{format_score(decision.value)}** on. {plain(decision.words)}",
    )
    link("results", "Choose the threshold", icon=":material/tune:", run=results.run_id)


def _take(store: RunStore, results: RunResults, dropped: Sequence[UploadedFile]) -> None:
    """What was dropped becomes an inspection: a few images at once, more in a process of their own."""
    try:
        with dropped_images([Dropped(file.name, file) for file in dropped]) as images:
            if len(images) > AT_ONCE:
                _open(tasks.start(store, results.run_id, [], uploads=images))
            bar = st.progress(0.0, text="Opening the detector (the first time loads the network: some seconds)")

            def show(done: int, total: int) -> None:
                bar.progress(done / total, text=f"{done} of {numbers.count(total, 'image')}")

            from wtflow.inspecting.at_once import inspect_now  # imports torch: seconds, paid only here

            _open(inspect_now(store, results.run_id, images, show))
    except WTFlowError as error:
        show_error(error)


def _open(inspection: Inspection) -> None:
    """Show an inspection; the field for images is empty again when a person comes back."""
    st.session_state[_N_DROPS] = st.session_state.get(_N_DROPS, 0) + 1
    state.put("inspection", inspection.inspection_id)
    st.rerun()
