"""Pictures to sort in a grid, assets/sort/: selected by click and key, sorted by a letter, shown at once.

The browser has one line for each image, and fetches the pictures of the page in sight. It sends what was sorted until
the server has it, so that nothing is lost where a person is quicker than the server.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.components.v2 import component

from pages.ui.frame import ASSETS
from pages.ui.intake.addresses import address_of

FOLDER = ASSETS / "sort"
PARTS = (ASSETS / "elements.js", FOLDER / "main.js")
"""Joined in this order to one module."""
PER_PAGE = 96
"""As in main.js."""

Kind = Literal["good", "defect", "out", "unsorted"]
KINDS: tuple[Kind, ...] = ("good", "defect", "out", "unsorted")

_mount = component(
    "wtflow_sort",
    html='<div class="sort"></div>',
    css=(FOLDER / "sort.css").read_text(encoding="utf-8"),
    js="\n".join(path.read_text(encoding="utf-8") for path in PARTS),
)


@dataclass(frozen=True)
class Item:
    """An image in the grid. type: of a defect, else empty; score: of the last run, as a person reads it."""

    id: str
    name: str
    kind: Kind
    type: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Change:
    """What a person said of one image. type: of a defect, else empty."""

    id: str
    kind: Kind
    type: str = ""


def show_grid(
    key: str,
    items: Sequence[Item],
    *,
    of: str,
    types: Sequence[str],
    pictures: Callable[[Sequence[str]], Mapping[str, bytes]],
    large: Callable[[str], bytes],
    on_sort: Callable[[list[Change]], None],
    opens: str = "all",
) -> None:
    """Mount the grid; `on_sort` is called with what was sorted before the page runs again.

    of: names the set, so that another one opens anew; types: of defects that are offered besides those of the items;
    pictures: WebP bytes by id, small, for the ids in sight; large: the same of one image; opens: what is listed at
    first, a kind or "all".
    """

    def sorted_() -> None:
        log = (st.session_state.get(key) or {}).get("log")
        changes = _fresh(key, log)
        if changes:
            on_sort(changes)

    found = st.session_state.get(key) or {}
    known = {item.id for item in items}
    in_sight = [one for one in _in_sight(key, found.get("sight")) if one in known]
    shown = in_sight or [item.id for item in items if opens in ("all", item.kind)][:PER_PAGE]
    wanted = found.get("large")
    pen, applied = st.session_state.get(f"{key}_applied", ("", 0))
    data = {
        "set": of,
        "filter": opens,
        "items": [[item.id, item.name, item.kind, item.type, item.score] for item in items],
        "types": list(types),
        "pictures": {one: address_of(small, f"{key}-{one}") for one, small in pictures(shown).items()},
        "large": {"id": wanted, "address": address_of(large(wanted), f"{key}-large")} if wanted in known else None,
        "pen": pen,
        "applied": applied,
    }
    _mount(
        key=key,
        data=data,
        on_log_change=sorted_,
        on_sight_change=lambda: None,
        on_large_change=lambda: None,
    )


def _in_sight(key: str, sight: object) -> list[str]:
    """Ids whose pictures the browser may still fetch: of the page in sight, and of the one before."""
    now = [one for one in sight if isinstance(one, str)][:PER_PAGE] if isinstance(sight, list) else []
    before, last = st.session_state.get(f"{key}_sight", ([], []))
    if now != last:
        before = last
        st.session_state[f"{key}_sight"] = (before, now)
    return [*now, *(one for one in before if one not in set(now))]


def _fresh(key: str, log: object) -> list[Change]:
    """What was sorted since the last time, in the order in which it was. Anything odd is passed over."""
    if not isinstance(log, dict) or not isinstance(entries := log.get("entries"), list):
        return []
    seen = f"{key}_applied"
    pen, applied = st.session_state.get(seen, ("", 0))
    if pen != log.get("pen"):
        pen, applied = str(log.get("pen")), 0
    changes: dict[str, Change] = {}
    for entry in sorted(entries, key=lambda entry: entry["n"]):
        if entry["n"] > applied:
            applied = entry["n"]
            changes |= {i: Change(i, kind, type_) for i, kind, type_ in entry["changes"] if kind in KINDS}
    st.session_state[seen] = (pen, applied)
    return list(changes.values())
