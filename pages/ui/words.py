"""Words of the method: their first use on a page opens their entry in *Words*, the glossary of the page *Learn*.

    st.markdown(glossed("Defects escape from the well."))

marks the first use of each word with a quiet dotted underline. It is a link, so the keyboard reaches it, too.
"""

import re
from contextvars import ContextVar
from functools import cache
from typing import Final

import streamlit as st
from streamlit.components.v2 import component

from wtflow.machine.places import ASSETS

GLOSSARY: Final = ASSETS / "learn" / "glossary.md"

FORMS: Final = {
    "position": r"positions?",
    "feature": r"features?",
    "shell": r"shells?",
    "well": r"(?<=\bthe )well|(?<=\ba )well|(?<=\bno )well",  # "how well" is another word
    "escape": r"escape[sd]?",
}
"""Word -> how it is written in sentences."""

# Nothing is marked inside of a link, a formula or code.
_SPARED: Final = r"\[[^\]]*\]\([^)]*\)|\$[^$]*\$|`[^`]*`"
_FOUND: Final = re.compile(
    f"(?P<spared>{_SPARED})|" + "|".join(f"(?P<{word}>\\b(?:{form})\\b)" for word, form in FORMS.items())
)

_SEEN: ContextVar[set[str] | None] = ContextVar("words_seen_on_this_page", default=None)


@cache
def entries() -> dict[str, str]:
    """Word -> its entry, of the words that pages mark."""
    rows = re.findall(r"^\| \*\*(\w+)\*\*[^|]*\| (.+) \|$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    return {word: entry for word, entry in rows if word in FORMS}


def begin_page() -> None:
    """No word has been used yet."""
    _SEEN.set(set())


def glossed(text: str) -> str:
    """The same Markdown with the first use of each word marked, unless the page has marked it before."""
    seen = _SEEN.get()
    seen = set() if seen is None else seen  # a part of a page that is drawn again alone

    def mark(found: re.Match[str]) -> str:
        word = found.lastgroup or ""
        if word == "spared" or word in seen:
            return found[0]
        seen.add(word)
        return f"[{found[0]}](#word-{word})"

    return _FOUND.sub(mark, text)


_mount = component("wtflow_words", js=(ASSETS / "words.js").read_text(encoding="utf-8"))


def mount_words() -> None:
    """What opens the entries in the browser, once per page."""
    with st.container(key="words_card"):
        _mount(key="words", data={"entries": entries(), "learn": "learn"})
