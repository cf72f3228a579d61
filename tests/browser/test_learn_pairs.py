"""Lessons "who pairs with whom" and "crossing paths average" in a real browser: what is dragged answers as the
closed forms say.
"""

import itertools
import re

import numpy as np
import pytest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401
from waiting import wait_until

from wtflow.lessons import average, pairs
from wtflow.lessons.base import DATA_SETS, read_settings

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""


def check_lesson(lesson: OpenedLesson) -> None:
    """Every live number agrees, and a redraw takes less than 100 ms."""
    wrong = [check for check in lesson.checks.values() if not check["holds"]]
    assert wrong == []
    lesson.draws_within_100_ms()


def until(lesson: OpenedLesson, condition: str) -> None:
    """Wait for an expression in `v` (values) and `checks` (label -> check)."""
    names = "checks = Object.fromEntries(JSON.parse(d.checks).map((check) => [check.label, check]))"
    lesson.until(f"(() => {{ const {names}; return {condition}; }})()")


def scene_of(seed: int = 0):
    return pairs.prepare(
        seed, DATA_SETS["moons"](256, np.random.default_rng(seed)), read_settings(pairs.CONTROLS, "")
    ).data


def test_the_browser_finds_the_costs_that_scipy_finds(opened):
    lesson, scene = opened("lesson=pairs"), scene_of()
    checks = lesson.checks
    found = [checks[f"{kind} cost, by SciPy"]["computed"] for kind in ("optimal", "worst")]
    assert found == pytest.approx(scene["costs"][1, -1], rel=1e-6)
    check_lesson(lesson)


def test_a_dragged_point_is_paired_anew_at_once_and_the_link_brings_it_back(opened):
    lesson, scene = opened("lesson=pairs"), scene_of()
    x, z = scene["x"], scene["z"]
    far = int(np.argmax(x[:, 0]))
    before = lesson.checks["worst cost, by inner products"]["computed"]
    lesson.page.mouse.move(*lesson.pixel(1, *x[far].tolist()))
    lesson.page.mouse.down()
    lesson.page.mouse.move(*lesson.pixel(1, 2.5, -2.5), steps=4)
    until(
        lesson, f"checks['worst cost, by inner products'].computed > {before} + 1"
    )  # while the point is held, and the page knows nothing
    assert "worst cost, by SciPy" not in lesson.checks
    heights = itertools.cycle((-2.3, -2.35, -2.4, -2.45))

    def answers_within_100_ms() -> bool:
        lesson.page.mouse.move(*lesson.pixel(1, 2.5, next(heights)))
        return float(lesson.get("answer-ms")) < 100

    wait_until(answers_within_100_ms)  # the machine may have other things to do
    lesson.page.mouse.move(*lesson.pixel(1, 2.5, -2.5))
    lesson.page.mouse.up()
    lesson.page.wait_for_url("**points=**")
    until(lesson, "'worst cost, by SciPy' in checks")  # the page has answered with SciPy's costs of the moved points
    moved = x.copy()
    moved[far] = [2.5, -2.5]
    checks = lesson.checks
    for kind in ("optimal", "worst"):
        cost = pairs.total_cost(moved, z, pairs.pair(moved, z, kind, 64, np.arange(64)))
        assert checks[f"{kind} cost, by SciPy"]["computed"] == pytest.approx(cost, rel=0.01), (
            "the pointer lies within a pixel of the place"
        )
    check_lesson(lesson)
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.checks == lesson.checks


def test_with_batches_of_one_all_three_couplings_are_the_same(opened):
    lesson, scene = opened("lesson=pairs"), scene_of()
    own = np.square(scene["x"] - scene["z"]).sum()
    lesson.page.get_by_label("Batch size").focus()
    lesson.page.keyboard.press("Home")
    until(lesson, "v.batch === 1 && 'worst cost, by SciPy' in checks")
    checks = lesson.checks
    assert checks["optimal cost, by SciPy"]["computed"] == pytest.approx(own, rel=1e-6)
    assert checks["worst cost, by SciPy"]["computed"] == pytest.approx(own, rel=1e-6)
    lesson.page.wait_for_url("**set=batch**")
    check_lesson(lesson)


