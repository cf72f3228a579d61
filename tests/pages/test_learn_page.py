"""The page of the lessons, without its picture: which lesson opens, what the address keeps, what is said. The
picture is tests/browser/test_learn_*.py.
"""

import re

import pytest
from page_runs import OpenPage

from wtflow.lessons import LESSONS
from wtflow.lessons.course import PATHS, course, read_notes
from wtflow.lessons.texts import read_lesson


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_opens_from_its_address_with_its_text(name: str, open_page: OpenPage):
    page = open_page("learn", lesson=name)
    assert not page.exception
    assert not page.error
    assert page.selectbox(key="widget_lesson").value == name
    plain = [re.sub(r"\[([^]]+)\]\(#word-[^)]*\)", r"\1", text.value) for text in page.markdown]
    assert read_lesson(name).body in plain


def test_an_address_that_names_no_lesson_opens_the_first(open_page: OpenPage):
    page = open_page("learn", lesson="calculus", data="suns", set="t:x,zz", seed="many")
    assert not page.exception
    assert page.selectbox(key="widget_lesson").value == "flow"
    assert page.selectbox(key="widget_data").value == "moons"


def test_another_sample_is_another_seed_in_the_address(open_page: OpenPage):
    page = open_page("learn", lesson="lines", seed="4")
    next(button for button in page.button if button.label == "Other sample").click().run()
    assert page.query_params["seed"] in ("5", ["5"])


def test_another_lesson_begins_at_its_start_and_keeps_the_type(open_page: OpenPage):
    page = open_page("learn", lesson="flow", set="t:0.5", data="rings", large="1")
    page.selectbox(key="widget_lesson").select("lines").run()
    assert page.query_params["lesson"] in ("lines", ["lines"])
    assert "set" not in page.query_params
    assert page.selectbox(key="widget_data").value == "moons"
    assert page.toggle[0].value


def test_one_can_walk_through_all_lessons_and_not_beyond(open_page: OpenPage):
    page, seen = open_page("learn"), []
    while True:
        assert not page.exception
        seen.append(page.selectbox(key="widget_lesson").value)
        onward = next(button for button in page.button if button.label == "Next")
        if onward.disabled:
            break
        onward.click().run()
    assert seen == list(LESSONS)


def test_drawn_points_open_from_the_address(open_page: OpenPage):
    page = open_page("learn", lesson="flow", data="drawn", points="1,2;0.5,-1")
    assert page.selectbox(key="widget_data").value == "drawn"
    assert not page.error


def test_drawn_points_that_cannot_be_read_say_what_to_do(open_page: OpenPage):
    page = open_page("learn", lesson="flow", data="drawn", points="1,2;three")
    assert "draw them again" in page.error[0].value


def test_all_checks_of_a_lesson_are_said_with_both_numbers(open_page: OpenPage):
    page = open_page("learn", lesson="flow")
    said = [text.value for text in page.markdown if ", closed form " in text.value]
    assert len(said) == 4
    assert all("✓" in text and "computed " in text for text in said)


def test_the_map_leads_to_every_lesson_and_keeps_the_class(open_page: OpenPage):
    page = open_page("learn", lesson="map", **{"class": "9B"})
    assert not page.exception
    assert [part.label for part in page.expander] == [f"{n}  {title}" for n, title in enumerate(LESSONS.values(), 1)]
    page.button(key="map_well").click().run()
    assert not page.exception
    assert page.selectbox(key="widget_lesson").value == "well"
    assert page.query_params["class"] in ("9B", ["9B"])


def test_a_code_that_is_none_is_refused_with_a_word(open_page: OpenPage):
    page = open_page("learn", lesson="map", **{"class": "../../etc"})
    assert page.text_input(key="class_code").value == ""
    page.text_input(key="class_code").set_value("a b").run()
    assert "is no code" in page.warning[0].value
    assert "class" not in page.query_params
    page.text_input(key="class_code").set_value("9B-2026").run()
    assert page.query_params["class"] in ("9B-2026", ["9B-2026"])


def test_the_course_has_a_place_and_notes_for_every_lesson_and_needs_none_that_comes_later():
    names = list(LESSONS)
    assert list(course()) == names
    for at, (name, place) in enumerate(course().items()):
        assert set(place.needs) <= set(names[:at])
        assert all(word in read_notes(name) for word in ("**Show.**", "**Ask.**", "**Often misunderstood.**"))


def test_the_paths_take_as_long_as_they_say_and_go_forward():
    assert [path.minutes for path in PATHS] == [20, 90]
    for path in PATHS:
        places = [list(LESSONS).index(name) for name in path.steps]
        assert places == sorted(places)
