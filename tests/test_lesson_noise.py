"""Lesson 9, noise on the way: densities, score functions and what is remembered, against differences, quadrature,
sampling and the other direction of time.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm

from wtflow.flow import exact
from wtflow.lessons import groups, noise
from wtflow.lessons.base import read_settings, write_settings

X = np.array([-2.0, -0.4, 0.9, 2.6])


def settings(text=""):
    return read_settings(noise.CONTROLS, text)


@pytest.mark.parametrize("means", groups.MEANS)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_the_score_function_is_the_slope_of_the_log_density(means, t):
    h = 1e-5
    rise = np.log(groups.density(X + h, t, means, 0.4)) - np.log(groups.density(X - h, t, means, 0.4))
    np.testing.assert_allclose(groups.slope(X, t, means, 0.4), rise / (2 * h), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("means", groups.MEANS)
def test_the_field_gives_the_score_function(means):
    for t in (0.05, 0.5, 0.95):
        from_field = -(X + (1 - t) * groups.velocity(X, t, means, 0.4)) / t
        np.testing.assert_allclose(groups.slope(X, t, means, 0.4), from_field, rtol=1e-8, atol=1e-9)


def test_the_field_of_one_group_is_the_gaussians():
    np.testing.assert_allclose(
        groups.velocity(X, 0.3, np.array([0.5]), 0.4), exact.gaussian_velocity(X, 0.3, 0.5, 0.4), rtol=1e-12
    )


@pytest.mark.parametrize("means", groups.MEANS)
def test_the_density_has_area_one_and_the_mean_square_it_is_said_to_have(means):
    x = np.linspace(-9, 9, 20_001)
    for t in (0.0, 0.4, 1.0):
        q = groups.density(x, t, means, 0.3)
        assert np.trapezoid(q, x) == pytest.approx(1)
        assert np.trapezoid(q * x**2, x) == pytest.approx(groups.mean_square(t, means, 0.3))


@pytest.mark.parametrize("t", [0.2, 0.7, 1.0])
def test_the_clock_is_the_integral_of_the_inverse_variance(t):
    area = quad(lambda u: 1 / float(groups.variance(u, 0.3)), 0, t, points=[0.08], limit=200)[0]
    assert noise.clock(t, 0.3) == pytest.approx(area, rel=1e-6)
    assert noise.clock(1.0, 0.3) == pytest.approx(np.pi / 0.6)


def test_what_is_remembered_worked_by_hand():
    """s = pi / 4 and g = 1 leave exp(-1); without noise everything is kept."""
    assert noise.memory(1.0, np.pi / 4) == pytest.approx(np.exp(-1))
    assert noise.memory(0.0, 0.3) == 1.0


@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize(("g", "s"), [(0.8, 0.4), (1.5, 1.0), (0.3, 0.2)])
def test_many_steps_keep_the_variance_and_remember_as_the_closed_form_says(g, s, is_back):
    errors = []
    for n in (4_000, 8_000):
        variance, memory = noise.recursion(n, g, s, is_back)
        times = np.linspace(1, 0, n + 1) if is_back else np.linspace(0, 1, n + 1)
        errors.append(np.abs(variance - groups.variance(times, s)).max())
        assert memory[-1] == pytest.approx(noise.memory(g, s), abs=3e-3)
    assert errors[1] < 3e-3
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.05), "the error halves with twice the steps"


@pytest.mark.parametrize("is_back", [False, True])
def test_a_crowd_follows_the_recursion_of_its_own_steps(is_back):
    """Also with few steps, where both are far from the density."""
    rng, n = np.random.default_rng(0), 12
    start = rng.standard_normal(100_000) * (1 if is_back else 0.3)
    path = noise.travel(start, 1.0, n, np.array([0.0]), 0.3, is_back, rng)
    variance, memory = noise.recursion(n, 1.0, 0.3, is_back)
    np.testing.assert_allclose(path.var(axis=1), variance, rtol=0.03)
    found = [np.corrcoef(start, x)[0, 1] for x in path]
    np.testing.assert_allclose(found, memory, atol=0.02)


@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize("means", groups.MEANS)
@pytest.mark.parametrize("g", [0.0, 1.0])
def test_with_and_without_noise_the_crowd_has_the_same_law_at_every_time(means, g, is_back):
    rng, n = np.random.default_rng(1), 400
    draws = rng.standard_normal((6_000, 2))
    start = draws[:, 0] if is_back else groups.sample(draws, means, 0.4)
    path = noise.travel(start, g, n, means, 0.4, is_back, rng)
    for k in (100, 200, 400):
        t = 1 - k / n if is_back else k / n

        def below(x, t=t):
            spread = np.sqrt(float(groups.variance(t, 0.4)))
            return np.mean([norm.cdf((x - (1 - t) * m) / spread) for m in means], axis=0)

        assert (
            kstest(path[k], below).statistic < 1.95 / np.sqrt(6_000) + 0.01
        )  # missed once in a thousand, and the step


def test_without_the_pull_of_the_score_function_the_crowd_spreads_too_far(monkeypatch):
    monkeypatch.setattr(groups, "slope", lambda x, *_: np.zeros_like(x))
    rng = np.random.default_rng(2)
    end = noise.travel(0.4 * rng.standard_normal(4_000), 1.0, 200, np.array([0.0]), 0.4, False, rng)[-1]
    assert end.var() > 1.5


def test_the_end_of_a_defect_is_forgotten_as_the_answer_says():
    """kappa = 4, s = 0.4, g = 0.8: mean rho kappa = 1.14, mean square rho^2 kappa^2 + 1 - rho^2, instead of 16."""
    rng, rho = np.random.default_rng(3), noise.memory(0.8, 0.4)
    end = noise.travel(np.full(20_000, 1.6), 0.8, 400, np.array([0.0]), 0.4, False, rng)[-1]
    assert rho == pytest.approx(0.2846, abs=1e-4)
    assert end.mean() == pytest.approx(4 * rho, abs=0.05)
    assert np.mean(end**2) == pytest.approx(16 * rho**2 + 1 - rho**2, abs=0.1)


@pytest.mark.parametrize("means", groups.MEANS)
def test_the_flow_ends_where_as_much_of_the_noise_lies_below_as_of_the_data(means):
    end = groups.end(X, means, 0.4)
    np.testing.assert_allclose(norm.cdf(end), [np.mean(norm.cdf((x - means) / 0.4)) for x in X], rtol=1e-9)
    steps = [
        np.abs(noise.travel(X, 0.0, n, means, 0.4, False, np.random.default_rng(0))[-1] - end).max() for n in (400, 800)
    ]
    assert steps[1] < 0.05
    assert steps[1] == pytest.approx(steps[0] / 2, rel=0.1)


def test_the_end_of_one_gaussian_is_the_standardised_value_also_far_out():
    far = np.array([-30.0, -2.0, 0.5, 7.0, 14.0])
    np.testing.assert_allclose(groups.end(far, np.array([0.5]), 0.4), (far - 0.5) / 0.4, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t:0",
        "t:1,way:1",
        "g:1.5,s:0.2,steps:10,data:0",
        "g:0,data:0,x:-3",
        "way:1,g:1.5,t:0,x:3",
        "s:1,t:0.03,way:1",
    ],
)
def test_every_check_holds_wherever_the_controls_stand(text):
    for seed in (0, 1):
        checks = noise.prepare(seed, None, settings(text)).checks
        assert len(checks) == 5
        assert [(check.label, check.words) for check in checks if not check.holds] == []


def test_the_data_do_not_follow_the_sliders():
    first, second = (noise.prepare(2, None, settings(text)).data for text in ("", "t:0.9,g:0.1,data:0,way:1"))
    np.testing.assert_array_equal(first["g"], second["g"])
    assert first["seed"] == second["seed"] == 2.0


def test_an_address_brings_the_settings_back():
    wanted = settings("t:0.12,g:1.2,data:0,way:1,x:-1.5,steps:33")
    assert settings(write_settings(noise.CONTROLS, wanted)) == wanted


@pytest.mark.parametrize("text", ["", "way:1,data:0,t:0", "g:0,t:1"])
def test_the_slides_show_paths_crowds_and_ends(text):
    ((name, figure),) = noise.figure(noise.prepare(0, None, settings(text)), settings(text))
    assert name == "noise"
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    assert {"exact density", "with noise (SDE)", "without (ODE)"} <= set(labels)
