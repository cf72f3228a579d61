"""Closed forms of the strength of couplings, against assignments, the lessons' table and sums by other means."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from wtflow.errors import FlowError
from wtflow.flow.coupling import couple
from wtflow.flow.exact import gaussian_barycentre, gaussian_velocity
from wtflow.flow.integrate import integrate
from wtflow.flow.strength import (
    gaussian_bend,
    gaussian_limit,
    gaussian_strength_in_line,
    most_strength,
    normal_scores,
    strength_in_line,
    strength_of_pairs,
)
from wtflow.lessons.gamma import METHOD, TABLE, strength_of_all
from wtflow.studies.coupling.measure import gamma_of


def worst_gamma(x: np.ndarray, group_size: int, seed: int) -> tuple[float, float]:
    """gamma and its error of rows (N, d) paired with noise by assignment."""
    data = torch.from_numpy(np.ascontiguousarray(x))
    noise = torch.randn(data.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return gamma_of(data, noise[couple(data, noise, "worst", group_size)], group_size)


def on_sphere(n: int, d: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, d))
    return x * math.sqrt(d) / np.linalg.norm(x, axis=1, keepdims=True)


def test_normal_scores_are_the_known_ones():
    assert normal_scores(2) == pytest.approx([-1 / math.sqrt(math.pi), 1 / math.sqrt(math.pi)], abs=1e-9)
    assert normal_scores(3) == pytest.approx([-1.5 / math.sqrt(math.pi), 0, 1.5 / math.sqrt(math.pi)], abs=1e-9)
    drawn = np.sort(np.random.default_rng(0).standard_normal((20_000, 40)), axis=1).mean(0)
    assert normal_scores(40) == pytest.approx(drawn, abs=0.02)
    assert normal_scores(1024).sum() == pytest.approx(0, abs=1e-6)
    with pytest.raises(FlowError):
        normal_scores(0)


def test_in_one_dimension_gamma_is_that_of_sorting():
    """The assignment of fixed numbers with many noises against the sum over expected order statistics."""
    x = np.array([-3.0, -0.2, 0.1, 0.4, 0.5, 2.0])
    many = np.tile(x, 4000)[:, None]
    found, error = worst_gamma(many, len(x), seed=1)
    assert strength_in_line(x) == pytest.approx(found, abs=4 * error)
    assert error < 0.01
    assert gaussian_strength_in_line(2) == pytest.approx(1 / math.pi, abs=1e-9)


@pytest.mark.parametrize("group_size", [2, 8])
def test_in_one_dimension_the_lessons_table_comes_out_exactly(group_size):
    """Its data are signs: a group holds k minus ones with binomial chance."""
    n = group_size
    exact = sum(math.comb(n, k) / 2**n * strength_in_line([-1.0] * k + [1.0] * (n - k)) for k in range(n + 1))
    value, error, _ = TABLE[1, n]
    assert exact == pytest.approx(value, abs=4 * error)


@pytest.mark.parametrize(("d", "n"), [(2, 8), (16, 64), (128, 8), (128, 64)])
def test_gamma_of_the_sphere_is_that_of_the_method(d, n):
    found, error = worst_gamma(on_sphere(n * 40, d, seed=d), n, seed=n)
    value, table_error, _ = TABLE[d, n]
    assert found == pytest.approx(value, abs=4 * (error + table_error))
    assert found == pytest.approx(METHOD[d, n], abs=0.012)


def test_pairs_have_an_exact_gamma_whatever_the_data_are():
    x = np.random.default_rng(3).exponential(size=(60, 5)) ** 2
    rows = np.random.default_rng(4).integers(60, size=2 * 20_000)
    found, error = worst_gamma(x[rows], 2, seed=5)
    assert strength_of_pairs(x) == pytest.approx(found, abs=4 * error + 0.01 * found)
    assert strength_of_pairs([[1.0], [-1.0]]) == pytest.approx(TABLE[1, 2][0], abs=4 * TABLE[1, 2][1])


@pytest.mark.parametrize("d", [1, 3, 40])
def test_no_coupling_exceeds_its_bound_and_in_high_dimension_gamma_comes_close(d):
    x = np.random.default_rng(d).standard_normal((64 * 6, d)) * np.linspace(1, 4, d)
    norms = np.linalg.norm(x, axis=1)
    most = most_strength(norms.mean(), np.square(norms).mean(), d, 64)
    found, error = worst_gamma(x, 64, seed=d)
    assert found <= most + 3 * error, "the bound is one of the mean"
    assert most <= 1
    assert most_strength(1.0, 1.0, 4096, 256) == pytest.approx(TABLE[4096, 256][0], rel=0.06)
    assert most_strength(1.0, 1.0, 4096, 256) > TABLE[4096, 256][0]


def test_gamma_does_not_depend_on_the_scale_and_its_sign_tells_optimal_from_worst():
    x = np.random.default_rng(0).standard_normal((32, 3))
    assert worst_gamma(x, 16, seed=0)[0] == pytest.approx(worst_gamma(7 * x, 16, seed=0)[0])
    data, noise = torch.from_numpy(x), torch.randn(32, 3, generator=torch.Generator().manual_seed(0)).double()
    worst = noise[couple(data, noise, "worst", 16)]
    mirrored = -noise
    optimal = mirrored[couple(data, mirrored, "optimal", 16)]
    assert torch.equal(optimal, -worst), "the optimal coupling is the worst one with the noise mirrored"
    assert gamma_of(data, optimal, 16)[0] == -gamma_of(data, worst, 16)[0]


def test_infinite_groups_of_gaussian_data_reach_their_limit():
    assert gaussian_limit([1.0, 1.0, 1.0]) == pytest.approx(1)
    variances = np.array([9.0, 1.0])
    x = np.random.default_rng(0).standard_normal((2 * 1024, 2)) * np.sqrt(variances)
    found, _ = worst_gamma(x, 1024, seed=1)
    assert gaussian_limit(variances) == pytest.approx(4 / math.sqrt(20))
    assert gaussian_limit(variances) - 0.03 < found < gaussian_limit(variances) + 0.01
    assert strength_of_all(2) < 1, "of the sphere it is less: norms of noise vary"


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.6])
def test_the_bend_of_gaussian_paths_is_its_integral(rho):
    def integrand(t: float) -> float:
        return ((2 * t - 1) * (1 - rho)) ** 2 / ((1 - t) ** 2 + t**2 + 2 * rho * t * (1 - t))

    assert gaussian_bend(rho) == pytest.approx(quad(integrand, 0, 1)[0], abs=1e-7)


def test_the_bend_is_none_for_optimal_gaussian_data_and_greatest_for_worst():
    assert gaussian_bend([1.0, 0.0, -1.0]) == pytest.approx([0, 2 - math.pi / 2, 4])
    with pytest.raises(FlowError):
        gaussian_bend(1.1)


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.5])
def test_one_step_of_the_exact_field_ends_at_rho_and_many_at_the_standardised_value(rho):
    """rho = -gamma: data N(m, s^2) end at rho (x - m) / s with one Euler step, at (x - m) / s with many."""
    m, s = 0.7, 0.5
    x = torch.tensor([[-1.0, 0.2, 3.0]], dtype=torch.float64)

    def velocity(at, t):
        return torch.from_numpy(gaussian_velocity(at.numpy(), float(t), m, s, rho))

    for steps, end in ((1, rho * (x - m) / s), (100, (x - m) / s)):
        path = integrate(velocity, x, steps, "euler" if steps == 1 else "heun")
        assert path.numpy() == pytest.approx(end.numpy(), abs=1e-9 if steps == 1 else 1e-3)
    assert gaussian_barycentre(x.numpy(), m, s, rho) == pytest.approx((rho * (x - m) / s).numpy())


@pytest.mark.parametrize(
    "call",
    [
        lambda: strength_in_line([]),
        lambda: strength_in_line([0.0, 0.0]),
        lambda: strength_of_pairs([1.0, 2.0]),
        lambda: most_strength(0.0, 1.0, 3, 8),
        lambda: gaussian_limit([0.0]),
        lambda: gaussian_limit([-1.0, 2.0]),
    ],
)
def test_what_has_no_strength_is_a_sentence(call):
    with pytest.raises(FlowError) as caught:
        call()
    assert caught.value.fix
