"""Lesson "the well and the escape" in a real browser: dragged anomalies score as the network does in Python;
training; the link.
"""

import numpy as np
import pytest
from in_chromium import at_rest, new_page, pytestmark  # noqa: F401
from lesson_page import OpenedLesson, browser, opened, server  # noqa: F401

from wtflow.lessons import small_net, well
from wtflow.lessons.base import DATA_SETS, N_POINTS

SCORE = "Learned one-step score of A, against a quarter of |learned − exact|² there at t = 0"
SLOPE = "Slope of the loss along one weight: backpropagation, difference quotient"


def weights_of(name: str, kind: int) -> np.ndarray:
    points = DATA_SETS[name](N_POINTS, np.random.default_rng(0)).astype(np.float32)
    return well.stored_weights(points)[kind]


def score_at(lesson, name: str, kind: int) -> float:
    """One-step score of A by Python, where the browser has it now."""
    values = lesson.values
    return float(well.one_step_score(weights_of(name, kind), np.array([[values["ax"], values["ay"]]]))[0])


def notes(lesson) -> str:
    return "\n".join(label for label, check in lesson.checks.items() if check["computed"] is None)


@pytest.mark.slow
def test_a_dragged_anomaly_is_scored_as_the_same_network_scores_it_in_python_and_the_link_brings_it_back(opened):
    lesson = opened("lesson=well&data=rings&set=coupling:2")
    before = lesson.checks[SCORE]["computed"]
    assert before == pytest.approx(score_at(lesson, "rings", 2), rel=1e-4)
    start = lesson.values
    lesson.drag(0, (start["ax"], start["ay"]), (-3.5, -2.5))
    lesson.until("Math.abs(v.ax + 3.5) < 0.1 && Math.abs(v.ay + 2.5) < 0.1")
    after = lesson.checks[SCORE]["computed"]
    assert after == pytest.approx(score_at(lesson, "rings", 2), rel=1e-4)
    assert after != pytest.approx(before, rel=0.05)
    lesson.until("(q.get('set') ?? '').includes('ax:')")
    values = lesson.values
    again = opened(lesson.page.url.split("?")[1])
    assert again.values == pytest.approx(values, abs=1e-4)
    assert again.checks[SCORE]["computed"] == pytest.approx(after, rel=1e-4)
    assert [label for one in (lesson, again) for label, check in one.checks.items() if check["holds"] is False] == []


@pytest.mark.slow
def test_a_click_beside_an_anomaly_brings_it_there_also_in_the_map(opened):
    lesson = opened("lesson=well")
    lesson.page.mouse.click(*lesson.pixel(1, 3.0, 3.0))
    lesson.until("Math.abs(v.bx - 3) < 0.1 && Math.abs(v.by - 3) < 0.1")


@pytest.mark.slow
def test_dragging_is_answered_within_a_tenth_of_a_second(opened):
    """The median of many moves, because the machine may have other things to do."""
    lesson, answers = opened("lesson=well&set=coupling:2"), []
    at_rest(lesson.page)  # the map grows finer
    lesson.page.mouse.move(*lesson.pixel(0, -1.0, 2.6))
    lesson.page.mouse.down()
    for k in range(15):
        before = lesson.get("frames")
        lesson.page.mouse.move(*lesson.pixel(0, -1.0 + 0.1 * k, 2.6 - 0.1 * k))
        lesson.until(f"d.frames !== '{before}'")
        answers.append(float(lesson.get("answer-ms")))
    lesson.page.mouse.up()
    assert sorted(answers)[7] < 100


@pytest.mark.slow
def test_the_exact_field_ends_at_zero_in_one_step_for_a_point_anywhere(opened):
    lesson = opened("lesson=well&set=ax:4.2,ay:-4.1")
    check = lesson.checks["Score of A by one step of the exact field, independent pairs"]
    assert (check["computed"], check["exact"], check["holds"]) == (0, 0, True)


@pytest.mark.slow
def test_many_steps_end_where_the_network_ends_in_python_and_other_couplings_say_what_they_are_compared_with(opened):
    lesson = opened("lesson=well&set=steps:7")
    end = small_net.travel(weights_of("moons", 0), well.places({})[:1], 7)[-1]
    assert f"7 steps {small_net.score(end)[0]:.2f}" in notes(lesson)
    assert "no closed form" not in notes(lesson)
    lesson.page.get_by_role("radio", name="worst").click()
    lesson.until("v.coupling === 2")
    assert "no closed form of this coupling for finite data" in notes(lesson)


@pytest.mark.slow
def test_a_network_trains_here_with_progress_and_two_methods_agree_on_its_slope(opened):
    lesson = opened("lesson=well&seed=2")
    assert "No network is stored for these points" in notes(lesson)
    check = lesson.checks[SLOPE]
    assert check["holds"]
    assert abs(check["computed"]) > 1e-4
    lesson.until("d.checks.includes('Trained here in 1,000 steps')")
    loss = float(notes(lesson).split("last loss ")[1].split(".\n")[0])
    assert 1.0 < loss < 1.7, "the exact field of this data is left with about 1.3"


@pytest.mark.slow
def test_the_last_lesson_says_what_to_do_while_there_is_no_run(browser, server):  # noqa: F811
    page = new_page(browser)
    page.goto(f"{server}/learn?lesson=features")
    page.get_by_text("There is no finished run yet").wait_for()
    page.get_by_role("link", name="Train a run").wait_for()
    page.close()
