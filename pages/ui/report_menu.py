"""What a person sends or keeps: a report as one HTML file, a run as a zip, its detector as a file.
Made with progress on request, then offered.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from pages.ui.downloads import file_name
from pages.ui.errors import show_error
from wtflow.errors import WTFlowError
from wtflow.machine.progress import one_thread
from wtflow.numbers import size
from wtflow.permission import in_passing
from wtflow.results import RunResults
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore

Show = Callable[[str, float], None]
"""Takes what is being done, and how far it is in percent."""


def show_report(store: RunStore, thresholds: Mapping[str, float], *, on_common: bool = False) -> None:
    """A menu that makes a report of these runs, each at its threshold. `on_common`: compare different test sets on
    what they share.
    """
    with st.popover(
        "Report",
        icon=":material/description:",
        type="tertiary",
        key="report_menu",
        help="One HTML file to send: it needs no network",
    ):
        st.caption(
            "Settings, data, metrics with intervals, curves, worst and best images, what explains the failures, notes,"
            " how to train again."
        )
        _show_report_form(store, dict(thresholds), on_common)


@st.fragment
def _show_report_form(store: RunStore, thresholds: dict[str, float], on_common: bool) -> None:
    """A fragment, so that making a report leaves the rest of the page alone. The file is offered until something
    else is pressed.
    """
    with_images = st.checkbox(
        "Larger pictures",
        key="report_with_images",
        help="Up to 800 px instead of thumbnails of 200 px: think of who will see them",
    )
    if st.button("Make the report", icon=":material/description:", key="make_report"):
        _offer(
            lambda show: _make_report(store, thresholds, with_images, on_common, show),
            "report",
            "html",
            "text/html",
            list(thresholds),
        )


def show_zip(store: RunStore, results: RunResults, threshold: float) -> None:
    """A menu that packs a run into a zip, outcomes at this threshold."""
    with st.popover(
        "Zip",
        icon=":material/folder_zip:",
        type="tertiary",
        key="zip_menu",
        help="The run as files, to go on with elsewhere",
    ):
        st.caption(
            "scores.csv with outcomes and notes, metrics.json, config.json, notes.json, and every image under its map"
            " as PNG."
        )
        _show_zip_form(store, results, threshold)


@st.fragment
def _show_zip_form(store: RunStore, results: RunResults, threshold: float) -> None:
    if st.button("Make the zip", icon=":material/folder_zip:", key="make_zip"):
        _offer(
            lambda show: _make_zip(store, results, threshold, show),
            "results",
            "zip",
            "application/zip",
            [results.run_id],
        )


def show_detector_file(store: RunStore, run_id: str) -> None:
    """A menu that writes the run's detector to one file."""
    with st.popover(
        "Detector",
        icon=":material/deployed_code:",
        type="tertiary",
        key="detector_menu",
        help="One file that scores new images on another computer",
    ):
        st.caption(
            "Weights, flow and the kept threshold in one file (.wtf): for *Inspect* on another computer, and for"
            " programs in Python. Other programs take an ONNX graph, which a command writes:"
        )
        st.code(f"python -m wtflow export {run_id} --onnx detector.onnx", language=None, wrap_lines=True)
        _show_detector_form(store, run_id)


@st.fragment
def _show_detector_form(store: RunStore, run_id: str) -> None:
    if st.button("Make the file", icon=":material/deployed_code:", key="make_detector"):
        _offer(
            lambda show: _make_detector(store, run_id, show), "detector", "wtf", "application/octet-stream", [run_id]
        )


def _offer(make: Callable[[Show], tuple[bytes, str]], name: str, ending: str, mime: str, runs: list[str]) -> None:
    """Make a file under a bar, then offer it with its size and a note about it."""
    bar = st.progress(0.0, text="Starting")

    def show(label: str, percent: float) -> None:
        bar.progress(min(percent / 100, 1.0), text=label[:1].upper() + label[1:])

    try:
        content, note = make(show)
    except WTFlowError as error:
        show_error(error)
    else:
        file = file_name(runs[0] if len(runs) == 1 else "comparison", name, ending)
        label = f"Save {ending.upper()}, {size(len(content))}"
        st.download_button(
            label, content, file, mime, key=f"save_{name}", icon=":material/download:", on_click="ignore"
        )
        if note:
            st.caption(note)
    finally:
        bar.empty()


def _make_report(
    store: RunStore, thresholds: dict[str, float], with_images: bool, on_common: bool, show: Show
) -> tuple[bytes, str]:
    from wtflow.export.report.write import (
        ReportOptions,
        make_report,
    )  # imports Matplotlib, which a page that makes no report need not pay for

    report = make_report(
        store, list(thresholds), show, ReportOptions(with_images=with_images, on_common=on_common), thresholds
    )
    return report.html, f"To stay within its size it shows {report.shrunk}." if report.shrunk else ""


def _make_detector(store: RunStore, run_id: str, show: Show) -> tuple[bytes, str]:
    """With what its normals look like, so that a changed camera is noticed elsewhere, too."""
    from wtflow.detector.export import export_detector  # imports torch

    with in_passing(), tempfile.TemporaryDirectory(prefix=".detector-", dir=store.home) as folder, one_thread():
        path = Path(folder) / "detector.wtf"
        export_detector(
            store, run_id, path, lambda done, total: show(f"normal image {done} of {total}", 100 * done / total)
        )
        return path.read_bytes(), ""


def _make_zip(store: RunStore, results: RunResults, threshold: float, show: Show) -> tuple[bytes, str]:
    """Packed on the disk of the runs, where there should be room, and read from there; nothing of it stays behind."""
    from wtflow.export.zip import pack_run

    with in_passing(), tempfile.TemporaryDirectory(prefix=".zip-", dir=store.home) as folder:
        path = Path(folder) / "run.zip"
        notes = notes_of(store, results.run_id)
        packed = pack_run(
            results, notes, path, lambda done, total: show(f"image {done} of {total}", 100 * done / total), threshold
        )
        return path.read_bytes(), packed.lack
