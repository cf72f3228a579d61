"""The map of the lessons in the app: what each one needs and gives, two paths, notes for teachers, a class's code."""

import streamlit as st
from streamlit.components.v2 import component

from pages.ui import state
from pages.ui.learn.predict import class_of
from wtflow.lessons import LESSONS
from wtflow.lessons.course import PATHS, CoursePath, course, read_notes
from wtflow.lessons.course_map import draw_map

MAP = "map"
"""What the address has in place of a lesson's name."""
_NUMBER = {name: number for number, name in enumerate(LESSONS, start=1)}
_HOW = (
    "Students open the lessons at an address that ends in this code. What they predict stays in their browser, final"
    " once it is given. At the end each saves a file, without a name, and hands it in. Join the files of a folder to a"
    " table and a bar chart:"
)

_mount_map = component("wtflow_course_map", html=draw_map())


def show_course() -> None:
    """The map, then a line for each lesson, the paths, the class, and the notes."""
    st.markdown("**Which lesson builds on which**")
    _mount_map(key="course_map")
    lessons, teachers = st.columns([0.56, 0.44], gap="large")
    with lessons:
        for name in LESSONS:
            _show_line(name)
    with teachers:
        for path in PATHS:
            _show_path(path)
        _show_class()
    st.markdown("**Notes for teachers**")
    for name, title in LESSONS.items():
        with st.expander(f"{_NUMBER[name]}  {title}"):
            st.markdown(read_notes(name))


def _show_line(name: str) -> None:
    place = course()[name]
    needs = ", ".join(str(_NUMBER[one]) for one in place.needs)
    title, words = st.columns([0.4, 0.6], vertical_alignment="center")
    title.button(
        f"{_NUMBER[name]}  {LESSONS[name]}",
        key=f"map_{name}",
        width="stretch",
        on_click=state.put,
        args=("lesson", name),
    )
    words.markdown(f"Gives: {place.gives}  \n:gray[{place.minutes} min{f' · needs {needs}' if needs else ''}]")


def _show_path(path: CoursePath) -> None:
    st.markdown(f"**{path.title}.** {path.words}")
    st.markdown(" → ".join(f"{_NUMBER[name]} {LESSONS[name]} ({n} min)" for name, n in path.steps.items()))


def _show_class() -> None:
    st.markdown("**A class.** " + _HOW)
    st.code("python -m wtflow lesson --answers FOLDER", language="bash")
    code = st.text_input(
        "Code of the class",
        class_of(state.get("class")),
        max_chars=20,
        placeholder="Letters, digits, hyphens",
        width=260,
        key="class_code",
        on_change=_keep_class,
    )
    if code and not class_of(code):
        st.warning(f"{code!r} is no code: use letters, digits and hyphens, a letter or digit first.")
    elif code:
        st.caption(f"The address of this page now ends with class={code}. Send it, or add it to any lesson's address.")


def _keep_class() -> None:
    state.put("class", class_of(st.session_state["class_code"]) or None)
