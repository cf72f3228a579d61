"""Lesson 8, the score over time: closed forms against the app's own scores with the exact field, and AUROC against
counting, an integral in the plane, and one dimension by hand.
"""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from wtflow.flow import exact
from wtflow.flow.integrate import integrate
from wtflow.lessons import score
from wtflow.lessons.base import read_settings, write_settings
from wtflow.metrics import image_metrics
from wtflow.scoring.maps import deviation_score, endpoint_score

S = np.array([1.0, 0.3])
X = np.array([[0.5, 0.6], [-1.2, 0.1], [0.0, -0.9]])


def settings(text=""):
    return read_settings(score.CONTROLS, text)


def field(x, t):
    """The exact field of the normals, as the app's scores want one."""
    return torch.from_numpy(exact.gaussian_velocity(x.numpy(), float(t), 0.0, S))


@pytest.mark.parametrize("t", [0.0, 0.03, 0.4, 1.0])
def test_deviation_is_the_apps_own_score_of_the_exact_field(t):
    np.testing.assert_allclose(score.deviation(X, t, S), deviation_score(field, torch.from_numpy(X), t), atol=1e-12)


def test_the_endpoint_at_t_1_is_the_apps_own_score_after_many_steps():
    ends = integrate(field, torch.from_numpy(X), 4_000, "heun")
    np.testing.assert_allclose(score.endpoint(X, 1.0, S), endpoint_score(ends), rtol=1e-5)
    np.testing.assert_allclose(score.endpoint(X, 1.0, S), 0.25 * np.square(X / S).sum(1))


@pytest.mark.parametrize("t", [0.05, 0.5, 0.9])
def test_mismatch_is_the_squared_gap_of_field_and_line(t):
    z = np.random.default_rng(0).standard_normal(X.shape)
    v = exact.gaussian_velocity((1 - t) * X + t * z, t, 0.0, S)
    np.testing.assert_allclose(score.mismatch(X, z, t, S), np.mean((v - (z - X)) ** 2, axis=1))


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 1.0])
def test_bias_and_variance_are_those_of_many_noises(t):
    z = np.random.default_rng(1).standard_normal((200_000, 2))
    gap = exact.gaussian_velocity((1 - t) * X[0] + t * z, t, 0.0, S) - (z - X[0])
    assert np.mean(gap.mean(0) ** 2) == pytest.approx(float(score.deviation(X[0], t, S)), abs=0.05)
    assert np.mean(gap.var(0)) == pytest.approx(float(score.mismatch_variance(t, S)), rel=0.02, abs=1e-12)


def test_the_variance_is_the_same_for_every_feature_and_at_t_0_it_is_all_there_is():
    z = np.random.default_rng(2).standard_normal((50_000, 2))
    at_zero = [score.mismatch(x, z, 0.0, S) for x in X]
    np.testing.assert_allclose(at_zero, np.tile(np.mean(z**2, axis=1), (3, 1)))
    assert float(score.mismatch_variance(0.0, S)) == 1.0


@pytest.mark.parametrize("t", [0.02, 0.3, 0.8])
def test_the_mean_mismatch_of_normals_is_what_a_perfect_network_leaves(t):
    """Variance of z - a given x_t, by least squares on sampled pairs."""
    rng = np.random.default_rng(3)
    left = []
    for s in S:
        a, z = s * rng.standard_normal(400_000), rng.standard_normal(400_000)
        x_t = (1 - t) * a + t * z
        left.append(np.var(z - a - np.polyval(np.polyfit(x_t, z - a, 1), x_t)))
    assert float(score.normal_mismatch(t, S)) == pytest.approx(np.mean(left), rel=0.02)


