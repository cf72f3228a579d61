"""Paintings saved with a run: the button that saves one, and the list of them."""

from datetime import UTC, datetime

import streamlit as st

from pages.ui import state, widgets
from pages.ui.access.visitor import trainers
from pages.ui.errors import plain, show_error
from pages.ui.localization.painting import put_picture
from wtflow import numbers
from wtflow.datasets.images import load_image, load_painted
from wtflow.errors import DamagedRunError, WTFlowError
from wtflow.numbers import score as format_score
from wtflow.plots.pictures import encode_jpeg, overlay, thumbnail
from wtflow.records.what_if import WhatIf
from wtflow.store.runs import RunStore
from wtflow.store.what_ifs import MAX_NAME, delete_what_ifs, list_what_ifs, save_what_if
from wtflow.studies.paint import Stroke, write_strokes

THUMBNAIL_PX = 320


def show_saving(store: RunStore, run_id: str, what_if: WhatIf, strokes: tuple[Stroke, ...]) -> None:
    """Save this painting, and the list of those saved with the run."""
    st.subheader("Keep it", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", key="what_if_name", max_chars=MAX_NAME, placeholder="A dark spot at the rim", width=320
        )
        if st.button(
            "Save this what if",
            icon=":material/bookmark_add:",
            **trainers(disabled=not what_if.is_painted, help="Picture, mask and scores, saved with the run."),
        ):
            save_what_if(store, run_id, what_if, name, write_strokes(strokes))
            st.toast("The painted image and its mask are saved with this run.", icon=":material/bookmark:")
    damaged: list[DamagedRunError] = []
    saved = list_what_ifs(store, run_id, damaged.append)
    if not saved and not damaged:
        return
    st.markdown(f"**Saved with this run: {numbers.count(len(saved), 'what if')}**")
    for error in damaged:
        show_error(error)
    with st.grid(min_column_width=widgets.TILE_PX, key="what_ifs"):
        for painting in saved:
            with st.container(key=f"tile-thumb_{painting['key']}"):
                show_saved(store, run_id, painting)


def show_saved(store: RunStore, run_id: str, painting: dict) -> None:
    try:
        small = thumbnail(load_image(painting["image"], None), THUMBNAIL_PX)
        picture = encode_jpeg(overlay(small, small[..., 0], (0.0, 1.0), 0.0, load_painted(painting["mask"])))
        st.image(picture, width="stretch", alt=f"{painting['name']}: the painted image with the paint outlined")
    except WTFlowError as error:
        st.error(plain(error.message), icon=":material/broken_image:")
    when = datetime.fromtimestamp(painting["kept"], UTC)
    st.caption(f"**{plain(painting['name'])}**", help=f"{painting['sample_id']}, saved {when:%Y-%m-%d %H:%M} UTC")
    st.caption(f"{format_score(painting['score_before'])} → {format_score(painting['score_after'])}")
    with st.container(horizontal=True):
        if st.button(
            "Open", icon=":material/brush:", type="tertiary", key=f"open_{painting['key']}", help="Paint on from here."
        ):
            put_picture(run_id, int(painting["row"]), painting["strokes"])
            state.put("sample", painting["sample_id"])
            st.rerun()
        remove = {"on_click": delete_what_ifs, "args": (store, run_id, [painting["key"]])}
        st.button(
            "Remove", icon=":material/delete:", type="tertiary", key=f"remove_{painting['key']}", **remove, **trainers()
        )
