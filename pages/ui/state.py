"""Choices that outlive a page, and the only query parameters. A choice lives in the session and, while its page is
open, in the address.

The address wins where it holds something that this session did not write (a link, F5, the back button); else the
session does. Values are lists of text, as an address holds them; pages check what they read.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar, overload

import streamlit as st

OVERVIEW = ("demo", "find", "by", "archived", "page")
DATA = ("way", "photos", "step", "picture", "root", "category", "group", "page")
TRAIN = ("root", "category", "watch")
SWEEP = ("root", "sweep", "measure", "cell")
FILTER = ("defect", "outcome", "tag", "range", "sort")
NO_FILTER: dict[str, None] = dict.fromkeys((*FILTER, "page"))
"""For links next to images that a filter or pager redraws alone: a filter in such a link would be out of date."""
RESULTS = ("run", "threshold", "origin", *FILTER, "page")
IMAGE = ("run", "sample", "position", "threshold", "origin", *FILTER, "opacity", "scale", "outline")
FAILURES = ("run", "sample", "threshold", "origin", "defect", "outcome", "tag", "cut", "fact", "page")
INSPECT = (
    "run",
    "inspection",
    "image",
    "calls",
    "order",
    "between",
    "cards",
    "position",
    "opacity",
    "scale",
    "outline",
    "page",
)
NO_INSPECTION: dict[str, None] = dict.fromkeys(("inspection", "image", "calls", "between", "page"))
"""For links to the start of *inspect*."""
VIEW = ("view", "colour", "t")
PATHS = (
    "run",
    "sample",
    "position",
    "threshold",
    "origin",
    *FILTER,
    "images",
    "how",
    "n",
    "saves",
    "probes",
    "lines",
    "tab",
    *VIEW,
)
WELLS = (
    "run",
    "threshold",
    "origin",
    "n",
    "saves",
    "map",
    "fit",
    "neighbors",
    "distance",
    "metric",
    "umap_seed",
    "tab",
    "plane",
    "at",
    "picked",
    "page",
    *VIEW,
)
COMPARE = (
    "runs",
    "runs_of",
    "part",
    "common",
    "truth",
    "pair",
    "origin",
    "curve",
    "who",
    "defect",
    "sample",
    "position",
    "maps",
    "opacity",
    "page",
)
FOLLOW = ("run", "sample", "position", "compare", "threshold", "origin", "t")
LEARN = ("lesson", "class", "seed", "data", "set", "points", *FOLLOW)
EVERYWHERE = ("large",)
"""What every page keeps in its address."""

Option = TypeVar("Option", bound=str)

# What no longer makes sense when the key changes.
FOLLOWERS = {
    "find": ("page",),
    "by": ("page",),
    "archived": ("page",),
    "photos": ("step", "picture"),
    "root": ("category", "group", "page"),
    "sweep": ("cell",),
    "category": ("group", "page"),
    "group": ("page",),
    "run": (
        "sample",
        "position",
        "threshold",
        "origin",
        *FILTER,
        "page",
        "images",
        "picked",
        "t",
        "compare",
        "inspection",
        "image",
        "calls",
        "between",
    ),
    "inspection": ("image", "calls", "between", "position", "page"),
    "image": ("position",),
    "calls": ("page",),
    "order": ("page",),
    "between": ("page",),
    "cards": ("page",),
    "runs_of": ("runs", "common", "truth", "pair", "sample", "position", "origin", "who", "defect", "page"),
    "runs": ("common", "truth", "pair", "sample", "position", "origin", "who", "defect", "page"),
    "pair": ("who", "page"),
    "who": ("page",),
    "sample": ("position",),
    "picked": ("page",),
    "lesson": ("set", "data", "points", "seed"),
    "data": ("points",),
    "origin": ("threshold",),
    "defect": ("page",),
    "outcome": ("page",),
    "tag": ("page",),
    "range": ("page",),
    "sort": ("page",),
}

_CHOICES, _WRITTEN, _PAGE, _PARAMS = "choices", "address_written", "page_open", "page_params"
_OPENED = "run_opened"


def sync(page: str, params: tuple[str, ...]) -> None:
    """Take over what the address holds, then write into it what this page keeps. Called once at the start of a page."""
    params = (*params, *EVERYWHERE)
    session = st.session_state
    choices: dict[str, list[str]] = session.setdefault(_CHOICES, {})
    written: dict[str, list[str]] = session.get(_WRITTEN, {})
    before = session.get(_PAGE)
    is_same_page = before == page
    address = {name: st.query_params.get_all(name) for name in params}
    is_led = any(found and found != written.get(name) for name, found in address.items())
    for name, found in address.items():
        if found and found != written.get(name):
            choices[name] = found
        elif not found and is_same_page and name in written and any(address.values()):
            choices.pop(
                name, None
            )  # the back button took it away; an address with nothing at all is only a page just opened
    session[_PAGE], session[_PARAMS] = page, params
    # On coming from another page also where the address is right already: what that page wrote last may still be on its
    # way to the browser, and would replace it there. The browser passes over an address that it shows.
    # After a link from a page to itself the browser does not know the new address either.
    _write(again=before is not None and (is_led or not is_same_page))


def get(name: str) -> str | None:
    """The chosen value as text, or None."""
    values = st.session_state.get(_CHOICES, {}).get(name)
    return values[-1] if values else None


@overload
def choose(name: str, offered: Iterable[Option], otherwise: Option) -> Option: ...
@overload
def choose(name: str, offered: Iterable[Option], otherwise: None) -> Option | None: ...
def choose(name: str, offered: Iterable[Option], otherwise: Option | None) -> Option | None:
    """The chosen value if it is one of those offered."""
    wanted = get(name)
    return next((option for option in offered if option == wanted), otherwise)


def get_all(name: str) -> list[str]:
    return list(st.session_state.get(_CHOICES, {}).get(name, ()))


def get_number(name: str) -> float | None:
    """The chosen value as a finite number; anything else counts as not chosen."""
    try:
        value = float(get(name) or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def put(name: str, value: str | Iterable[str] | None) -> None:
    """Make or take back a choice. What depended on the old value is forgotten."""
    values = [] if value is None else [value] if isinstance(value, str) else list(value)
    choices = st.session_state.setdefault(_CHOICES, {})
    if choices.get(name, []) == values:
        return
    for follower in FOLLOWERS.get(name, ()):
        choices.pop(follower, None)
    choices.pop(name, None)
    if values:
        choices[name] = values
    _write()


def settle(name: str, value: str) -> None:
    """Write down the value that a page took because nothing was chosen. What depends on it stays:
    it was meant for this value.
    """
    choices = st.session_state.setdefault(_CHOICES, {})
    if choices.get(name) != [value]:
        choices[name] = [value]
        _write()


def note_opened(run_id: str) -> bool:
    """Whether this session opens this run now; a rerun, or another page of the same run, does not."""
    before, st.session_state[_OPENED] = st.session_state.get(_OPENED), run_id
    return before != run_id


def to_text(value: object) -> str | list[str] | None:
    """A widget's value as an address holds it: several values as a list, none as None."""
    if value is None or isinstance(value, str):
        return value
    return (
        [str(item) for item in value]
        if isinstance(value, list | tuple)
        else f"{value:.6g}"
        if isinstance(value, float)
        else str(value)
    )


