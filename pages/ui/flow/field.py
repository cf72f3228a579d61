"""The particle field as a part of a page: trajectories that play, or a map of points to choose from.
Drawn in the browser, assets/field*.js.

    state = show_field(encoded, key="travel", height=HEIGHT, choices={"view": "radius", "t": 0.5}, can_select=False,
                       on_change=keep)

where `keep()` reads `field_state("travel")` and puts `choice` into the page's address. Playing, scrubbing, zooming and
hovering stay in the browser: the page runs again only when a person pauses, lets go of the slider, picks a view or
colour, selects or clicks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS
from pages.ui.told import tell

HEIGHT = "clamp(22rem, calc(100vh - 14rem), 60rem)"
"""Of a field as the first thing of a page: what the head and one line above it leave free of the window, so that its
picture and its play button are in sight at once.
"""

PARTS = ("field_paint.js", "field_axes.js", "field_guides.js", "field_parts.js", "field_beside.js", "field.js")
"""Joined in this order to one module."""

_mount = component(
    "wtflow_field",
    js="\n".join((ASSETS / name).read_text(encoding="utf-8") for name in PARTS),
    css=(ASSETS / "field.css").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class FieldState:
    """What a person did in a field, as far as the page needs it."""

    choice: dict[str, object] = field(default_factory=dict)
    """view and colour (keys) and t, or empty while nothing was touched."""
    selected: list[int] = field(default_factory=list)
    """Ids within the last lasso or box; empty when cleared, and when another field came since."""
    clicked: int | None = None
    """Id of a particle clicked just now; None in the next run."""


def show_field(
    data: dict[str, object],
    *,
    key: str,
    height: str,
    choices: Mapping[str, Any],
    can_select: bool,
    on_change: Callable[[], None],
) -> FieldState:
    """Mount an encoded field and return what was done in it.

    data: from `encode_field`, best kept by the page's cache. height: of the view with all its controls, as a CSS
    length. choices: `view`, `colour` and `t`, usually from the page's address; what is left out or None is the person's
    alone. The field follows them whenever they differ from what it shows, so a page that passes one must take over its
    changes: in `on_change`, which is called before the page runs again after a choice, a selection or a click,
    `field_state(key).choice` has the new values. Two more are one-way: `marked` (ids to put a ring around) and
    `opens_playing` (a page that is opened without a time plays once to the end). can_select: offer lasso and box.
    """
    wanted = {name: choices[name] for name in ("view", "colour", "t") if choices.get(name) is not None}
    told = tell(key, wanted, field_state(key).choice or None, _shows)
    sent = {
        "key": key,
        "height": height,
        "can_select": can_select,
        "opens_playing": bool(choices.get("opens_playing")),
        "marked": list(choices.get("marked") or ()),
        "choices": told.choice,
        "told": told.number,
    }
    _mount(
        key=key,
        data=data | sent,
        default={"choice": {}, "selected": {}},
        on_choice_change=on_change,
        on_selected_change=on_change,
        on_clicked_change=on_change,
    )
    return field_state(key, fingerprint=data["fingerprint"])


def field_state(key: str, *, fingerprint: object = None) -> FieldState:
    """What was done in the field of this key, also from within its `on_change`. With a fingerprint, ids of other
    data are left out.
    """
    found = st.session_state.get(key) or {}
    selected = found.get("selected") or {}
    is_stale = fingerprint is not None and selected.get("of") != fingerprint
    return FieldState(
        dict(found.get("choice") or {}), [] if is_stale else list(selected.get("ids", ())), found.get("clicked")
    )


def _shows(shown: dict[str, object], wanted: dict[str, object]) -> bool:
    return all(shown.get(name) == value for name, value in wanted.items())
