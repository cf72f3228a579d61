"""What a change did, or why it could not be made, kept for the next run of the page that shows it."""

from collections.abc import Iterable

import streamlit as st

from pages.ui.errors import plain, show_error
from wtflow.errors import WTFlowError

_SAID = "intake_said"


def say(words: Iterable[str]) -> None:
    """Sentences to show once, the first one above the others."""
    st.session_state[_SAID] = tuple(words)


def fail(error: WTFlowError) -> None:
    """An error to show once, from within a callback."""
    st.session_state[_SAID] = error


def show_said() -> None:
    """What was said last, once."""
    said = st.session_state.pop(_SAID, None)
    if isinstance(said, WTFlowError):
        show_error(said)
    elif said:
        first, *others = (plain(one) for one in said)
        text = "\n".join([f"**{first}**", *(f"- {one}" for one in others)])
        (st.warning if others else st.success)(text, icon=":material/info:" if others else ":material/check_circle:")
