"""Lesson "conditional and marginal" in a real browser: the probe, its weights and mean, t = 0, and links."""

import numpy as np
import pytest
from in_chromium import at_rest
from in_chromium import pytestmark as in_chromium
from lesson_page import OpenedLesson, browser, server  # noqa: F401

from wtflow.flow.exact import finite_velocity
from wtflow.lessons.base import choose_points

pytestmark = [*in_chromium, pytest.mark.slow]
"""Its arithmetic is tested without a browser in each run of the tests; these drive its picture."""

MEAN = "x of the lines' mean velocity"


@pytest.fixture
def grid(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=lines&data=grid&set=t:0.4")
    yield opened
    opened.close()


def field_at(x: float, y: float, t: float) -> np.ndarray:
    return finite_velocity(np.array([[x, y]]), t, choose_points("grid", None, 0).astype(np.float32))[0]


def test_a_click_moves_the_place_and_the_mean_of_its_lines_is_the_field_there(grid):
    grid.drag(0, (-1.2, 0.8))
    grid.until("Math.abs(v.px + 1.2) < 0.03 && q.get('set')?.includes('px:-1.')")
    x, y = grid.values["px"], grid.values["py"]
    closed = field_at(x, y, 0.4)
    assert [grid.checks[MEAN]["computed"], grid.checks["y"]["computed"]] == pytest.approx(closed.tolist(), abs=1e-6)
    assert grid.checks[MEAN]["holds"] and grid.checks["y"]["holds"]


def test_hovering_answers_at_once_and_leaving_shows_the_chosen_place_again(grid):
    at_rest = grid.checks[MEAN]["computed"]
    grid.page.mouse.move(*grid.pixel(0, 1.5, 1.5))
    grid.until(f"Math.abs(JSON.parse(d.checks)[0].computed - {at_rest}) > 0.01")
    assert grid.checks[MEAN]["computed"] == pytest.approx(field_at(1.5, 1.5, 0.4)[0], abs=0.05)
    grid.page.mouse.move(5, 300)
    grid.until(f"Math.abs(JSON.parse(d.checks)[0].computed - {at_rest}) < 1e-9")


def test_at_t_0_it_says_that_the_value_is_shown_and_that_the_limit_at_a_data_point_is_0(grid):
    grid.page.get_by_role("slider", name="Time").press("Home")
    grid.until("v.t === 0")
    checks = grid.checks
    assert any("shown is the value v(x, 0) = E[noise] − x = −x" in label for label in checks)
    assert checks["|v(x, 0)|"]["computed"] == pytest.approx(np.hypot(0.6, 0.5))
    limit = next(check for label, check in checks.items() if label.startswith("limit"))
    assert abs(limit["computed"]) < 1e-6


def test_a_link_restores_place_time_and_data(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=lines&data=letters&seed=3&set=t:0.8,px:-0.5,py:1.25,field:1")
    assert opened.values == {"t": 0.8, "field": 1, "px": -0.5, "py": 1.25}
    closed = finite_velocity(np.array([[-0.5, 1.25]]), 0.8, choose_points("letters", None, 3).astype(np.float32))[0]
    assert opened.checks[MEAN]["computed"] == pytest.approx(closed[0], abs=1e-6)
    opened.close()


def test_arrow_keys_move_the_place(grid):
    grid.page.get_by_role("application").focus()
    grid.page.keyboard.press("ArrowRight")
    grid.page.keyboard.press("ArrowDown")
    grid.until("Math.abs(v.px - 0.65) < 1e-9 && Math.abs(v.py - 0.45) < 1e-9")
    grid.until("q.get('set')?.includes('px:0.65')")


def test_a_rerun_of_the_page_leaves_the_picture_alone_while_a_person_points(grid):
    grid.drag(0, (0.2, 0.2))
    grid.until("q.get('set')?.includes('px:0.')")
    at_the_place = grid.checks[MEAN]["computed"]
    grid.page.mouse.move(*grid.pixel(0, 1.5, 1.5))
    grid.until(f"Math.abs(JSON.parse(d.checks)[0].computed - {at_the_place}) > 0.01")
    shown = grid.checks[MEAN]["computed"]
    at_rest(grid.page)
    assert grid.checks[MEAN]["computed"] == shown
