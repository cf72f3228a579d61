"""Lesson "the score over time" in a real browser: its numbers are Python's, and what is dragged answers."""

import numpy as np
import pytest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401

from wtflow.lessons import score
from wtflow.lessons.base import read_settings

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""

PLANE, RATES, PARTS = range(3)


def auroc_label(name: str) -> str:
    return f"AUROC, {name}"


def check_lesson(lesson: OpenedLesson) -> None:
    """No live number differs from its closed form, every number is Python's, and a redraw takes less than 100 ms."""
    assert [check for check in lesson.checks.values() if check["holds"] is False] == []
    t, s, shift, n = score.chosen(lesson.values)
    g = score.prepare(0, None, read_settings(score.CONTROLS, None)).array("g").astype("f4").astype("f8")
    for name in score.SCORES:
        check = lesson.checks[auroc_label(name)]
        assert check["exact"] == pytest.approx(score.auroc(name, np.array([t]), s, shift, n)[0], abs=1e-5)
        assert check["computed"] == pytest.approx(score.counted(g, name, t, s, shift, n), abs=1.5e-3)
    check = lesson.checks["bias² + variance"]
    assert check["exact"] == pytest.approx(float(score.deviation(shift, t, s) + score.mismatch_variance(t, s)))
    lesson.draws_within_100_ms()


def test_dragged_defects_are_scored_anew_and_the_link_brings_them_back(opened):
    lesson = opened("lesson=score")
    check_lesson(lesson)
    lesson.drag(PLANE, (0.5, 0.6), (1.5, -0.4))
    lesson.until("Math.abs(v.dx - 1.5) < 0.06 && Math.abs(v.dy + 0.4) < 0.06")
    check_lesson(lesson)
    lesson.until("q.get('set') === d.settings")
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.values == pytest.approx(lesson.values, abs=1e-4)
    assert again.checks == lesson.checks


def test_dragging_over_the_curves_moves_t_and_arrows_move_the_defects(opened):
    lesson = opened("lesson=score&set=draws:1")
    lesson.drag(RATES, (0.5, 0.8), (0.2, 0.8))
    lesson.until("Math.abs(v.t - 0.2) < 0.02")
    lesson.drag(PARTS, (0.2, 1), (0.8, 1))
    lesson.until("Math.abs(v.t - 0.8) < 0.02")
    lesson.page.locator("[data-lesson] canvas").focus()
    lesson.page.keyboard.press("ArrowUp")
    lesson.until("Math.abs(v.dy - 0.7) < 1e-9")
    check_lesson(lesson)


@pytest.mark.parametrize(
    "corner", ["t:0", "t:1,draws:2", "s1:0.2,s2:1.5,dx:-3,dy:3", "s1:0.2,s2:0.2,dx:0,dy:0,draws:2,t:0.02"]
)
def test_the_numbers_hold_at_the_corners(opened, corner):
    check_lesson(opened(f"lesson=score&set={corner}"))
