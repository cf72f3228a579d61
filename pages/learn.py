"""What is flow matching, and why does the worst transport make a well? Lessons to touch, each number checked."""

import streamlit as st

from pages.ui import state
from pages.ui.errors import shown
from pages.ui.frame import is_large, link, open_page
from pages.ui.learn.course import MAP, show_course
from pages.ui.learn.features import show_features
from pages.ui.learn.lesson import lesson_state, show_lesson
from pages.ui.learn.method import METHOD, offer_method, show_method
from pages.ui.learn.predict import class_of, show_predictions
from pages.ui.words import glossed
from wtflow.lessons import LESSONS, load_lesson
from wtflow.lessons.base import (
    DATA_SETS,
    DATA_TITLES,
    OWN,
    Check,
    choose_points,
    encode_scene,
    read_settings,
    write_settings,
)
from wtflow.lessons.texts import FOLDER, SOURCES, read_glossary, read_lesson
from wtflow.store.runs import RunStore

MAP_HELP = "Which lesson builds on which; paths, notes and a code for a class"


def main(store: RunStore) -> None:
    if state.get("lesson") == METHOD:
        show_method()
    elif state.get("lesson") == MAP:
        show_course()
    else:
        show_page(store)


def show_page(store: RunStore) -> None:
    """One lesson: its choice, text, picture and checks."""
    name = state.choose("lesson", LESSONS, next(iter(LESSONS)))
    lesson, seed = load_lesson(name), max(0, int(state.get_number("seed") or 0))
    settings = read_settings(lesson.CONTROLS, state.get("set"))
    data = choose_data(lesson.DATA)
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_head"):
        show_way(name)
        if lesson.DATA:
            options = [*lesson.DATA, *([OWN] if data == OWN else [])]
            st.selectbox(
                "Data", options, format_func=lambda key: DATA_TITLES[key], width=160, **state.bound("data", data)
            )
        if lesson.CONTROLS:
            other = {
                "help": "Other random points and noise: the next seed",
                "on_click": state.put,
                "args": ("seed", str(seed + 1)),
            }
            st.button("Other sample", icon=":material/casino:", **other)
        checks = st.container(width="content")
        st.button("Map", icon=":material/account_tree:", help=MAP_HELP, on_click=state.put, args=("lesson", MAP))
        with st.popover("Words", icon=":material/menu_book:", help="What every word and symbol means"):
            st.markdown(read_glossary())
    own = (state.get("points") or "") if data == OWN else ""
    points = choose_points(data, own, seed) if lesson.DATA else None
    scene = lesson.prepare(seed, points, settings)
    with checks:
        show_checks(scene.checks)

    def keep() -> None:
        found = lesson_state(name)
        if found is None:
            return
        if lesson.DATA and found.points != own:
            state.put("data", OWN if found.points else lesson.DATA[0])
            state.put("points", found.points or None)
        state.settle("lesson", name)
        state.put("set", write_settings(lesson.CONTROLS, found.settings) or None)

    def look(shown: dict[str, float]) -> None:
        known = {control.name for control in lesson.CONTROLS}
        wanted = settings | {key: value for key, value in shown.items() if key in known}
        state.settle("lesson", name)
        state.put("set", write_settings(lesson.CONTROLS, wanted) or None)

    with st.container(key="lesson_body"):
        words, picture = st.columns([0.3, 0.7] if is_large() else [0.25, 0.75], gap="medium")
        with words:
            show_text(name)
            show_predictions(name, class_of(state.get("class")), look)
            show_sources(name)
        with picture:
            if name == "features":
                show_features(store)
            else:
                show_lesson(
                    name,
                    encode_scene(scene, settings),
                    lesson.CONTROLS,
                    on_change=keep,
                    points=own,
                    alt=f"Picture of the lesson: {LESSONS[name]}",
                )
            show_onward(name)


def choose_data(offered: tuple[str, ...]) -> str:
    """The data set that the address names, as far as the lesson offers it; drawn points only where there are some."""
    wanted = state.get("data")
    if wanted == OWN and offered and state.get("points"):
        return OWN
    return wanted if wanted in offered and wanted in DATA_SETS else offered[0] if offered else ""


def show_way(name: str) -> None:
    """The lesson's name to choose by, and the ways back and on."""
    names = list(LESSONS)
    at = names.index(name)
    label = {key: f"{number}  {title}" for number, (key, title) in enumerate(LESSONS.items(), start=1)}
    st.selectbox("Lesson", names, format_func=label.__getitem__, width=290, **state.bound("lesson", name))
    with st.container(horizontal=True, width="content", key="lesson_way"):
        # Buttons, not links: following a link to the page that is open leaves the old address in the browser.
        for words, icon, there in (
            ("Back", ":material/arrow_back:", at - 1),
            ("Next", ":material/arrow_forward:", at + 1),
        ):
            other = names[there] if 0 <= there < len(names) else name
            st.button(
                words, icon=icon, help=label[other], disabled=other == name, on_click=state.put, args=("lesson", other)
            )


def show_checks(checks: tuple[Check, ...]) -> None:
    """How many of the lesson's numbers agree with their references; opened, each of them."""
    if not checks:
        return
    n_held = sum(check.holds for check in checks)
    icon = ":material/task_alt:" if n_held == len(checks) else ":material/error:"
    with st.popover(
        f"Checked: {n_held} of {len(checks)}", icon=icon, help="Numbers of this lesson next to their closed forms"
    ):
        for check in checks:
            st.markdown(
                f"{':green[✓]' if check.holds else ':red[✗]'} **{check.label}**  \n{check.words} "
                f" \n:gray[{check.source}]"
            )


def show_text(name: str) -> None:
    """The lesson in words."""
    st.markdown(glossed(read_lesson(name).body))


def show_sources(name: str) -> None:
    st.caption(SOURCES)
    offer_method(name)


def show_onward(name: str) -> None:
    """From the toy to a person's own run."""
    if name == "well":
        with st.container(horizontal=True):
            link("trajectories", "Features of a run on their way", icon=":material/route:")
            link("wells", "Where they end", icon=":material/adjust:")


store = open_page("learn")
st.html(FOLDER / "page.css")
with shown():
    main(store)
