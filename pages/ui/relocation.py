"""Where the images of a run are gone: a field for the folder that they were moved to."""

from pathlib import Path

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error
from wtflow.datasets.allowed import check_typed
from wtflow.datasets.files import is_folder
from wtflow.datasets.relocate import relocate
from wtflow.errors import WTFlowError
from wtflow.permission import may_train
from wtflow.pictures import why_no_pictures
from wtflow.results import RunResults
from wtflow.store.runs import RunStore


def show_where_images_are(store: RunStore, results: RunResults, *, is_gone: bool = False) -> None:
    """Nothing where the images lie where the run knows them. is_gone: one of them is known to be missing."""
    folder = Path(results.config.root) / results.config.category
    if not is_gone and is_folder(folder):
        return
    if not may_train():
        return
    kept = why_no_pictures(results) or "Pictures here are the run's own, as it scored them."
    with st.expander(
        f"The images of this run are no longer in {plain(str(folder))}: say where they are",
        icon=":material/folder_off:",
    ):
        st.caption(
            f"{plain(kept)} If the images were moved, say where they are: what needs them at full size (probes, paths,"
            " painting) works again. A folder is taken only if every image and mask in it is the one that the run read."
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            path = st.text_input(
                f"Folder that holds {plain(results.config.category)} now",
                key=f"new_root_{results.run_id}",
                placeholder="Path of a folder",
                width=460,
            ).strip()
            is_asked = st.button("Compare the files", icon=":material/compare_arrows:", key="relocate")
        if is_asked and path:
            move(store, results.run_id, path)


def move(store: RunStore, run_id: str, path: str) -> None:
    """Compare every file, with a bar; take the folder, or say what differs."""
    bar = st.progress(0.0, text="Comparing the files")
    try:
        check_typed(path.strip('"'), store.home)
        found = relocate(
            store,
            run_id,
            Path(path.strip('"')),
            widgets.count_on(bar, lambda done, total: f"Comparing the files: {done:,} of {total:,}"),
        )
    except WTFlowError as error:
        bar.empty()
        show_error(error)
        return
    st.toast(f"{plain(found.words)} The run reads its images there now.", icon=":material/folder_open:")
    st.rerun()
