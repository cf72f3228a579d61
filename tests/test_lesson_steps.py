"""Lesson 10, one step or many: ends, errors and average velocities against quadrature, differences, the app's own
integrator and numbers worked by hand.
"""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from wtflow.flow import exact
from wtflow.flow.integrate import integrate
from wtflow.lessons import groups, singular, steps
from wtflow.lessons.base import read_settings, write_settings

X = np.array([-2.0, -0.4, 0.9, 2.6])


def settings(text=""):
    return read_settings(steps.CONTROLS, text)


@pytest.mark.parametrize("means", groups.MEANS)
def test_one_euler_step_of_independent_pairs_ends_at_0_for_every_start(means):
    for s in (0.1, 0.3, 1.0):
        np.testing.assert_allclose(steps.euler(X, 1, means, s)[-1], 0, atol=1e-12)


@pytest.mark.parametrize("means", groups.MEANS)
@pytest.mark.parametrize("t", [0.0, 0.2, 0.7, 1.0])
def test_one_step_from_t_ends_at_the_mean_noise_of_the_lines_through_there(means, t):
    x = X[1:3]
    ends = x + (1 - t) * groups.velocity(x, t, means, 0.4)
    np.testing.assert_allclose(steps.one_step(x, t, means, 0.4), ends, atol=1e-9)
    rng = np.random.default_rng(0)
    a, z = groups.sample(rng.standard_normal((2_000_000, 2)), means, 0.4), rng.standard_normal(2_000_000)
    for place, end in zip(x, ends, strict=True):
        near = np.abs((1 - t) * a + t * z - place) < 0.01
        assert z[near].mean() == pytest.approx(end, abs=5 / np.sqrt(near.sum()) + 0.02)


def test_one_step_from_t_on_the_path_of_a_gaussian_is_the_share_t_by_the_spread():
    for t in (0.1, 0.5, 1.0):
        here = exact.gaussian_flow_map(X, t, 0.5, 0.3)
        share = t / np.sqrt(float(groups.variance(t, 0.3)))
        np.testing.assert_allclose(steps.one_step(here, t, np.array([0.5]), 0.3), share * (X - 0.5) / 0.3)


@pytest.mark.parametrize("means", groups.MEANS)
def test_eulers_paths_are_those_of_the_apps_integrator(means):
    def field(x, t):
        return torch.from_numpy(groups.velocity(x[:, 0].numpy(), float(t), means, 0.3)[:, None])

    for n in (1, 5, 40):
        ends = integrate(field, torch.from_numpy(X)[:, None], n)[:, 0]
        np.testing.assert_allclose(steps.euler(X, n, means, 0.3)[-1], ends, atol=1e-9)


@pytest.mark.parametrize("n", [1, 4, 64])
def test_for_one_gaussian_the_share_lost_is_that_of_the_product(n):
    lost = steps.share_lost(n, np.array([0.5]), 0.3)
    assert lost == pytest.approx(abs(1 - singular.euler_there(n, 0.3, 0.0)), rel=1e-9)


def test_four_steps_keep_the_share_that_the_answer_names():
    assert 1 - steps.share_lost(4, np.array([0.5]), 0.3) == pytest.approx(0.59, abs=0.005)


