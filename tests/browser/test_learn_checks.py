"""The numbers under a lesson's picture: folded to how many agree, opened by a key, and the picture stays in place."""

import json
import re

import pytest
from in_chromium import at_rest, pytestmark  # noqa: F401
from lesson_page import OpenedLesson, browser, server  # noqa: F401
from playwright.sync_api import expect

from wtflow.plots.theme import COLOURS

FOLDED = re.compile(r"\d of \d checked")


@pytest.fixture
def pairs(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=pairs&data=rings")
    yield opened
    opened.close()


def numbers(lesson: OpenedLesson) -> list[dict]:
    return [check for check in json.loads(lesson.get("checks")) if check["computed"] is not None]


def place_of_the_picture(lesson: OpenedLesson) -> list[float]:
    """Top below that of the lesson, width and height."""
    return lesson.host.evaluate(
        "e => { const { root, stage } = e.shadowRoot.lesson, box = stage.canvas.getBoundingClientRect();"
        " return [box.top - root.getBoundingClientRect().top, box.width, box.height]; }"
    )


def test_the_numbers_fold_to_how_many_agree_and_a_key_opens_them_without_moving_the_picture(pairs):
    judged = [check for check in numbers(pairs) if check["holds"] is not None]
    button = pairs.page.get_by_role("button", name=f"{len(judged)} of {len(judged)} checked")
    table = pairs.page.get_by_role("table", name="Numbers checked live")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(table).to_be_hidden()
    before = place_of_the_picture(pairs)
    button.press("Enter")
    expect(table).to_be_visible()
    at_rest(pairs.page)
    assert place_of_the_picture(pairs) == pytest.approx(before, abs=1)
    rows = table.locator("tbody tr")
    assert rows.count() == len(numbers(pairs))
    assert rows.first.locator("th").inner_text() == judged[0]["label"]
    assert float(rows.first.locator("td").nth(2).inner_text()) == pytest.approx(judged[0]["exact"], rel=1e-3)
    button.press("Enter")
    expect(table).to_be_hidden()


def test_an_opened_table_stays_open_and_follows_the_picture(pairs):
    pairs.page.get_by_role("button", name=FOLDED).click()
    table = pairs.page.get_by_role("table", name="Numbers checked live")
    pairs.page.get_by_role("radio", name="1-D", exact=True).click()
    pairs.until("v.dimension === 0 && d.checks.includes('1-D')")
    at_rest(pairs.page)
    expect(table).to_contain_text("optimal cost in 1-D")
    assert table.locator("tbody tr").count() == len(numbers(pairs))
    pairs.page.get_by_role("button", name=FOLDED).click()


def test_a_number_that_differs_is_counted_in_the_colour_of_a_warning(pairs):
    n = len([check for check in numbers(pairs) if check["holds"] is not None])
    pairs.host.evaluate(
        "e => { const { lesson } = e.shadowRoot, own = lesson.lesson.draw;"
        " lesson.lesson.draw = () => { own(); lesson.shown[0].holds = false; }; lesson.draw(); }"
    )
    button = pairs.page.get_by_role("button", name=f"{n - 1} of {n} agree")
    red, green, blue = (int(COLOURS["defect"][at : at + 2], 16) for at in (1, 3, 5))
    expect(button).to_have_css("border-top-color", f"rgb({red}, {green}, {blue})")


def test_sentences_stay_visible_beside_the_folded_numbers(browser, server):  # noqa: F811
    lesson = OpenedLesson(browser, server, "lesson=flow")
    expect(lesson.page.get_by_text("t = 0: the arrows show the value")).to_be_visible()
    expect(lesson.page.get_by_role("table", name="Numbers checked live")).to_be_hidden()
    lesson.close()
