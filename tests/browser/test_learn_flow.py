"""The kernel of the lessons and lesson "from noise to data and back" in a real browser: closed forms in JavaScript,
scrubbing, playing, drawing, links.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from in_chromium import at_rest, new_page, pytestmark  # noqa: F401
from lesson_page import OpenedLesson, browser, server  # noqa: F401
from scipy.optimize import linear_sum_assignment

from wtflow.flow import exact
from wtflow.lessons import flow
from wtflow.lessons.base import choose_points

MATH = (Path(__file__).parents[2] / "assets" / "learn" / "math.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_math(browser):  # noqa: F811
    """Evaluates an expression with the functions of math.js in scope and `given` as its argument."""
    page = new_page(browser)
    yield lambda expression, given=None: json.loads(
        page.evaluate(f"(given) => {{ {MATH}; return JSON.stringify({expression}); }}", given)
    )
    page.close()


def test_the_gaussian_forms_in_the_browser_are_those_of_python(run_math):
    cases = [
        (x, t, 0.7, s, rho)
        for x in (-2.0, 0.3)
        for t in (0.0, 0.2, 0.9, 1.0)
        for s in (0.1, 0.8)
        for rho in (-0.9, 0.0, 1.0)
    ]
    fields = run_math("given.map((c) => [gaussVelocity(...c), gaussFlow(...c)])", cases)
    closed = [[float(exact.gaussian_velocity(*case)), float(exact.gaussian_flow_map(*case))] for case in cases]
    np.testing.assert_allclose(fields, closed, rtol=1e-10, atol=1e-12)


def test_after_the_meeting_time_the_worst_coupling_has_no_way_on(run_math):
    assert run_math("[gaussFlow(1, 0.6, 0, 1, -1), gaussVelocity(1, 0.5, 0, 1, -1)]") == [None, None]  # NaN in JSON
    assert run_math("gaussFlow(1, 0.5, 0, 1, -1)") == 0


@pytest.mark.parametrize("t", [0.0, 1e-4, 0.01, 0.3, 1.0])
def test_the_field_of_finite_data_in_the_browser_is_that_of_python(run_math, t):
    atoms, places = choose_points("rings", None, 0), np.random.default_rng(0).normal(size=(30, 2))
    seen = run_math(
        "given[1].map(([x, y]) => finiteVelocity(x, y, given[2], Float64Array.from(given[0])))",
        [atoms.ravel().tolist(), places.tolist(), t],
    )
    np.testing.assert_allclose(seen, exact.finite_velocity(places, t, atoms), rtol=1e-8, atol=1e-8)


def test_weights_sum_to_one_and_at_t_0_the_nearest_share_them(run_math):
    assert run_math("Array.from(posterior(0.1, 0, 0, [1, 0, -1, 0]))") == [1, 0]
    assert run_math("Array.from(posterior(0, 5, 0, [1, 0, -1, 0]))") == [0.5, 0.5]
    assert sum(run_math("Array.from(posterior(0.1, 3, 0.01, [1, 0, -1, 0, 2, 2]))")) == pytest.approx(1)


def test_paths_in_the_browser_are_those_of_python(run_math):
    atoms, noise, times = choose_points("moons", None, 0), flow.balanced_noise(5, 0), flow.path_times()[::-1]
    given = [atoms.ravel().tolist(), noise.tolist(), times.tolist()]
    seen = run_math(
        "given[1].map(([x, y]) => Array.from(finitePath(x, y, given[2], Float64Array.from(given[0]))))", given
    )
    np.testing.assert_allclose(
        np.array(seen).reshape(5, -1, 2).transpose(1, 0, 2), flow.follow(noise, times, atoms), atol=1e-8
    )


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_a_solver_converges_with_its_order(run_math, solver, order):
    """x' = (t - y, x) turns around a moving centre; errors against a step so small that it is exact here."""
    ends = run_math(
        f"[8, 16, 4096].map((n) => Array.from(integrate((x, y, t) => [t - y, x], 2, 0, n, '{solver}')).slice(-2))"
    )
    coarse, fine = (np.linalg.norm(np.subtract(end, ends[2])) for end in ends[:2])
    assert np.log2(coarse / fine) == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("n", [1, 2, 17, 128])
def test_pairs_in_the_browser_cost_what_scipys_cost(run_math, n, maximise):
    cost = np.random.default_rng(n).normal(size=(n, n))
    partner = run_math(
        "Array.from(assign(Float64Array.from(given[0]), given[1], given[2]))", [cost.ravel().tolist(), n, maximise]
    )
    assert sorted(partner) == list(range(n))
    rows, columns = linear_sum_assignment(cost, maximize=maximise)
    assert cost[np.arange(n), partner].sum() == pytest.approx(cost[rows, columns].sum())


def test_a_partner_is_the_column_of_a_row_and_not_the_other_way_round(run_math):
    """A 3-cycle, where the inverse permutation is another."""
    assert run_math("Array.from(assign(Float64Array.from([9, 0, 9, 9, 9, 0, 0, 9, 9]), 3))") == [1, 2, 0]


