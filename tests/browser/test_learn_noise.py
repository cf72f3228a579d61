"""Lesson "noise on the way" in a real browser: its numbers are Python's, and what is dragged answers."""

import numpy as np
import pytest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401

from wtflow.lessons import groups, noise

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""

WAYS, LAW, ENDS = range(3)
SLOPE, FIELD, SQUARE = (
    "score function at the blue dot",
    "v there, −(x + t · score function)/(1 − t)",
    "mean square of the SDE's crowd",
)
MEMORY, END = "SDE's correlation of start and end, e^(−πg²/4s)", "the flow's end, by quantiles"


def check_lesson(lesson: OpenedLesson) -> None:
    """No live number differs from its closed form, closed forms are Python's, and a redraw takes less than 100 ms."""
    checks = lesson.checks
    assert [check for check in checks.values() if check["holds"] is False] == []
    t, g, s, means, is_back = noise.chosen(lesson.values)
    n, x = int(lesson.values["steps"]), np.array([lesson.values["x"]])
    k = int(np.floor((1 - t if is_back else t) * n + 0.5))
    place = noise.travel(x, 0.0, n, means, s, is_back, np.random.default_rng(0))[k]
    if SLOPE in checks:
        assert checks[SLOPE]["computed"] == pytest.approx(groups.slope(place, t, means, s)[0], rel=1e-6, abs=1e-9)
    if FIELD in checks:
        assert checks[FIELD]["computed"] == pytest.approx(groups.velocity(place, t, means, s)[0], rel=1e-6, abs=1e-9)
    assert checks[SQUARE]["exact"] == pytest.approx(groups.mean_square(1 - k / n if is_back else k / n, means, s))
    assert (MEMORY in checks) == (len(means) == 1)
    if MEMORY in checks:
        assert checks[MEMORY]["exact"] == pytest.approx(noise.memory(g, s))
    if END in checks:
        assert checks[END]["exact"] == pytest.approx(groups.end(x, means, s)[0], abs=1e-6)
    lesson.draws_within_100_ms()


def test_a_dragged_start_and_time_are_answered_and_the_link_brings_them_back(opened):
    lesson = opened("lesson=noise&set=steps:50")
    check_lesson(lesson)
    lesson.drag(WAYS, (0.5, 1.0), (0.3, -0.6))
    lesson.until("Math.abs(v.t - 0.3) < 0.02 && Math.abs(v.x + 0.6) < 0.06")
    lesson.drag(ENDS, (-0.6, 0), (0.4, 0))
    lesson.until("Math.abs(v.x - 0.4) < 0.06")
    check_lesson(lesson)
    lesson.until("q.get('set') === d.settings")
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.checks == lesson.checks


def test_more_noise_is_drawn_while_the_slider_moves_and_the_end_forgets(opened):
    lesson = opened("lesson=noise&set=data:0")
    slider, remembered = lesson.page.get_by_label("Noise g"), []
    slider.focus()
    for key in ("Home", "End"):
        slider.press(key)
        lesson.until("v.g === 0" if key == "Home" else "v.g === 1.5")
        remembered.append(lesson.checks[MEMORY]["computed"])
        check_lesson(lesson)
    assert remembered[0] == pytest.approx(1, abs=1e-3)
    assert abs(remembered[1]) < 0.25


def test_on_the_way_back_play_runs_backward_and_the_arrows_move_the_start(opened):
    lesson = opened("lesson=noise&set=t:0.3")
    lesson.page.get_by_role("radio", name="noise → data").click()
    lesson.until("v.way === 1")
    lesson.page.locator("[data-lesson] canvas").focus()
    lesson.page.keyboard.press("ArrowUp")
    lesson.until("Math.abs(v.x - 1.5) < 1e-9")
    lesson.page.get_by_role("button", name="Play").click()
    lesson.until("v.t < 0.2")
    lesson.page.get_by_role("button", name="Pause").click()
    lesson.until("d.playing === 'false'")
    check_lesson(lesson)


@pytest.mark.parametrize(
    "corner",
    ["t:0,g:1.5,s:0.2,steps:10", "t:1,g:0", "data:0,g:1.5,s:0.2,steps:10,t:0.2,x:-3", "way:1,t:0,x:3,g:1.5,s:1"],
)
def test_the_numbers_hold_at_the_corners(opened, corner):
    check_lesson(opened(f"lesson=noise&set={corner}"))
