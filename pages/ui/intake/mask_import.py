"""Masks that exist already: pictures, or outlines from annotation tools (COCO, LabelMe), dropped or in a folder of the
server.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import widgets
from pages.ui.errors import plain, show_error
from pages.ui.intake.folders import browse
from pages.ui.intake.said import say
from wtflow import numbers
from wtflow.datasets.allowed import check_allowed
from wtflow.errors import DatasetError, WTFlowError
from wtflow.intake.adding import base_name
from wtflow.intake.limits import limits, refuse_too_much
from wtflow.intake.mask_files import import_masks, masks_words
from wtflow.store.runs import RunStore

TYPES = ["png", "bmp", "tif", "tiff", "json"]
_ROUND = "mask_round"
"""Session key: counts the drops that were taken, so that the box begins empty again."""


def show_mask_import(store: RunStore, name: str) -> None:
    """A box for files, and folders of the server; a mask and its photo belong together by their names."""
    with st.expander("I have masks already: pictures, or a file of COCO or LabelMe", icon=":material/upload_file:"):
        st.caption("A mask belongs to the photo of the same name, with or without _mask at its end.")
        turn = st.session_state.setdefault(_ROUND, 0)
        files = st.file_uploader(
            "Masks", type=TYPES, accept_multiple_files=True, key=f"masks_{name}_{turn}", label_visibility="collapsed"
        )
        if files:
            _take(store, name, files)
        folder = browse("mask_folder")
        if folder is not None and st.button(f"Read the masks in {plain(folder.name)}", icon=":material/add:"):
            try:
                _read(store, name, check_allowed(folder))
            except WTFlowError as error:
                show_error(error)
            else:
                st.rerun()


def _take(store: RunStore, name: str, files: Sequence[Any]) -> None:
    """What was dropped, by way of a folder that is gone afterwards."""
    try:
        refuse_too_much(len(files), sum(file.size for file in files), "What was dropped", limits())
        with tempfile.TemporaryDirectory() as place:
            for file in files:
                target = Path(place, base_name(file.name))
                if target.exists():
                    raise DatasetError(f"{file.name} was dropped twice.", fix="Drop the two one after the other.")
                target.write_bytes(file.getvalue())
            _read(store, name, Path(place))
    except WTFlowError as error:
        show_error(error)
        return
    st.session_state[_ROUND] += 1
    st.rerun()


def _read(store: RunStore, name: str, source: Path) -> None:
    bar = st.progress(0.0, text="Reading masks")
    count = widgets.count_on(bar, lambda i, n: f"Reading {i:,} of {numbers.count(n, 'file')}")
    say(masks_words(import_masks(store, name, source, progress=count)))