def test_quantiles_are_numpys(run_math):
    values = [3.0, -1.0, 7.5, 2.0]
    assert [run_math(f"quantile(given, {q})", values) for q in (0, 0.3, 1)] == pytest.approx(
        np.quantile(values, [0, 0.3, 1]).tolist()
    )


# -- the lesson --------------------------------------------------------------------------------------------------------


@pytest.fixture
def moons(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=flow&data=moons")
    yield opened
    opened.close()


def crowd(opened: OpenedLesson) -> dict:
    return next(check for label, check in opened.checks.items() if label.startswith("mean |x|²"))


def test_scrubbing_moves_the_crowd_as_the_closed_form_says_and_the_link_keeps_the_time(moons):
    assert crowd(moons)["computed"] == pytest.approx(2, abs=1e-5), "at t = 0 the particles are the data"
    slider = moons.page.get_by_role("slider", name="Time")
    slider.focus()
    for _ in range(5):
        slider.press("PageUp")
    moons.until("v.t > 0.3 && q.get('set')")
    t = moons.values["t"]
    assert crowd(moons)["exact"] == pytest.approx(2 * (1 - t) ** 2 + 2 * t**2, abs=1e-5)
    assert crowd(moons)["holds"]
    assert f"set=t%3A{t:g}" in moons.page.url


@pytest.mark.parametrize(("way", "first", "last"), [(0, "0", "1"), (1, "1", "0")])
@pytest.mark.slow
def test_playing_runs_from_data_to_noise_or_back_and_tells_the_page_once(browser, server, way, first, last):  # noqa: F811
    opened = OpenedLesson(browser, server, f"lesson=flow&set=way:{way},t:{last}")
    opened.page.get_by_role("button", name="Play").click()
    opened.until("d.playing === 'true'")
    opened.until(f"Math.abs(v.t - {first}) < 0.5")
    opened.until(f"d.playing === 'false' && v.t === {last}")
    assert crowd(opened)["holds"]
    opened.close()


@pytest.mark.slow
def test_going_back_all_particles_land_on_data(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=flow&set=way:1")
    assert opened.values["t"] == 0
    landed = opened.checks["largest distance of a particle to a data point"]
    assert landed["holds"]
    assert 0 <= landed["computed"] < 1e-3
    assert crowd(opened)["holds"]
    opened.close()


@pytest.mark.slow
def test_the_pointer_reads_the_field_and_a_second_method_agrees(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=flow&data=rings&set=t:0.5")
    opened.page.mouse.move(*opened.pixel(0, 0.9, -0.6))
    label = "speed at the pointer, by the density's slope"
    opened.until(f"JSON.parse(d.checks).some((check) => check.label === {json.dumps(label)})")
    atoms = choose_points("rings", None, 0).astype(np.float32)
    closed = np.linalg.norm(exact.finite_velocity(np.array([[0.9, -0.6]]), 0.5, atoms))
    assert opened.checks[label]["holds"]
    assert opened.checks[label]["exact"] == pytest.approx(closed, abs=0.02)  # a pixel is 0.015 wide
    opened.close()


@pytest.mark.slow
def test_what_is_drawn_becomes_the_data_and_the_link_brings_it_back(moons):
    moons.page.get_by_role("radio", name="draw").click()
    moons.drag(0, (-1.0, 1.0), (0.0, 1.5), (1.0, 1.0))
    moons.until("q.get('data') === 'drawn' && q.get('points')")
    points = np.array(
        [
            pair.split(",")
            for pair in moons.page.evaluate("new URLSearchParams(location.search).get('points')").split(";")
        ],
        float,
    )
    assert len(points) >= 5
    assert points[0] == pytest.approx([-1.0, 1.0], abs=0.03)
    assert points[-1] == pytest.approx([1.0, 1.0], abs=0.15)
    moons.until(f"JSON.parse(d.checks)[0].label === 'mean |x|² of {len(points)} particles'")
    at_rest(moons.page)
    moons.page.reload()
    moons.page.locator("[data-frames]").wait_for(state="attached")
    moons.until(f"d.checks && JSON.parse(d.checks)[0]?.label === 'mean |x|² of {len(points)} particles'")
    assert crowd(moons)["computed"] == pytest.approx(np.square(points).sum(axis=1).mean(), abs=1e-4)


def test_large_type_enlarges_the_picture_s_words_and_reset_brings_back_the_start(browser, server):  # noqa: F811
    opened = OpenedLesson(browser, server, "lesson=flow&set=t:0.5&large=1")
    size = "e => parseFloat(getComputedStyle(e.shadowRoot.lesson.root).fontSize)"
    assert opened.host.evaluate(size) > 18
    opened.page.get_by_role("button", name="Reset").click()
    opened.until("v.t === 0 && q.get('set') === null && q.get('large') === '1'")
    opened.close()


@pytest.mark.slow
def test_the_next_lesson_is_one_click_away_and_begins_at_its_start(moons):
    moons.page.get_by_role("button", name="Next").click()
    moons.until("d.lesson === 'lines' && q.get('lesson') === 'lines'")
    assert moons.values["t"] == 0.35


def test_a_lesson_fits_on_one_screen(moons):
    assert moons.host.evaluate("e => e.getBoundingClientRect().bottom") <= 900
