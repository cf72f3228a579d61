"""Lesson "crossing paths average": its lines, steps and meeting point against closed forms, sampling and
integration.
"""

import itertools

import numpy as np
import pytest

from wtflow.flow import exact
from wtflow.lessons import average
from wtflow.lessons.base import read_settings


def settings(text=""):
    return read_settings(average.CONTROLS, text)


@pytest.mark.parametrize(("rho", "s"), list(itertools.product([-1, -0.95, -0.5, 0, 0.4, 0.95, 1], [0.1, 0.7, 1, 2])))
def test_every_number_the_lesson_shows_agrees_with_its_closed_form(rho, s):
    for m, x, t in ((0, -3, 0), (0.5, 1.2, 0.4), (-1, 3, 1)):
        scene = average.prepare(0, None, settings(f"rho:{rho},s:{s},m:{m},x:{x},t:{t}"))
        assert [check.words for check in scene.checks if not check.holds] == []
        assert len(scene.checks) == (5 if rho == -1 else 4)


def test_the_lines_have_the_mean_spread_and_correlation_they_claim():
    data, noise = average.lines(np.random.default_rng(2).standard_normal((200_000, 2)), 0.5, 0.7, -0.6)
    assert (data.mean(), data.std(), noise.mean(), noise.std()) == pytest.approx((0.5, 0.7, 0, 1), abs=0.01)
    assert np.corrcoef(data, noise)[0, 1] == pytest.approx(-0.6, abs=0.01)


def test_one_exact_step_lands_at_rho_times_the_standardised_value_worked_out_by_hand():
    """m = 0.5, s = 0.5, x = 2: three thicknesses off, so at -1.5 for rho = -0.5 and at 0 for independent pairs."""
    ends = [average.euler(np.array([2.0]), 0.5, 0.5, rho, 1)[-1, 0] for rho in (-1, -0.5, 0, 1)]
    assert ends == pytest.approx([-3, -1.5, 0, 3])


@pytest.mark.parametrize("rho", [-0.9, -0.5, 0, 0.5, 1])
def test_many_steps_end_at_the_standardised_value_whatever_the_coupling(rho):
    start = np.array([-1.0, 0.5, 2.0])
    errors = [np.abs(average.euler(start, 0.5, 0.5, rho, n)[-1] - [-3, 0, 3]).max() for n in (2_000, 4_000)]
    assert errors[1] < 0.02
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.1), "the error of Euler's method halves with twice the steps"


def test_worst_and_optimal_separate_equally_far():
    """What the answer claims: after one step the distance is the same, and the independent field separates nothing."""
    start = np.linspace(-3, 3, 13)
    worst, independent, optimal = (np.abs(average.euler(start, 0.5, 0.7, rho, 1)[-1]) for rho in (-1, 0, 1))
    np.testing.assert_allclose(worst, optimal)
    np.testing.assert_allclose(independent, 0, atol=1e-12)


def test_paths_end_where_the_field_is_singular():
    """s = 1, rho = -1: all lines meet at t = 1/2, which the fifth of ten steps reaches."""
    path = average.euler(np.array([-1.0, 2.0]), 0.0, 1.0, -1, 10)
    assert np.isfinite(path[:6]).all()
    assert np.isnan(path[6:]).all()


def test_for_rho_minus_one_all_lines_pass_one_point():
    g = np.random.default_rng(0).standard_normal((200, 2))
    data, noise = average.lines(g, 0.4, 0.25, -1)
    np.testing.assert_allclose(0.8 * data + 0.2 * noise, 0.8 * 0.4, atol=1e-12)  # t* = 0.25 / 1.25 = 0.2
    assert float(exact.meeting_time(0.25)) == pytest.approx(0.2)


def test_lines_through_a_small_window_go_on_average_as_the_field_does():
    data, noise = average.lines(np.random.default_rng(3).standard_normal((2_000_000, 2)), 0.5, 0.7, -0.4)
    near = np.abs(0.6 * data + 0.4 * noise - 1.2) < 0.01
    mean, error = (noise - data)[near].mean(), (noise - data)[near].std() / np.sqrt(near.sum())
    assert mean == pytest.approx(float(exact.gaussian_velocity(1.2, 0.4, 0.5, 0.7, -0.4)), abs=5 * error)
    assert error < 0.03


@pytest.mark.parametrize("text", ["", "rho:-1,steps:5", "rho:-1,t:1", "rho:1,s:0.1,steps:1", "rho:-0.95,s:2,steps:64"])
def test_the_slides_show_lines_field_and_map(text):
    chosen = settings(text)
    ((name, figure),) = average.figure(average.prepare(0, None, chosen), chosen)
    assert name == "average"
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    assert any("one step" in label for label in labels)
    assert any("meet" in label for label in labels) == ("rho:-1" in text)
