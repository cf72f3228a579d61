"""An inspection to take home: the table in three forms, and a zip with a picture of every image under its map."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.ui.errors import show_error
from pages.ui.inspect.names import name_of
from wtflow import numbers
from wtflow.errors import WTFlowError
from wtflow.export.folder import file_stem
from wtflow.inspecting.taken import FORMS, Form, pack_inspection, table_bytes
from wtflow.permission import in_passing
from wtflow.records.inspect import Inspection
from wtflow.store.inspection_words import InspectionWords, read_words
from wtflow.store.runs import RunStore


def show_export(store: RunStore, inspection: Inspection) -> None:
    """A menu of files; nothing is made before a person asks for it."""
    stem = f"{inspection.inspection_id}-scores"
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        st.caption("One line per image: score, verdict, threshold, what is wrong with the file, nearest normals, note.")
        with st.container(horizontal=True):
            for form, (label, mime) in FORMS.items():
                st.download_button(
                    label,
                    _maker(store, inspection, form),
                    f"{stem}.{form}",
                    mime,
                    key=f"take_{form}",
                    icon=":material/download:",
                    on_click="ignore",
                )
        if st.button("Make a zip with pictures", icon=":material/folder_zip:", key="take_zip"):
            _offer_zip(store, inspection)


def _maker(store: RunStore, inspection: Inspection, form: Form) -> Callable[[], bytes]:
    return lambda: table_bytes(store, inspection, form, _words(store, inspection))


def _words(store: RunStore, inspection: Inspection) -> InspectionWords:
    try:
        return read_words(store, inspection.inspection_id)
    except WTFlowError:
        return InspectionWords()  # the page says what is wrong; scores are worth taking home without notes


def _offer_zip(store: RunStore, inspection: Inspection) -> None:
    """Made on the disk of the store, where there should be room; nothing of it stays behind."""
    bar = st.progress(0.0, text="Starting")

    def show(done: int, total: int) -> None:
        bar.progress(done / max(total, 1), text=f"{done:,} of {numbers.count(total, 'image')}")

    try:
        with in_passing(), tempfile.TemporaryDirectory(prefix=".zip-", dir=store.home) as folder:
            path = Path(folder) / "inspection.zip"
            pack_inspection(store, inspection, path, _words(store, inspection), show)
            content = path.read_bytes()
    except WTFlowError as error:
        show_error(error)
    else:
        name = f"{file_stem(name_of(store, inspection))}.zip"
        label = f"Save zip, {numbers.size(len(content))}"
        st.download_button(
            label, content, name, "application/zip", key="save_zip", icon=":material/download:", on_click="ignore"
        )
    finally:
        bar.empty()