def bound(name: str, value: object) -> dict:
    """Arguments that tie a widget to a choice: `st.selectbox("Run", ids, **bound("run", run_id))`.

    The choice is the truth: the widget shows `value` in every run, and a change is put back by a callback before the
    page runs again.
    """
    key = f"widget_{name}"
    st.session_state[key] = value

    def changed() -> None:
        put(name, to_text(st.session_state[key]))

    return {"key": key, "on_change": changed}


def address(params: tuple[str, ...], changes: Mapping[str, str | list[str] | None]) -> dict[str, list[str]]:
    """Query parameters of another page: present choices with some changed, as far as that page keeps them."""
    choices = dict(st.session_state.get(_CHOICES, {}))
    for name, value in changes.items():
        values = [] if value is None else [value] if isinstance(value, str) else list(value)
        if choices.get(name, []) != values:
            for follower in FOLLOWERS.get(name, ()):
                if follower not in changes:
                    choices.pop(follower, None)
            choices[name] = values
    return {name: choices[name] for name in (*params, *EVERYWHERE) if choices.get(name)}


def _write(again: bool = False) -> None:
    """Let the address hold what was chosen, and nothing else. again: send it even if the browser has it."""
    session = st.session_state
    choices = session[_CHOICES]
    wanted = {name: choices[name] for name in session.get(_PARAMS, ()) if choices.get(name)}
    found = {name: st.query_params.get_all(name) for name in st.query_params}
    if again or wanted != found:
        st.query_params.from_dict(wanted)
    session[_WRITTEN] = {name: list(values) for name, values in wanted.items()}
