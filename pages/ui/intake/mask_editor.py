"""A picture to draw a mask on, assets/mask/: brush, erase, polygon, fill, undo, zoom.
A mask is as large as its image.
"""

import base64
from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS

FOLDER = ASSETS / "mask"
PARTS = (
    ASSETS / "numbers.js",
    ASSETS / "elements.js",
    ASSETS / "localization" / "zoom.js",
    FOLDER / "raster.js",
    FOLDER / "main.js",
)
"""Joined in this order to one module."""
PNG = "data:image/png;base64,"

_mount = component(
    "wtflow_mask",
    html='<div class="mask"></div>',
    css="".join(path.read_text(encoding="utf-8") for path in (ASSETS / "canvas_tools.css", FOLDER / "mask.css")),
    js="\n".join(path.read_text(encoding="utf-8") for path in PARTS),
)


def show_mask_editor(
    key: str,
    *,
    picture_key: str,
    name: str,
    shape: tuple[int, int],
    image: str,
    mask: bytes,
    on_save: Callable[[str, bytes, bool], None],
    next_label: str = "",
) -> None:
    """Mount the editor. A moment after each change it hands `picture_key`, the mask as the bytes of a PNG, and whether
    the person wants to go on to the next picture, to `on_save`. Where nothing is marked, the bytes are empty.

    picture_key: another one for another picture, so that the editor opens `mask`; while it stays, what was drawn
    stays, whatever `mask` is. name: what the picture is called aloud; shape: (height, width) of the image in pixels;
    image: address of the picture, which may be smaller; mask: a PNG of that shape, empty for none. next_label: of the
    button that saves and goes on; without it there is none.
    """
    height, width = shape

    def saved() -> None:
        found = st.session_state[key].get("saved")
        if not isinstance(found, dict) or not isinstance(png := found.get("png"), str):
            return
        number, seen = (found.get("pen"), found.get("serial")), f"{key}_saved"
        if st.session_state.get(seen) != number:
            st.session_state[seen] = number
            on_save(str(found.get("key")), base64.b64decode(png.removeprefix(PNG)), bool(found.get("next")))

    data = {
        "key": picture_key,
        "name": name,
        "width": width,
        "height": height,
        "image": image,
        "mask": PNG + base64.b64encode(mask).decode() if mask else "",
        "next": next_label,
    }
    _mount(key=key, data=data, on_saved_change=saved)
