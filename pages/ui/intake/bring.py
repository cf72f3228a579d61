"""Step 1: photos come in, dropped in the browser or from folders of the server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import widgets
from pages.ui.errors import plain, show_error
from pages.ui.intake.folders import browse
from pages.ui.intake.onward import show_way_on
from pages.ui.intake.said import say
from wtflow import numbers
from wtflow.datasets.allowed import allowed, check_allowed
from wtflow.errors import WTFlowError
from wtflow.intake.adding import add_folder, add_uploads, joined
from wtflow.intake.limits import limits
from wtflow.intake.pictures import fill_small
from wtflow.intake.words import added_words
from wtflow.records.core import IMAGE_SUFFIXES
from wtflow.records.intake import DEFECT, Added, DataSet, Label, Labelled
from wtflow.store.datasets import open_set
from wtflow.store.runs import RunStore

TYPES = [*(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES), "zip"]
AT_ONCE = 20
"""Files that are written into the set and dropped from memory before the next ones are read."""
BOXES: dict[Label, tuple[str, str]] = {
    "good": ("These are good", ":material/check_circle:"),
    "defect": ("These are defective", ":material/report:"),
    "unsorted": ("I don't know yet", ":material/help:"),
}
_ROUND = "bring_round"
"""Session key: counts the drops that were taken, so that the boxes begin empty again."""


def words(data: DataSet) -> str:
    """How far this step is."""
    return numbers.count(len(data.items), "photo") if data.items else "no photos yet"


def show_bring(store: RunStore, data: DataSet) -> None:
    """Three boxes to drop files into; below them the folders of the server."""
    if data.items:
        show_way_on("Go on: sort them", "sort", "Or bring more. A photo that is here already counts once.")
    turn = st.session_state.setdefault(_ROUND, 0)
    bar = st.empty()
    dropped: list[tuple[Sequence[Any], Labelled]] = []
    with st.container(key="pair_bring"):
        for column, (label, (title, icon)) in zip(st.columns(3), BOXES.items(), strict=True):
            with column.container(border=True, height="stretch", key=f"bring_{label}"):
                st.markdown(f"**{icon} {title}**")
                kind = ""
                if label == "defect":
                    kind = st.text_input(
                        "What is wrong with them? (optional)",
                        key="bring_type",
                        placeholder="such as scratch; leave it empty for all kinds",
                        max_chars=60,
                    ).strip()
                files = st.file_uploader(
                    "Files or a zip", type=TYPES, accept_multiple_files=True, key=f"drop_{data.name}_{label}_{turn}"
                )
                dropped.append((files, Labelled(label, (kind or DEFECT) if label == "defect" else "")))
    allowed_now = limits()
    st.caption(
        "PNG, JPEG, BMP, TIFF, WebP, or a zip of them; up to 1 GB a file, "
        f"{numbers.size(allowed_now.n_bytes)} and {allowed_now.n_files:,} files at once. Larger ones lie better in a"
        " folder of the server."
    )
    if any(files for files, _ in dropped):
        with bar.container():
            take(store, data.name, dropped)
    show_server(store, data)


def take(store: RunStore, name: str, dropped: Sequence[tuple[Sequence[Any], Labelled]]) -> None:
    """Write what was dropped into the set, a few files at a time, each forgotten by the server once it is there."""
    n, done, parts = sum(len(files) for files, _ in dropped), 0, []
    bar = st.progress(0.0, text=f"Taking in {numbers.count(n, 'file')}")
    count = widgets.count_on(bar, lambda i, of: f"Taking in {min(i, of):,} of {numbers.count(of, 'file')}")
    try:
        for files, labelled in dropped:
            for start in range(0, len(files), AT_ONCE):
                some = files[start : start + AT_ONCE]
                contents = [(file.name, file) for file in some]
                shown = lambda i, _, before=done: count(before + i, n)  # noqa: E731
                parts.append(add_uploads(store, name, contents, labelled, progress=shown))
                done += len(some)
                _drop(some)
        _finish(store, name, joined(parts), bar)
    except WTFlowError as error:
        show_error(error)
        return
    st.session_state[_ROUND] += 1
    st.rerun()


def _finish(store: RunStore, name: str, added: Added, bar: Any) -> None:
    data = open_set(store, name)
    fill_small(
        store,
        name,
        [data.items[key] for key in added.added],
        widgets.count_on(bar, lambda i, n: f"Drawing small pictures: {i:,} of {n:,}"),
    )
    clashes = [f"{numbers.count(len(added.clashes), 'file')} are here already with another label, which stays."] * bool(
        added.clashes
    )
    say([*added_words(added), *clashes])


def _drop(files: Sequence[Any]) -> None:
    """Let the server forget uploaded files now, not only when the person goes."""
    context = get_script_run_ctx()
    manager = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    for file in files:
        if context is not None and isinstance(manager, MemoryUploadedFileManager):
            manager.remove_file(context.session_id, file.file_id)
        file.close()


def show_server(store: RunStore, data: DataSet) -> None:
    """Folders of the server, of which all images are taken, also those in folders below."""
    with st.expander("From a folder of the server", icon=":material/dns:"):
        folder = browse("bring_folder")
        if folder is None:
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            what = st.selectbox(
                "The images in it are", list(_KINDS), format_func=_KINDS.__getitem__, width=330, key="bring_kind"
            )
            is_pressed = st.button(f"Add all images of {plain(folder.name)}", icon=":material/add:", type="primary")
    if is_pressed:
        _take_folder(store, data.name, folder, what)


_KINDS = {
    "good": "good",
    "defect": "defective",
    "types": "defective, of the types that its folders name",
    "unsorted": "not sorted yet",
}


def _take_folder(store: RunStore, name: str, folder: Path, what: str) -> None:
    bar = st.progress(0.0, text=f"Reading {plain(folder.name)}")
    labelled = {"good": Labelled("good"), "unsorted": Labelled("unsorted")}.get(what, Labelled("defect", DEFECT))
    try:
        added = add_folder(
            store,
            name,
            check_allowed(folder),
            labelled,
            by_folder=what == "types",
            is_allowed=allowed,
            progress=widgets.count_on(bar, lambda i, n: f"Taking in {i:,} of {numbers.count(n, 'image')}"),
        )
        _finish(store, name, added, bar)
    except WTFlowError as error:
        show_error(error)
        return
    st.rerun()
