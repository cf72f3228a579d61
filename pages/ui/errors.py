"""WTFlowError -> what is wrong and what to do, on the page."""

import contextlib
import re
from collections.abc import Generator
from contextvars import ContextVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from wtflow.errors import WTFlowError
from wtflow.permission import may_train

_MARKUP = re.compile(r"([\\`*_{}\[\]<>$~|#:&])")
_BLOCKS = re.compile(r"^(?:(\d+)(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|(?:-\s*)+$|=+\s*$))")
"""Where a text would begin a list, or be a line or the mark of a heading."""
_SPACES = re.compile(r"^ +| +$| {2,}")
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that are not seen, that break a line, or that turn the direction of what follows."""
_JOINTS = re.compile(
    r"(?<![^\s])(?=(?:<->|->|<-|--|>=|<=|~=)(?!\S))(.)|(:)(?=material[/_]|streamlit:)|(www)(?=\.)|(https?:)(?=//[^/]*\.)",
    re.IGNORECASE,
)
"""Where Streamlit puts an arrow, a sign, a picture or a link in place of letters even where they are escaped."""

_ROOT = r"(?:/|[A-Za-z]:[\\/]|\\\\)"
_FOLDERS = re.compile(
    rf"""(["']){_ROOT}[^"'\n]*[\\/](?=[^"'\\/]*\1)|(?<![\w.:/\\\])])()(?:{_ROOT})(?:[^/\\\s"']+[\\/])+"""
)
"""The folders of a path that begins at a disk's root: in quotes, where it may hold blanks, or without."""


PLACE: ContextVar[DeltaGenerator | None] = ContextVar("where_the_page_draws", default=None)
"""The container of the page that was just opened, until its `shown()` takes it."""


def plain(text: str) -> str:
    """Text (a path, a name) so that Markdown shows it letter by letter, on one line.

    Characters that cannot be seen are shown as escapes. An address of electronic mail still becomes a link: what would
    prevent that could not be seen, and would be copied with a path. Who may only look sees of a path of the server its
    last part.
    """
    if _FOLDERS.search(text) and not may_train():
        text = _FOLDERS.sub(lambda found: f"{found[1] or ''}…/", text)
    text = _HIDDEN.sub(lambda found: _escape_of(found[0]), text)
    text = _JOINTS.sub(lambda found: found[0] + "\N{WORD JOINER}", text)
    text = _BLOCKS.sub(r"\1\\", _MARKUP.sub(r"\\\1", text))
    return _SPACES.sub(lambda found: "\N{WORD JOINER}" + "\N{NO-BREAK SPACE}" * len(found[0]) + "\N{WORD JOINER}", text)


def _escape_of(character: str) -> str:
    """`\\n` for a line feed, `\\x07` for a bell: as Python writes it, but a surrogate as the byte it stands for."""
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else character.encode("unicode_escape").decode()


def show_error(error: WTFlowError) -> None:
    """What is wrong, in bold, and below it what to do."""
    st.error(f"**{plain(error.message)}**  \n{plain(error.fix)}", icon=":material/error:")


@contextlib.contextmanager
def shown() -> Generator[None]:
    """Show an error meant for a person instead of raising it, and end the page (or fragment) there. The first one after
    `open_page` also draws into the page's own container.
    """
    place = PLACE.get()
    PLACE.set(None)
    with place or contextlib.nullcontext():
        try:
            yield
        except WTFlowError as error:
            show_error(error)
            st.stop()