@pytest.mark.parametrize("kappa", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("name", ["endpoint", "deviation"])
def test_in_one_dimension_auroc_is_known_by_hand(name, kappa):
    """One direction that weighs almost nothing leaves the other: |b| > |a| if sum and difference have one sign."""
    narrow = np.array([0.05, 1.0]) if name == "endpoint" else np.array([20.0, 1.0])
    t = 0.0 if name == "endpoint" else 0.01
    p = norm.cdf(kappa / np.sqrt(2))
    found = score.auroc(name, np.array([t]), narrow, np.array([0.0, kappa]))[0]
    assert found == pytest.approx(p**2 + (1 - p) ** 2, abs=4e-3)


@pytest.mark.parametrize("name", score.SCORES)
@pytest.mark.parametrize("shift", [(0.5, 0.6), (1.5, 0.0), (0.0, 0.0), (-0.3, -2.0)])
def test_auroc_is_what_the_apps_metric_finds_in_a_large_sample(name, shift):
    """By ranks, normals and defects apart; for mismatch with one noise for all images, as the app scores, the mean
    over noises.
    """
    rng, n, t = np.random.default_rng(4), 4_000, 0.35
    a, b = S * rng.standard_normal((n, 2)), S * rng.standard_normal((n, 2)) + shift

    def rate(values):
        return image_metrics(np.concatenate(values), np.repeat([False, True], n))["image_auroc"]

    if name == "mismatch":
        draws = rng.standard_normal((60, 2))
        found = [rate([score.mismatch(x, z, t, S) for x in (a, b)]) for z in draws]
        error = np.std(found) / np.sqrt(60) * 5
    else:
        found = [rate([getattr(score, name)(x, t, S) for x in (a, b)])]
        error = 0.03
    wanted = score.auroc(name, np.array([t]), S, np.array(shift))[0]
    assert np.mean(found) == pytest.approx(wanted, abs=error + 0.003)


def test_auroc_is_what_two_million_pairs_count():
    g, shift = np.random.default_rng(5).standard_normal((2_000_000, 6)), np.array([0.5, 0.6])
    for name, t, n in (("endpoint", 0.2, 1), ("deviation", 0.2, 1), ("deviation", 0.7, 1), ("mismatch", 0.2, 2)):
        wanted = score.auroc(name, np.array([t]), S, shift, n)[0]
        assert score.counted(g, name, t, S, shift, n) == pytest.approx(wanted, abs=1.5e-3)


def test_more_noises_bring_mismatch_to_deviation_from_below():
    times, shift = np.array([0.1, 0.3]), np.array([0.2, 0.6])
    rates = [score.auroc("mismatch", times, S, shift, n) for n in (1, 4, 16, 10_000)]
    assert (np.diff(rates[:3], axis=0) > 0).all()
    np.testing.assert_allclose(rates[-1], score.auroc("deviation", times, S, shift), atol=2e-3)


def test_a_thin_direction_shows_early_and_a_thick_one_late():
    """What the answer claims."""
    assert score.best_time("deviation", S, np.array([0.0, 0.6]))[0] == score.TIMES[0]
    assert score.best_time("deviation", S, np.array([1.5, 0.0]))[0] == 1.0
    assert 0.05 < score.best_time("deviation", S, np.array([1.5, 0.6]))[0] < 0.95
    assert score.best_time("endpoint", S, np.array([0.0, 0.6]))[0] == 1.0
    early = score.auroc("deviation", score.TIMES[:1], S, np.array([0.0, 0.6]))[0]
    assert early > score.auroc("endpoint", np.array([1.0]), S, np.array([0.0, 0.6]))[0]


@pytest.mark.parametrize("s", [(1.0, 0.3), (0.2, 1.5), (0.7, 0.7)])
def test_at_one_time_deviation_is_mahalanobis(s):
    s = np.array(s)
    t = score.same_as_mahalanobis(s)
    ratio = score.deviation(X, t, s) / np.square(X / s).sum(1)
    np.testing.assert_allclose(ratio, ratio[0])


def test_on_the_exact_flow_no_place_changes_in_the_spread_of_the_crowd():
    for t in (0.2, 0.6, 1.0):
        at = exact.gaussian_flow_map(X, t, 0.0, S)
        np.testing.assert_allclose(at / np.sqrt(score.variance(t, S)), X / S)
        np.testing.assert_allclose(score.endpoint(X, t, S), 0.5 * np.mean(at**2, axis=1))


@pytest.mark.parametrize(
    "text", ["", "t:0", "t:1,draws:2", "s1:0.2,s2:1.5,dx:-3,dy:3", "s1:0.2,s2:0.2,dx:0,dy:0,draws:1,t:0.02"]
)
def test_every_check_holds_wherever_the_controls_stand(text):
    for seed in (0, 1):
        checks = score.prepare(seed, None, settings(text)).checks
        assert len(checks) == 6
        assert [check.words for check in checks if not check.holds] == []


def test_the_data_do_not_follow_the_sliders():
    first, second = (score.prepare(2, None, settings(text)).data["g"] for text in ("", "t:0.9,s1:0.4,dx:2"))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (score.N_PAIRS, 6)


def test_an_address_brings_the_settings_back():
    wanted = settings("t:0.12,s2:0.6,draws:2,dx:-1.5,dy:0.05")
    assert settings(write_settings(score.CONTROLS, wanted)) == wanted


@pytest.mark.parametrize("text", ["", "t:0,draws:2", "dx:0,dy:0"])
def test_the_slides_show_plane_rates_and_parts(text):
    ((name, figure),) = score.figure(score.prepare(0, None, settings(text)), settings(text))
    assert name == "score"
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    assert set(score.SCORES) <= set(labels)
