"""A lesson's picture as a part of a page: dragged, scrubbed and drawn on in the browser, assets/learn/*.js.

    show_lesson("flow", encode_scene(scene, settings), CONTROLS, on_change=keep)

where `keep()` reads `lesson_state("flow")` and puts it into the page's address. The page runs again only when a slider
or button is let go.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import is_large
from pages.ui.told import tell
from wtflow.lessons.base import Control
from wtflow.lessons.scripts import joined_scripts
from wtflow.lessons.texts import FOLDER

HEIGHT = "clamp(28rem, calc(100vh - 14rem), 60rem)"
"""Of picture, controls and checks: what the page's head leaves free of the window.
The picture takes what the others leave.
"""

LEAST = {False: "17rem", True: "58vh"}
"""Height of the picture alone, without and with large type: there it is read from the last row, and controls may lie
below the window.
"""

ROUNDING = 6e-5
"""An address keeps four digits of a setting after the point."""


_mount = component(
    "wtflow_lesson",
    js=f"{joined_scripts()}\nexport default mountLesson;",
    css=(FOLDER / "learn.css").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class LessonState:
    """What a person set: values by control, and points drawn by hand as "x,y;x,y" ("" for none)."""

    settings: dict[str, float] = field(default_factory=dict)
    points: str = ""


def show_lesson(
    name: str,
    encoded: dict[str, Any],
    controls: tuple[Control, ...],
    *,
    on_change: Callable[[], None],
    points: str = "",
    alt: str = "",
) -> None:
    """Mount an encoded scene (`wtflow.lessons.base.encode_scene`).

    The picture begins again when the scene's fingerprint changes; its settings are followed when they differ from what
    the browser sent. points: drawn by hand, as the address has them; alt: the picture in words.
    """
    key = f"lesson_{name}"
    found = lesson_state(name)
    told = tell(key, encoded["settings"], None if found is None else found.settings, _shows)
    data = encoded | {
        "name": name,
        "controls": [asdict(control) for control in controls],
        "settings": told.choice,
        "told": told.number,
        "points": points,
        "alt": alt,
        "height": HEIGHT,
        "least": LEAST[is_large()],
    }
    _mount(key=key, data=data, default={"state": {}}, on_state_change=on_change)


def lesson_state(name: str) -> LessonState | None:
    """What was set in the picture, also from within its `on_change`; None while nothing was."""
    found = (st.session_state.get(f"lesson_{name}") or {}).get("state") or {}
    if not isinstance(found.get("settings"), dict):
        return None
    return LessonState({key: float(value) for key, value in found["settings"].items()}, str(found.get("points") or ""))


def _shows(shown: dict[str, float], wanted: dict[str, float]) -> bool:
    return all(name in shown and abs(shown[name] - value) <= ROUNDING for name, value in wanted.items())
