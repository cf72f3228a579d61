"""The derivations behind lessons and scores, assets/docs/method.md, as a text with a table of contents."""

import re
from dataclasses import dataclass

import streamlit as st

from pages.ui import state
from pages.ui.frame import ASSETS

METHOD = "method"
"""What the address has in place of a lesson's name."""
FILE = ASSETS / "docs" / "method.md"
_LEFT = "learn_before_method"
"""Session key: the lesson that was open before."""
_HEADING = re.compile(r"^(##+) +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A heading with the text below it. `level` counts its #, from 2."""

    level: int
    title: str
    anchor: str
    body: str


def offer_method(lesson: str) -> None:
    """The way from a lesson to the text. A button, not a link: the address would keep what the lesson had set."""
    st.button(
        "Method: the derivations",
        icon=":material/function:",
        type="tertiary",
        help="The closed forms of the lessons, where they come from, and the scores",
        on_click=_open,
        args=(lesson,),
    )


def show_method() -> None:
    """Contents at the left, the text next to them."""
    st.button(
        "Back to the lessons",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=state.put,
        args=("lesson", st.session_state.get(_LEFT)),
    )
    if not FILE.is_file():
        st.info(
            "The text of the method is not part of this copy of the app: the file assets/docs/method.md is missing."
            " Install the app again to get it.",
            icon=":material/info:",
        )
        return
    head, sections = read_sections(FILE.read_text(encoding="utf-8"))
    contents, text = st.columns([0.25, 0.75], gap="large")
    with contents:
        st.markdown("**Contents**")
        st.markdown("\n".join(f"{'  ' * (one.level - 2)}- [{one.title}](#{one.anchor})" for one in sections))
    with text, st.container(key="method_text"):
        st.markdown(head)
        for one in sections:
            (st.header if one.level == 2 else st.subheader)(one.title, anchor=one.anchor)
            st.markdown(one.body)


def read_sections(text: str) -> tuple[str, list[Section]]:
    """What stands before the first section, without the title of the whole, and the sections in order."""
    head, *rest = _HEADING.split(text)
    triples = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    sections = [
        Section(len(marks), title.strip(), _anchor(title, number), body.strip())
        for number, (marks, title, body) in enumerate(triples, start=1)
    ]
    return re.sub(r"^# .*\n", "", head, count=1).strip(), sections


def _anchor(title: str, number: int) -> str:
    """method-5-1 for "5.1 One exact step ..."; a section without a number is counted."""
    found = re.match(r"\d+(?:\.\d+)*", title)
    return "method-" + (found[0].replace(".", "-") if found else f"part-{number}")


def _open(lesson: str) -> None:
    st.session_state[_LEFT] = lesson
    state.put("lesson", METHOD)
