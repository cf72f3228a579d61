"""Lesson "one step or many" in a real browser: its numbers are Python's, and what is dragged answers."""

import numpy as np
import pytest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401

from wtflow.lessons import groups, steps
from wtflow.lessons.singular import euler_there, first_order

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""

PATHS, ENDS, ERRORS = range(3)


def check_lesson(lesson: OpenedLesson) -> None:
    """No live number differs from its closed form, every number is Python's, and a redraw takes less than 100 ms."""
    checks = lesson.checks
    assert [check for check in checks.values() if check["holds"] is False] == []
    _, n, s, means, x = steps.chosen(lesson.values)
    end = float(groups.end(np.array([x]), means, s)[0])
    assert checks["score after one Euler step"]["computed"] == pytest.approx(0, abs=1e-9)
    assert checks["exact end, by quantiles"]["exact"] == pytest.approx(end, abs=1e-6)
    if len(means) == 1:
        label = f"end of {n} Euler step{'' if n == 1 else 's'}, by their product"
        assert checks[label]["computed"] == pytest.approx(euler_there(n, s, 0.0) * end, abs=1e-6)
        if "error × N at N = 512, C" in checks:
            assert checks["error × N at N = 512, C"]["exact"] == pytest.approx(first_order(s, 0.0))
            lost = 512 * steps.share_lost(512, means, s)
            assert checks["error × N at N = 512, C"]["computed"] == pytest.approx(lost, rel=1e-4)
    else:
        ratio = steps.share_lost(256, means, s) / steps.share_lost(512, means, s)
        assert checks["error of 256 steps over that of 512"]["computed"] == pytest.approx(ratio, rel=1e-4)
    lesson.draws_within_100_ms()


def test_a_dragged_start_and_number_of_steps_are_answered_and_the_link_brings_them_back(opened):
    lesson = opened("lesson=steps")
    check_lesson(lesson)
    lesson.drag(PATHS, (0.1, 1.6), (0.4, -1.0))
    lesson.until("Math.abs(v.t - 0.4) < 0.02 && Math.abs(v.x + 1) < 0.06")
    check_lesson(lesson)
    lesson.drag(ENDS, (-1.0, 0), (0.5, 0))
    lesson.until("Math.abs(v.x - 0.5) < 0.06")
    lesson.drag(ERRORS, (4, 0.1), (30, 0.1))
    lesson.until("v.steps > 20")
    check_lesson(lesson)
    lesson.until("q.get('set') === d.settings")
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.checks == lesson.checks


def test_straightened_pairs_and_the_average_velocity_need_one_step(opened):
    lesson = opened("lesson=steps&set=data:0,steps:1,t:0.3")
    assert "one step from t, −t · score function" in lesson.checks
    for name, value in (("straightened pairs", 1), ("average velocity", 2)):
        lesson.page.get_by_role("radio", name=name).click()
        lesson.until(f"v.field === {value} && d.checks.includes('lost at N = 1: nothing')")
        check_lesson(lesson)
    average = lesson.checks["x at t + (1 − t) · average of v"]
    assert average["computed"] == pytest.approx(1.1 / 0.3, abs=1e-2)


def test_arrows_move_the_start_and_the_number_of_steps(opened):
    lesson = opened("lesson=steps")
    lesson.page.locator("[data-lesson] canvas").focus()
    lesson.page.keyboard.press("ArrowUp")
    lesson.page.keyboard.press("ArrowRight")
    lesson.until("Math.abs(v.x - 1.7) < 1e-9 && v.steps === 5")
    check_lesson(lesson)


@pytest.mark.parametrize(
    "corner", ["s:0.1,steps:64,data:0", "t:1,s:1,x:-3", "data:0,x:3,s:0.1,t:0.9,field:2", "field:1,steps:1,s:0.1,x:0"]
)
def test_the_numbers_hold_at_the_corners(opened, corner):
    check_lesson(opened(f"lesson=steps&set={corner}"))
