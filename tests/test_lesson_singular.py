"""Lesson 6: slopes, Euler's error and round trips against differences, quadrature, wtflow.flow and numbers worked by
hand.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from wtflow.flow import exact
from wtflow.flow.integrate import integrate
from wtflow.lessons import singular
from wtflow.lessons.base import read_settings, write_settings

TEXT = (Path(__file__).parent.parent / "assets" / "learn" / "singular.md").read_text(encoding="utf-8")
GRID = np.linspace(0, 1, 200_001)


def scene(text: str = "", seed: int = 0):
    settings = read_settings(singular.CONTROLS, text)
    return singular.prepare(seed, None, settings), settings


@pytest.mark.parametrize("rho", [0.0, -0.5, -0.9, -0.99])
@pytest.mark.parametrize("s", [0.05, 0.3, 1.0])
def test_the_steepest_slope_is_that_of_a_fine_grid_for_every_coupling_short_of_the_worst(s, rho):
    slopes = singular.slope(GRID, s, rho)
    most, when = singular.steepest(s, rho)
    assert slopes.max() == pytest.approx(most, rel=1e-4)
    assert GRID[slopes.argmax()] == pytest.approx(when, abs=1e-3 if s < 1 or rho else 5e-3)


@pytest.mark.parametrize("s", [0.01, 0.2, 1.0])
def test_for_independent_pairs_it_is_the_known_closed_form(s):
    assert singular.steepest(s, 0.0) == pytest.approx((float(exact.max_slope(s)), float(exact.max_slope_time(s))))
    assert singular.steepest(0.01, 0.0)[0] == pytest.approx(50.005)


def test_toward_the_worst_coupling_the_steepest_place_moves_to_the_meeting_time_and_grows_without_bound():
    most, when = singular.steepest(0.25, -1 + 1e-10)
    assert when == pytest.approx(0.25 / 1.25, abs=1e-4)
    assert most > 1e4


@pytest.mark.parametrize(("s", "rho"), [(0.02, 0.0), (0.3, -0.9), (1.0, -0.5), (0.1, -0.99), (0.5, 0.4)])
def test_the_first_order_of_eulers_error_is_half_of_the_ends_and_the_integral_of_the_squared_slope(s, rho):
    middle = singular.steepest(s, rho)[1]
    area = sum(
        quad(lambda t: float(singular.slope(t, s, rho)) ** 2, *ends, limit=400)[0]
        for ends in ((0, min(middle, 1)), (min(middle, 1), 1))
    )
    ends = float(singular.slope(1.0, s, rho) - singular.slope(0.0, s, rho))
    assert singular.first_order(s, rho) == pytest.approx((ends + area) / 2, rel=1e-6)


@pytest.mark.parametrize(("s", "rho"), [(0.02, 0.0), (0.3, -0.9), (1.0, -0.5), (0.1, -0.99), (1.0, 0.0)])
def test_many_euler_steps_miss_a_share_that_falls_as_the_first_order_says(s, rho):
    n = int(400 * singular.first_order(s, rho))
    missed = [1 - singular.euler_there(steps, s, rho) for steps in (n, 2 * n)]
    assert n * missed[0] == pytest.approx(singular.first_order(s, rho), rel=0.01)
    assert missed[0] / missed[1] == pytest.approx(2, rel=0.01)


def test_the_first_order_of_independent_pairs_worked_by_hand():
    assert singular.first_order(1.0, 0.0) == pytest.approx(0.5 + np.pi / 4)
    assert singular.first_order(0.01, 0.0) == pytest.approx(0.5 + np.pi * 1.0001 / 0.08)


def test_one_and_two_steps_worked_by_hand():
    """One step goes to 0. Two: x/2, where the slope is 2 (1 - s^2) / (1 + s^2), so x / (1 + s^2); the exact end is x
    / s.
    """
    for s in (0.05, 0.4, 1.0):
        assert singular.euler_there(1, s, 0.0) == pytest.approx(0, abs=1e-15)
        assert singular.euler_there(2, s, 0.0) == pytest.approx(s / (1 + s**2))
        assert singular.euler_there(1, s, -0.7) == pytest.approx(-0.7), "one step is the barycentre rho x / s"


@pytest.mark.parametrize("rho", [0.0, -0.9, -0.999, 0.5])
@pytest.mark.parametrize("n", [1, 3, 8, 50])
def test_the_way_back_keeps_the_same_share_as_the_way_there(n, rho):
    assert singular.euler_back(n, 0.13, rho) == pytest.approx(singular.euler_there(n, 0.13, rho), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, -0.99])
@pytest.mark.parametrize("n", [2, 7, 40])
def test_a_round_trip_with_the_integrator_of_the_app_multiplies_by_the_same_share(n, rho):
    s, x = 0.2, torch.linspace(-0.4, 0.4, 5, dtype=torch.float64)[:, None]

    def velocity(x_t, t):
        return torch.from_numpy(exact.gaussian_velocity(x_t.numpy(), float(t), 0.0, s, rho))

    there = integrate(velocity, x, n)
    back = integrate(velocity, there, n, t_start=1.0, t_end=0.0)
    np.testing.assert_allclose(there, x / s * singular.euler_there(n, s, rho), atol=1e-9)
    word = np.stack([np.zeros(5), x[:, 0].numpy() / s], axis=1)
    np.testing.assert_allclose(
        back[:, 0] / s, singular.round_trip(word, s, singular.RHO.index(rho), n)[:, 1], atol=1e-9
    )


def test_a_smooth_field_can_be_inverted_with_enough_steps():
    for s, rho in ((0.05, 0.0), (0.1, -0.99)):
        n = int(200 * singular.first_order(s, rho))
        assert singular.euler_there(n, s, rho) * singular.euler_back(n, s, rho) == pytest.approx(0.99, abs=1e-3)


def test_thin_data_do_not_return_from_few_steps():
    assert abs(singular.euler_there(4, 0.02, 0.0) * singular.euler_back(4, 0.02, 0.0)) < 0.005


def test_near_the_worst_coupling_few_steps_return_from_the_wrong_side_and_more_steps_lose_everything():
    five, hundred, many = (singular.euler_there(n, 0.1, -0.999) for n in (5, 100, 4096))
    assert five < -0.99, "the end is on the wrong side, and so is the return's: two mistakes cancel"
    assert five**2 > 0.98
    assert hundred**2 < 0.02
    assert many > 0.9


@pytest.mark.parametrize("s", [0.13, 0.37])
def test_at_the_worst_coupling_steps_jump_over_the_meeting_time_to_the_wrong_side(s):
    for n in (1, 5, 30):
        assert singular.euler_there(n, s, -1.0) == pytest.approx(-1)
        assert singular.euler_back(n, s, -1.0) == pytest.approx(-1)


def test_a_step_that_meets_the_meeting_time_loses_everything():
    """s = 1 meets at t = 1/2, s = 0.25 at t = 1/5."""
    for n, s in ((2, 1.0), (4, 1.0), (5, 0.25)):
        assert np.isnan(singular.euler_there(n, s, -1.0))
        assert np.isnan(singular.euler_back(n, s, -1.0))
    assert np.isfinite(singular.euler_there(3, 1.0, -1.0))
    # Along the data (s = 1) five steps jump across t* = 1/2 and return; across (s = 0.25) one of them meets t* = 1/5.
    np.testing.assert_allclose(singular.round_trip(np.ones((1, 2)), 0.25, 4, 5), [[1, 0]])


def test_beside_a_single_atom_a_start_ends_further_off_the_more_steps_and_returns_onto_the_atom():
    for n in (2, 9, 60):
        path = singular.finite_trip(np.array([0.75 + 0.1]), n, np.array([0.75]))
        assert path.shape == (2 * n + 1, 1)
        assert path[n, 0] == pytest.approx(0.1 * (n - 1))
        assert path[-1, 0] == pytest.approx(0.75)


def test_on_finite_data_no_number_of_steps_brings_the_starts_back():
    word = scene()[0].data["letters"]
    for n in (16, 64, 200):
        back = singular.round_trip(word, 0.1, singular.FINITE, n)
        lost = np.sqrt(np.square(back[:, 1] - word[:, 1]).mean())
        assert lost > 0.9
        offsets = np.abs(0.1 * back[:, 1, None] - singular.ATOMS).min(axis=1)
        assert np.quantile(offsets, 0.8) < 1e-6, "what returns is an atom"


def test_what_lies_along_thick_data_returns_while_the_thickness_of_thin_data_does_not():
    word = scene()[0].data["letters"]
    back = singular.round_trip(word, 0.02, 0, 30)
    np.testing.assert_allclose(back[:, 0], word[:, 0] * singular.euler_there(30, 1.0, 0.0) ** 2)
    assert back[:, 0].std() > 0.9
    assert back[:, 1].std() < 0.3


@pytest.mark.parametrize(
    "text",
    ["", "s:0.01,t:0", "s:1,t:1,case:4,steps:2", "s:0.3,case:5,steps:30,t:0.7", "s:0.05,case:3,steps:200,t:0.02"],
)
def test_every_check_holds_wherever_the_controls_stand(text):
    for seed in (0, 1):
        found, _ = scene(text, seed)
        assert len(found.checks) >= 6
        assert [check.label for check in found.checks if not check.holds] == []


def test_the_letters_have_mean_zero_and_spread_one_on_both_axes_and_do_not_follow_the_sliders():
    first, second = scene()[0].data, scene("s:0.5,t:0.9,case:2")[0].data
    np.testing.assert_allclose(first["letters"].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(first["letters"].std(axis=0), 1)
    assert np.array_equal(first["letters"], second["letters"])


def test_an_address_brings_the_settings_back():
    settings = read_settings(singular.CONTROLS, "t:0.123,s:0.07,case:3,steps:150")
    assert read_settings(singular.CONTROLS, write_settings(singular.CONTROLS, settings)) == settings


@pytest.mark.parametrize("text", ["", "case:3,steps:20", "case:4,s:1,steps:2", "case:5,steps:12"])
def test_the_figure_is_drawn_in_every_case(text):
    ((name, drawn),) = singular.figure(*scene(text))
    assert name == "singular"
    assert len(drawn.axes) == 3


def test_the_text_says_which_value_at_time_zero_is_a_limit_and_stays_short():
    body = TEXT.split("## Predict")[0]
    assert "a value, not a limit" in body
    assert "can be, with enough steps" in body
    assert len(body.split()) <= 120
