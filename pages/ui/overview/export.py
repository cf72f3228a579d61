"""The dialog that packs the selected runs into a zip."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.ui import widgets
from pages.ui.downloads import file_name
from pages.ui.errors import show_error
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.permission import in_passing
from wtflow.records.core import RunSummary
from wtflow.results import open_results
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore


def ask_export(store: RunStore, runs: Sequence[RunSummary]) -> None:
    """Pack these finished runs under a bar, then offer the zip."""
    title = "Export this run" if len(runs) == 1 else f"Export {len(runs)} runs"
    st.dialog(title, icon=":material/folder_zip:")(_show)(store, runs)


def _show(store: RunStore, runs: Sequence[RunSummary]) -> None:
    st.write(
        "scores.csv with outcomes and notes, metrics.json, config.json, notes.json, and every image under its map as"
        " PNG" + ("." if len(runs) == 1 else "; a folder for each run.")
    )
    if not st.button("Make the zip", type="primary", icon=":material/folder_zip:", key="export_runs"):
        return
    bar = st.progress(0.0, text="Reading the runs")
    try:
        content, lack = _make(store, runs, widgets.count_on(bar, lambda done, total: f"Image {done:,} of {total:,}"))
    except WTFlowError as error:
        show_error(error)
        return
    finally:
        bar.empty()
    one = runs[0].run_id if len(runs) == 1 else None
    st.download_button(
        f"Save ZIP, {numbers.size(len(content))}",
        content,
        file_name(one, "results", "zip") if one else "runs.zip",
        "application/zip",
        key="save_runs",
        icon=":material/download:",
        on_click="ignore",
    )
    if lack:
        st.caption(lack)


def _make(store: RunStore, runs: Sequence[RunSummary], show) -> tuple[bytes, str]:
    """Packed on the disk of the runs, where there should be room, and read from there; nothing of it stays behind."""
    from wtflow.export.zip import pack_run, pack_runs  # imports what a page that packs nothing need not pay for

    opened = [(open_results(store, one.run_id), notes_of(store, one.run_id)) for one in runs]
    with in_passing(), tempfile.TemporaryDirectory(prefix=".zip-", dir=store.home) as folder:
        path = Path(folder) / "runs.zip"
        packed = pack_run(*opened[0], path, show) if len(opened) == 1 else pack_runs(opened, path, show)
        return path.read_bytes(), packed.lack
