"""Lessons "the shell" and "the singularity" in a real browser: what is dragged answers as the closed forms say."""

import pytest
from in_chromium import at_rest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401
from scipy.stats import chi

from wtflow.flow import exact
from wtflow.lessons import gamma, shell, singular

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""

LAW, NORMS, STRENGTH = range(3)
STEEP, PATHS, WORD, ERRORS = range(4)


def until(lesson: OpenedLesson, condition: str) -> None:
    """Wait for an expression in `v` (values), `q` (the address) and `checks` (label -> check)."""
    names = "checks = Object.fromEntries(JSON.parse(d.checks ?? '[]').map((check) => [check.label, check]))"
    lesson.until(f"(() => {{ const {names}; return {condition}; }})()")


def check_lesson(lesson: OpenedLesson) -> None:
    """No live number differs from its closed form, and a redraw takes less than 100 ms."""
    assert [check for check in lesson.checks.values() if check["holds"] is False] == []
    lesson.draws_within_100_ms()


def test_dragging_across_the_norms_moves_the_dimension_and_the_link_brings_it_back(opened):
    lesson = opened("lesson=shell")
    lesson.drag(NORMS, (2, 3), (1024, 3))
    until(lesson, "v.k === 10")
    check = lesson.checks["mean norm of 200 noises, d = 1,024"]
    assert check["exact"] == pytest.approx(chi.mean(1024), rel=1e-9)
    until(lesson, "q.get('set') === 'k:10'")
    lesson.page.get_by_role("radio", name="2", exact=True).click()
    until(lesson, "'γ of groups of 2, in the table' in checks")
    pairs = lesson.checks["γ of groups of 2, in the table"]
    assert pairs["exact"] == pytest.approx(gamma.strength_of_pairs(1024), rel=1e-9)
    assert pairs["computed"] == pytest.approx(gamma.TABLE[1024, 2][0], rel=1e-6)
    until(lesson, "q.get('set') === 'k:10,group:0'")
    check_lesson(lesson)
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.checks == lesson.checks


def test_the_strength_shown_is_the_tables_and_what_was_measured_now(opened):
    lesson = opened("lesson=shell&seed=3")
    scene = shell.prepare(3, None, {"k": 1.0, "s": 0.5, "norm": 0.0, "group": 2.0}).data
    now = next(row for row in scene["live"] if row[0] == 2 and row[1] == 64)
    assert f"measured now {now[2]:.4f}" in lesson.checks["γ"]["computed"]
    assert "in the table 0.8555" in lesson.checks["γ"]["computed"]
    lesson.drag(STRENGTH, (2, 0.01), (4096, 0.01))
    until(lesson, "v.k === 12")
    assert "in the table 0.0339" in lesson.checks["γ"]["computed"]
    check_lesson(lesson)


def test_after_a_layer_norm_all_data_lie_on_the_shell_whatever_their_thickness(opened):
    lesson = opened("lesson=shell&set=k:8,s:0.3")
    lesson.page.get_by_role("radio", name="after a layer norm").click()
    until(lesson, "'norm of data after a layer norm' in checks")
    assert lesson.checks["norm of data after a layer norm"]["computed"] == pytest.approx(16, abs=1e-5)
    check_lesson(lesson)


def test_dragging_in_the_law_moves_the_datas_thickness(opened):
    lesson = opened("lesson=shell&set=k:8")
    lesson.drag(LAW, (8, 0.1), (12.8, 0.1))
    until(lesson, "Math.abs(v.s - 0.8) < 1e-9")
    check_lesson(lesson)


def test_the_slope_meter_follows_the_scrub(opened):
    lesson = opened("lesson=singular&set=s:0.2")
    lesson.drag(STEEP, (0.01, 1), (0.3, 1))
    until(lesson, "Math.abs(v.t - 0.3) < 0.02")
    t = lesson.values["t"]
    check = lesson.checks[f"slope at t = {t:.3f}"]
    assert check["computed"] == pytest.approx(float(exact.gaussian_velocity(1.0, t, 0.0, 0.2)), rel=1e-6)
    largest = lesson.checks["largest slope"]
    assert largest["computed"] == pytest.approx(float(exact.max_slope(0.2)), rel=1e-4)
    assert lesson.checks["its time"]["exact"] == pytest.approx(float(exact.max_slope_time(0.2)))
    check_lesson(lesson)


def test_dragging_the_steps_shows_the_share_that_returns_and_the_link_brings_it_back(opened):
    lesson = opened("lesson=singular")
    lesson.drag(ERRORS, (8, 0.1), (50, 0.1))
    until(lesson, "v.steps > 40")
    n = int(lesson.values["steps"])
    label = "share that returns, and the square of the share at t = 1"
    assert lesson.checks[label]["computed"] == pytest.approx(
        singular.euler_there(n, 0.1, 0.0) * singular.euler_back(n, 0.1, 0.0), rel=1e-6
    )
    lesson.page.get_by_label("Pairs").select_option("3")
    until(lesson, "v.case === 3")
    assert lesson.checks[label]["computed"] == pytest.approx(singular.euler_there(n, 0.1, -0.999) ** 2, rel=1e-6)
    until(lesson, "(q.get('set') ?? '').includes('case:3')")
    check_lesson(lesson)
    again = opened(lesson.page.url.split("/learn?")[1])
    assert again.checks == lesson.checks


def test_finite_data_return_onto_atoms(opened):
    lesson = opened("lesson=singular&set=case:5,steps:60,t:0.04")
    checks = lesson.checks
    assert checks["slope next to an atom at t = 0.040"]["computed"] == pytest.approx(25, rel=1e-3)
    assert checks["start s next to a lone atom, after 60 steps"]["computed"] == pytest.approx(5.9)
    assert checks["median distance of a return from an atom"]["computed"] == pytest.approx(0, abs=1e-6)
    check_lesson(lesson)


def test_a_step_that_meets_the_meeting_time_is_said_to_lose_everything(opened):
    lesson = opened("lesson=singular&set=case:4,s:1,steps:4")
    assert any("A step meets t* = 0.500" in label for label in lesson.checks)
    assert lesson.errors == []


@pytest.mark.parametrize(
    "text", ["s:0.01,case:3,steps:200", "s:0.01,case:5,steps:200", "s:1,case:1,steps:1,t:1", "s:0.37,case:4,t:0"]
)
def test_the_slowest_and_the_outermost_settings_stay_quick_and_right(opened, text):
    lesson = opened(f"lesson=singular&set={text}")
    for _ in range(5):  # what was built for the first picture is kept
        lesson.page.locator("[data-lesson] canvas").focus()
        lesson.page.keyboard.press("ArrowRight")
    at_rest(lesson.page)
    check_lesson(lesson)
