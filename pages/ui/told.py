"""What a picture in the browser is told to show, with a number that rises only when it must follow.

The picture shows what it last reported or, if nothing was reported since, what it was last told. While the page wants
just that, the same message is sent as before, so that a rerun costs neither traffic nor a repaint.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Told(Generic[C]):
    """The last message to a picture, and what it had reported then."""

    choice: C
    number: int
    reported: C | None


def tell(key: str, wanted: C, reported: C | None, agrees: Callable[[C, C], Any] = operator.eq) -> Told[C]:
    """The message to the picture of this key. reported: its last report, None while there is none; agrees(shown,
    wanted): whether the picture shows what the page wants.
    """
    before: Told[C] | None = st.session_state.get(f"{key}_told")
    if before is not None:
        shown = before.choice if reported == before.reported else reported
        if shown is not None and agrees(shown, wanted):
            return before
    told = Told(wanted, 1 if before is None else before.number + 1, reported)
    st.session_state[f"{key}_told"] = told
    return told
