"""WTFlowError -> what is wrong and what to do, on the page."""

import contextlib
import re
from collections.abc import Generator

import streamlit as st

from wtflow.errors import WTFlowError

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>$~|#:&])")


def plain(text: str) -> str:
    """Text (a path, a name) so that Markdown shows it letter by letter."""
    return _MARKDOWN.sub(r"\\\1", text)


def show_error(error: WTFlowError) -> None:
    """What is wrong, in bold, and below it what to do."""
    st.error(f"**{plain(error.message)}**  \n{plain(error.fix)}", icon=":material/error:")


@contextlib.contextmanager
def shown() -> Generator[None]:
    """Show an error meant for a person instead of raising it, and end the page (or fragment) there."""
    try:
        yield
    except WTFlowError as error:
        show_error(error)
        st.stop()