def test_in_one_dimension_worst_lines_all_cross_and_sorting_gives_the_costs(opened):
    lesson, scene = opened("lesson=pairs"), scene_of()
    lesson.page.get_by_role("radio", name="1-D").click()
    until(lesson, "'optimal cost in 1-D, against pairing sorted with sorted' in checks")
    line, noise = np.sort(scene["x"][:, 0]), np.sort(scene["z"][:, 0])
    checks = lesson.checks
    assert checks["optimal cost in 1-D, against pairing sorted with sorted"]["computed"] == pytest.approx(
        np.square(line - noise).sum(), rel=1e-5
    )
    assert checks["worst cost in 1-D, against pairing sorted with reversed"]["computed"] == pytest.approx(
        np.square(line - noise[::-1]).sum(), rel=1e-5
    )
    equal = sum(count * (count - 1) // 2 for count in np.unique(line, return_counts=True)[1])
    assert checks["worst crossings inside batches"]["computed"] == 64 * 63 // 2 - equal
    lesson.drag(2, (0, float(line[-1])), (0, -3))
    lesson.page.wait_for_url("**points=**")
    for label in ("worst cost in 1-D, against pairing sorted with reversed", "worst crossings inside batches"):
        until(lesson, f"checks['{label}'].holds")
    check_lesson(lesson)


STEP, MANY, MEAN = (
    "one Euler step from x, ρ (x − m) / s",
    "many steps from x, (x − m) / s",
    "mean of the lines through (t, x), the field",
)
CROSS, WIDTH = "two lines cross at, t* = s / (1 + s)", "width of all lines at t*"


def test_rho_turns_the_one_step_but_not_the_many(opened):
    lesson = opened("lesson=average&set=s:0.5,x:2")  # m = 0.5: three thicknesses off
    assert lesson.checks[STEP]["computed"] == pytest.approx(0)
    assert lesson.checks[MANY]["computed"] == pytest.approx(3, abs=1e-4)
    slider = lesson.page.get_by_label("Correlation")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowLeft")
    until(lesson, "v.rho === -0.5")
    assert lesson.checks[STEP]["computed"] == pytest.approx(-1.5)
    assert lesson.checks[MANY]["computed"] == pytest.approx(3, abs=1e-4)
    slider.press("End")
    until(lesson, "v.rho === 1")
    assert lesson.checks[STEP]["computed"] == pytest.approx(3)
    check_lesson(lesson)
    slider.press("Home")
    until(lesson, "v.rho === -1")
    assert lesson.checks[STEP]["computed"] == pytest.approx(-3)
    assert MANY not in lesson.checks, "past the meeting point there is no way on"
    assert lesson.checks[CROSS]["computed"] == pytest.approx(1 / 3)
    assert lesson.checks[WIDTH]["computed"] == pytest.approx(0, abs=1e-6)
    check_lesson(lesson)


def test_dragging_in_the_lines_shows_their_mean_there_and_the_link_keeps_the_place(opened):
    """Independent, s = 0.5, m = 0.5, at t = 0.5: the slope of v is (0.5 - 0.5 * 0.25) / (0.25 * 0.25 + 0.25) = 1.2
    around x = 0.25.
    """
    lesson = opened("lesson=average&set=s:0.5")
    lesson.drag(0, (0.2, 0.0), (0.5, -1.0))
    until(lesson, "v.t === 0.5 && v.x === -1")
    assert lesson.checks[MEAN]["computed"] == pytest.approx(-0.5 + 1.2 * (-1 - 0.25), abs=1e-6)
    lesson.page.wait_for_url(re.compile("x(:|%3A)-1"))
    check_lesson(lesson)
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.values == lesson.values
    assert again.checks == lesson.checks


@pytest.mark.parametrize(
    "corner", ["rho:-1,s:1,steps:10,t:0.5,x:3", "rho:-1,s:0.1,t:1", "rho:-0.95,s:0.1,x:-3,steps:64", "rho:1,s:2,t:0"]
)
def test_the_family_holds_at_its_corners(opened, corner):
    lesson = opened(f"lesson=average&set={corner}")
    assert lesson.values == read_settings(average.CONTROLS, corner)
    assert len(lesson.checks) >= 3
    check_lesson(lesson)
