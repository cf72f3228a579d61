"""The first line of a step: the way on, and what the step is for."""

import streamlit as st

from pages.ui import state


def show_way_on(label: str, step: str, words: str, *, can_skip: bool = False) -> None:
    """A button to the next step beside a sentence. label: empty where there is no way on yet."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if label:
            go = {"on_click": state.put, "key": "way_on", "args": ("step", step)}
            st.button(label, icon=":material/arrow_forward:", type="primary", **go)
        if can_skip:
            st.button("Skip to training", icon=":material/skip_next:", on_click=state.put, args=("step", "version"))
        st.caption(words, width="content")