@pytest.mark.parametrize("means", groups.MEANS)
@pytest.mark.parametrize("s", [0.3, 1.0])
def test_the_error_falls_with_slope_minus_one_on_logarithmic_axes(means, s):
    counts = np.array([128, 256, 512])
    lost = [steps.share_lost(int(n), means, s) for n in counts]
    slope = np.polyfit(np.log(counts), np.log(lost), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize("means", groups.MEANS)
def test_the_quantiles_halve_the_data_in_equal_parts(means):
    found = steps.quantiles(means, 0.3)
    shares = [np.mean(norm.cdf((x - means) / 0.3)) for x in found]
    np.testing.assert_allclose(shares, (np.arange(16) + 0.5) / 16, atol=1e-9)


@pytest.mark.parametrize("t", [0.0, 0.3, 0.8])
def test_the_average_velocity_is_the_mean_of_the_velocity_along_the_path(t):
    for x in X:
        start = 0.5 + 0.3 * (x - (1 - t) * 0.5) / np.sqrt(float(groups.variance(t, 0.3)))

        def along(u, start=start):
            return float(exact.gaussian_velocity(exact.gaussian_flow_map(start, u, 0.5, 0.3), u, 0.5, 0.3))

        mean = quad(along, t, 1, points=[max(t, 0.09)] if t < 0.09 else None, limit=200)[0] / (1 - t)
        assert steps.average_velocity(np.array([x]), t, 0.5, 0.3)[0] == pytest.approx(mean, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_average_velocity_fulfils_the_condition_by_which_a_network_learns_it(t):
    """u = v + (1 - t) (du/dt + v du/dx), METHOD 5.13."""
    h, v = 1e-5, exact.gaussian_velocity(X, t, 0.5, 0.3)
    over_t = (steps.average_velocity(X, t + h, 0.5, 0.3) - steps.average_velocity(X, t - h, 0.5, 0.3)) / (2 * h)
    over_x = (steps.average_velocity(X + h, t, 0.5, 0.3) - steps.average_velocity(X - h, t, 0.5, 0.3)) / (2 * h)
    found = v + (1 - t) * (over_t + v * over_x)
    np.testing.assert_allclose(found, steps.average_velocity(X, t, 0.5, 0.3), rtol=1e-6, atol=1e-6)


def test_one_step_of_the_average_velocity_and_of_straightened_pairs_is_exact():
    ends = (X - 0.5) / 0.3
    np.testing.assert_allclose(X + steps.average_velocity(X, 0.0, 0.5, 0.3), ends)
    np.testing.assert_allclose(X + exact.gaussian_velocity(X, 0.0, 0.5, 0.3, 1.0), ends)


@pytest.mark.parametrize("means", groups.MEANS)
def test_straightened_lines_never_cross_and_lead_data_to_noise(means):
    start = np.sort(groups.sample(np.random.default_rng(1).standard_normal((20_000, 2)), means, 0.3))
    ends = groups.end(start, means, 0.3)
    for t in (0.0, 0.3, 0.7, 1.0):
        assert (np.diff((1 - t) * start + t * ends) > 0).all()
    assert (ends.mean(), ends.std()) == pytest.approx((0, 1), abs=0.03)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t:1",
        "s:0.1,steps:64,data:0",
        "s:1,x:-3,t:0.5",
        "data:0,x:3,s:0.1,t:0.9,field:2",
        "field:1,steps:1",
        "data:0,steps:1,t:0.99",
    ],
)
def test_every_check_holds_wherever_the_controls_stand(text):
    checks = steps.prepare(0, None, settings(text)).checks
    assert len(checks) == (8 if "data:0" in text else 5)
    assert [(check.label, check.words) for check in checks if not check.holds] == []


def test_the_data_do_not_follow_the_sliders():
    first, second = (steps.prepare(2, None, settings(text)).array("g") for text in ("", "t:0.9,s:0.1,data:0,field:2"))
    np.testing.assert_array_equal(first, second)


def test_an_address_brings_the_settings_back():
    wanted = settings("t:0.12,steps:17,data:0,field:2,x:-1.5")
    assert settings(write_settings(steps.CONTROLS, wanted)) == wanted


@pytest.mark.parametrize("text", ["", "field:1,data:0", "field:2,t:0.4,steps:1"])
def test_the_slides_show_paths_ends_and_errors(text):
    ((name, figure),) = steps.figure(steps.prepare(0, None, settings(text)), settings(text))
    assert name == "steps"
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    assert {"exact end", "1 Euler step", "C / N"} <= set(labels)
