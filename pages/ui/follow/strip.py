"""The strip "Follow this defect" as a part of a page: played, scrubbed and compared in the browser, assets/follow/*.js.

    show_strip(encoded, key="follow", choice=Choice((3, 5), "none", None), threshold=0.4, nearest=None, on_change=keep)

where `keep()` reads `strip_choice("follow")` and puts it into the page's address. The page runs again only when a
person follows another patch, compares, pauses or lets go of the slider.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS
from pages.ui.told import tell

FOLDER = ASSETS / "follow"
PARTS = (
    ASSETS / "field_paint.js",
    ASSETS / "field_axes.js",
    ASSETS / "field_parts.js",
    ASSETS / "numbers.js",
    *(FOLDER / f"{name}.js" for name in ("values", "pictures", "paths", "main")),
)
"""Joined in this order to one module."""

HEIGHT = "clamp(21rem, calc(100vh - 20.5rem), 52rem)"
"""Of the panels: what the page's head, the sentence and the play button leave free of the window."""

Compare = Literal["none", "normal", "nearest"]
COMPARES: tuple[Compare, ...] = ("none", "normal", "nearest")

_mount = component(
    "wtflow_follow",
    js="\n".join(path.read_text(encoding="utf-8") for path in PARTS),
    css=(FOLDER / "follow.css").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is followed: the position (row, column), what it is compared with, and the time; None plays once, then
    shows the end.
    """

    position: tuple[int, int]
    compare: Compare
    t: float | None


def show_strip(
    story: Mapping[str, Any],
    *,
    key: str,
    choice: Choice,
    threshold: float,
    nearest: Mapping[str, Any] | None,
    on_change: Callable[[], None],
    height: str = HEIGHT,
) -> None:
    """Mount an encoded story (`wtflow.plots.follow.encode_story`). nearest: the nearest normal patch of the position,
    where it is compared with that.
    """
    told = tell(key, choice, strip_choice(key))
    _mount(
        key=key,
        data={
            "story": story,
            "choice": asdict(told.choice),
            "told": told.number,
            "threshold": threshold,
            "nearest": nearest,
            "height": height,
        },
        default={"choice": {}},
        on_choice_change=on_change,
    )


def strip_choice(key: str) -> Choice | None:
    """What was chosen in the strip, also from within its `on_change`; None while nothing was touched."""
    found = (st.session_state.get(key) or {}).get("choice") or {}
    try:
        row, column = found["position"]
        compares = [one for one in COMPARES if one == found["compare"]]
        time = None if found["t"] is None else float(found["t"])
        return Choice((int(row), int(column)), compares[0] if compares else COMPARES[0], time)
    except (KeyError, TypeError, ValueError):
        return None
