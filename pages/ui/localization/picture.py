"""The linked pictures of localization as a part of the page: drawn in the browser, assets/localization/.

Zoom, hovering, opacity, outline and colour scale stay there; the page runs again only when a position is clicked. The
look is written into the address there, too, so that links share it; the browser keeps it from image to image.
"""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS

FOLDER = ASSETS / "localization"
PARTS = (ASSETS / "numbers.js", *(FOLDER / f"{name}.js" for name in ("zoom", "values", "main")))
"""Joined in this order to one module."""

_mount = component(
    "wtflow_localization",
    html='<div class="localization"></div>',
    css=(FOLDER / "localization.css").read_text(encoding="utf-8"),
    js="\n".join(path.read_text(encoding="utf-8") for path in PARTS),
)


def show_pictures(
    encoded: Mapping[str, object],
    *,
    key: str,
    image_key: str,
    name: str,
    threshold: float,
    look: Mapping[str, object],
    own_scale_note: str,
    selected: tuple[int, int] | None,
    on_click: Callable[[str], None],
    outline_words: str = "Outline of the true defect",
) -> None:
    """Mount the pictures; a click hands the position ("row,column") to `on_click` before the page runs again.

    encoded: from `encode_localization`; image_key: another one for another image; name: what the pictures are called
    aloud; look: `opacity` (0 to 1), `scale` ("run" or "image") and `outline` ("on" or "off"), from the address;
    outline_words: what is outlined.
    """

    def clicked() -> None:
        position = st.session_state[key].get("position")
        if isinstance(position, str):
            on_click(position)

    sent = {
        "key": image_key,
        "name": name,
        "threshold": threshold,
        "look": dict(look),
        "own_scale_note": own_scale_note,
        "outline_words": outline_words,
        "selected": None if selected is None else list(selected),
    }
    _mount(key=key, data=dict(encoded) | sent, on_position_change=clicked)
