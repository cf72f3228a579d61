"""A picture to paint on: brushes, size, strength, undo. The browser shows a preview; Python's picture replaces it
after each stroke.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS

_paint = component(
    "wtflow_paint",
    html='<div class="paint"></div>',
    css="".join((ASSETS / name).read_text(encoding="utf-8") for name in ("canvas_tools.css", "paint.css")),
    js="\n".join((ASSETS / name).read_text(encoding="utf-8") for name in ("elements.js", "paint.js")),
)


def show_canvas(
    key: str,
    *,
    name: str,
    shape: tuple[int, int],
    image: str,
    picture: dict,
    painted: str,
    source: dict,
    on_change: Callable[[dict], None],
) -> None:
    """Mount the canvas. It hands its new `picture` to `on_change` whenever a stroke ends and at undo, redo and clear.

    name: what the picture is called aloud; shape: its (height, width) in pixels; image: the unpainted one as a data
    address; picture: `done` and `undone` (strokes as `wtflow.studies.paint.read_strokes` takes them), `serial` (counts
    the changes) and `version` (a canvas of another version takes over `done`); painted: Python's picture of `done`, or
    "" for none; source: `key`, `label` and `image` to paste from.
    """

    def changed() -> None:
        found = st.session_state[key].get("picture")
        if isinstance(found, dict):
            on_change(found)

    height, width = shape
    data = {"name": name, "width": width, "height": height, "image": image, "painted": painted, "source": source}
    _paint(key=key, data=data | picture, on_picture_change=changed)
