"""Images that earlier versions of this app kept with a run, from their page *Try an image*: shown, and removed."""

from typing import Any

import streamlit as st

from pages.ui import widgets
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from wtflow import numbers
from wtflow.datasets.images import load_image
from wtflow.errors import DamagedRunError, WTFlowError
from wtflow.numbers import score as format_score
from wtflow.plots.pictures import encode_jpeg, overlay
from wtflow.results import RunResults
from wtflow.store.runs import RunStore
from wtflow.store.tried import delete_tried, list_tried, tried_map

OPACITY = 0.6


def show_tried(store: RunStore, results: RunResults) -> None:
    """What was kept, under its map; nothing where nothing was."""
    damaged: list[DamagedRunError] = []
    kept = list_tried(store, results.run_id, damaged.append)
    if not kept and not damaged:
        return
    st.subheader(f"Kept with this run by an earlier version: {numbers.count(len(kept), 'image')}", anchor=False)
    st.caption("They are listed here only; no metric counts them.")
    for error in damaged:
        show_error(error)
    with st.grid(min_column_width=widgets.TILE_PX, key="kept"):
        for entry in kept:
            with st.container(key=f"tile-thumb_{entry['key']}"):
                _show_one(store, results, entry)


def _show_one(store: RunStore, results: RunResults, entry: dict[str, Any]) -> None:
    name, key = entry["name"].replace("\\", "/").rpartition("/")[2], entry["key"]
    try:
        image = load_image(entry["image"], results.shape, results.settings.background)
        mixed = overlay(image, tried_map(entry), results.color_range, OPACITY)
        st.image(encode_jpeg(mixed), width="stretch", alt=f"{name} with its anomaly map, kept with this run")
    except WTFlowError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
    st.caption(f"**{format_score(entry['score'])}** {plain(name)}")
    remove = {"on_click": delete_tried, "args": (store, results.run_id, [key])}
    st.button("Remove", icon=":material/delete:", type="tertiary", key=f"remove_{key}", **remove, **trainers())
