"""Predict, then look, in a real browser: an answer is given before it can be read, the picture moves to show it, a
class hands in files; in the app and on the site.
"""

import json
import re

import pytest
from in_chromium import browser, pytestmark  # noqa: F401
from lesson_page import OpenedLesson, server  # noqa: F401
from lesson_site import SiteLesson, disk, root  # noqa: F401

from wtflow.lessons.answers import read_answers
from wtflow.lessons.predictions import all_predictions, predictions_of

KNOWN = all_predictions()
FIRST, SECOND = predictions_of("average")


class Asked:
    """The questions of an open lesson."""

    def __init__(self, lesson) -> None:
        self.lesson, self.page = lesson, lesson.page
        self.box(0).wait_for()

    def box(self, k: int):
        return self.page.locator(".predictions fieldset").nth(k)

    def answer(self, k: int, choice: int) -> None:
        self.box(k).get_by_role("radio").nth(choice).check()
        self.box(k).get_by_role("button", name="That is my answer").click()
        self.box(k).locator(".answer").wait_for()


@pytest.fixture(params=["app", "site"])
def opened(request, browser):  # noqa: F811
    """Opens an address of the lesson `average`, in the app or on the site. Answers do not outlive a test."""
    lessons = []

    def open_(query: str = "") -> Asked:
        if request.param == "app":
            lesson = OpenedLesson(browser, request.getfixturevalue("server"), f"lesson=average&{query}")
        else:
            lesson = SiteLesson(browser, request.getfixturevalue("disk"), f"average.html?{query}")
        lessons.append(lesson)
        return Asked(lesson)

    yield open_
    lessons[-1].page.evaluate("localStorage.removeItem('wtflow-answers')")
    for lesson in lessons:
        lesson.page.close()
        assert lesson.errors == []


def test_an_answer_is_hidden_until_one_has_predicted_and_then_the_picture_shows_it(opened):
    asked = opened()
    assert asked.box(0).locator(".answer").count() == 0
    assert FIRST.answer[:20] not in asked.page.locator("body").inner_text()
    assert asked.box(0).get_by_role("button").is_disabled()
    wrong = (FIRST.right + 1) % 3
    asked.answer(0, wrong)
    words = asked.box(0).inner_text()
    assert "Not so." in words and "this is right" in words and "your answer" in words
    assert asked.box(0).get_by_role("radio").nth(wrong).is_disabled()
    asked.lesson.until(" && ".join(f"v.{name} === {value}" for name, value in FIRST.look.items()))
    asked.lesson.until("q.get('set') === 'rho:-0.95'")
    assert asked.box(1).locator(".answer").count() == 0, "the other question is not answered by this one"


def test_what_was_answered_is_still_so_after_a_reload_and_can_be_predicted_again(opened):
    asked = opened()
    asked.answer(1, SECOND.right)
    again = opened()
    assert "You predicted it." in again.box(1).inner_text()
    again.box(1).get_by_role("button", name="Predict again").click()
    assert again.box(1).locator(".answer").count() == 0
    assert again.box(1).get_by_role("radio", checked=True).count() == 0


def test_a_picture_that_one_moved_shows_the_answer_again_on_request(opened):
    asked = opened()
    asked.answer(0, FIRST.right)
    asked.lesson.until("v.rho === -0.95")
    asked.page.get_by_role("button", name="Reset").click()
    asked.lesson.until("v.rho === 0 && !q.get('set')")
    asked.box(0).get_by_role("button", name="Show it in the picture").click()
    asked.lesson.until("v.rho === -0.95")


def test_by_keyboard_alone(opened):
    asked = opened()
    asked.box(0).get_by_role("radio").first.focus()
    asked.page.keyboard.press("Space")
    for _ in range(FIRST.right):
        asked.page.keyboard.press("ArrowDown")
    asked.page.keyboard.press("Tab")
    asked.page.keyboard.press("Enter")
    asked.box(0).locator(".answer").wait_for()
    assert "You predicted it." in asked.box(0).inner_text()
    focus = "e => e.getRootNode().activeElement?.textContent"
    assert asked.box(0).evaluate(focus) == "Show it in the picture"


def test_a_class_hands_in_what_it_predicted(opened, tmp_path):
    asked = opened("class=9B")
    hand = asked.page.locator(".predictions .class")
    assert hand.inner_text().startswith(f"Class 9B: 0 of {len(KNOWN)} answered")
    asked.answer(0, FIRST.right)
    asked.answer(1, (SECOND.right + 1) % 3)
    assert hand.inner_text().startswith(f"Class 9B: 2 of {len(KNOWN)} answered")
    assert asked.page.get_by_role("button", name="Predict again").count() == 0, "in a class an answer is final"
    with asked.page.expect_download() as saved:
        hand.get_by_role("button", name="Save my answers").click()
    name = saved.value.suggested_filename
    assert re.fullmatch("answers-9B-[0-9a-f]{8}.json", name)
    saved.value.save_as(tmp_path / name)
    assert set(json.loads((tmp_path / name).read_text())) == {"format", "version", "class", "student", "answers"}
    found = read_answers(tmp_path, KNOWN)
    assert found.refused == () and found.n_other == 0
    assert found.students[["class", "right", "answered"]].values.tolist() == [["9B", 1, 2]]
    alone = opened()
    assert alone.page.locator(".predictions .class").count() == 0
    assert alone.box(0).locator(".answer").count() == 0, "a class has its own answers"
