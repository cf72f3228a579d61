import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.flow import exact

GRID = np.linspace(-2.5, 2.5, 11)
MIXTURE = ([0.2, 0.5, 0.3], [[-2.0, 0.0], [0.5, 1.5], [1.0, -1.0]], [0.3, 0.7, 0.1])


def pairs(rho, mean, std, n=400_000, seed=0):
    """Gaussian data and noise with correlation rho between the standardised values."""
    rng = np.random.default_rng(seed)
    z, other = rng.standard_normal((2, n))
    return mean + std * z, rho * z + np.sqrt(1 - rho**2) * other


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0.0, 1.0])
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_gaussian_field_is_the_time_derivative_of_its_flow_map(rho, t):
    h, arguments = 1e-5, (0.7, 0.4, rho)
    forward, backward = (exact.gaussian_flow_map(GRID, t + sign * h, *arguments) for sign in (1, -1))
    field = exact.gaussian_velocity(exact.gaussian_flow_map(GRID, t, *arguments), t, *arguments)
    np.testing.assert_allclose(field, (forward - backward) / (2 * h), atol=1e-7)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.6])
@pytest.mark.parametrize("t", [0.15, 0.7])
def test_the_gaussian_field_is_the_regression_of_noise_minus_data_on_the_path(rho, t):
    """Linear regression is exact for Gaussians: slope and value at the mean of x_t, from samples."""
    data, noise = pairs(rho, 0.7, 0.4)
    x_t, u = (1 - t) * data + t * noise, noise - data
    slope, value = np.polyfit(x_t - x_t.mean(), u, 1)
    at = exact.gaussian_velocity(np.array([x_t.mean(), x_t.mean() + 1]), t, 0.7, 0.4, rho)
    assert at[0] == pytest.approx(value, abs=0.01)
    assert at[1] - at[0] == pytest.approx(slope, abs=0.02)


def test_the_flow_map_starts_at_rest_and_ends_at_the_standardised_value():
    for rho in (-0.99, 0.0, 1.0):
        np.testing.assert_allclose(exact.gaussian_flow_map(GRID, 0.0, 0.7, 0.4, rho), GRID, atol=1e-12)
        np.testing.assert_allclose(exact.gaussian_flow_map(GRID, 1.0, 0.7, 0.4, rho), (GRID - 0.7) / 0.4, atol=1e-12)


@pytest.mark.parametrize("rho", [-1.0, -0.5, 0.0, 1.0])
def test_one_euler_step_along_the_gaussian_field_is_the_barycentre(rho):
    step = GRID + exact.gaussian_velocity(GRID, 0.0, 0.7, 0.4, rho)
    np.testing.assert_allclose(step, exact.gaussian_barycentre(GRID, 0.7, 0.4, rho), atol=1e-12)


@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.7])
def test_the_barycentre_is_the_mean_noise_of_data_near_x(rho):
    data, noise = pairs(rho, 0.7, 0.4)
    near = np.abs(data - 1.0) < 0.02
    assert noise[near].mean() == pytest.approx(exact.gaussian_barycentre(1.0, 0.7, 0.4, rho), abs=0.03)


def test_every_coordinate_has_its_own_mean_spread_and_correlation():
    x, m, s, rho = np.ones((5, 3)), np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.0, 2.0]), np.array([-0.5, 0.0, 1.0])
    field = exact.gaussian_velocity(x, 0.3, m, s, rho)
    assert field.shape == (5, 3)
    assert field[0, 1] == exact.gaussian_velocity(1.0, 0.3, 1.0, 1.0, 0.0)


@pytest.mark.parametrize("s", [0.1, 0.5, 1.0, 3.0])
def test_all_lines_of_the_worst_coupling_meet_at_the_meeting_time(s):
    """At rho=-1 the noise of m + s z is -z; the points (1-t)(m + s z) - t z coincide for every z."""
    t, z = exact.meeting_time(s), np.linspace(-3, 3, 7)
    np.testing.assert_allclose((1 - t) * (0.7 + s * z) - t * z, (1 - t) * 0.7, atol=1e-12)
    np.testing.assert_allclose(exact.gaussian_flow_map(0.7 + s * z, t, 0.7, s, -1.0), (1 - t) * 0.7, atol=1e-7)


def test_the_field_of_the_worst_coupling_is_singular_where_its_lines_meet():
    with pytest.raises(FlowError, match="singular"):
        exact.gaussian_velocity(GRID, exact.meeting_time(1.0), 0.0, 1.0, -1.0)
    near = exact.gaussian_velocity(1.0, exact.meeting_time(1.0) - 1e-6, 0.0, 1.0, -1.0)
    assert near < -1e5
    with pytest.raises(FlowError, match="not determined"):
        exact.gaussian_flow_map(GRID, 0.6, 0.0, 1.0, -1.0)


@pytest.mark.parametrize("s", [0.01, 0.1, 0.5, 0.9, 1.0])
def test_no_slope_on_a_fine_grid_of_times_exceeds_the_largest(s):
    t = np.linspace(0, 1, 200_001)
    slope = exact.gaussian_velocity(1.0, t, 0.0, s) - exact.gaussian_velocity(0.0, t, 0.0, s)
    assert slope.max() == pytest.approx(exact.max_slope(s), rel=1e-6)
    assert t[slope.argmax()] == pytest.approx(exact.max_slope_time(s), abs=1e-4 if s < 1 else 1e-2)


def test_a_spread_of_one_hundredth_gives_a_slope_of_fifty():
    assert exact.max_slope(0.01) == pytest.approx(50.005)
    assert exact.max_slope_time(0.01) == pytest.approx(0.0101, abs=1e-5)


def test_finite_data_agrees_with_a_mixture_of_very_narrow_gaussians():
    rng = np.random.default_rng(1)
    atoms, x = rng.standard_normal((7, 3)), rng.standard_normal((20, 3))
    for t in (0.05, 0.4, 1.0):
        narrow = exact.mixture_velocity(x, t, np.full(7, 1 / 7), atoms, np.full(7, 1e-5))
        np.testing.assert_allclose(exact.finite_velocity(x, t, atoms), narrow, rtol=1e-4, atol=1e-4)


def test_one_atom_pulls_along_a_straight_line():
    """x_t = (1-t) a + t z, so z - a = (x - a) / t."""
    np.testing.assert_allclose(exact.finite_velocity([[3.0, 1.0]], 0.5, [[1.0, 1.0]]), [[4.0, 0.0]])


def test_the_slope_near_an_atom_is_one_over_t():
    atoms, t, h = np.array([[0.0], [5.0]]), 0.05, 1e-6
    rise = exact.finite_velocity([[h]], t, atoms) - exact.finite_velocity([[0.0]], t, atoms)
    assert rise[0, 0] / h == pytest.approx(1 / t, rel=1e-6)


def test_at_an_atom_the_field_goes_to_zero_although_it_is_minus_x_at_time_zero():
    atoms = np.array([[1.0, 2.0], [4.0, -1.0]])
    np.testing.assert_array_equal(exact.finite_velocity(atoms, 0.0, atoms), -atoms)
    start = 1e-3  # at (1-t) a, the centre of the noise around the first atom, v is -a; at a itself it vanishes with t
    np.testing.assert_allclose(exact.finite_velocity(atoms[:1], start, atoms), [[0.0, 0.0]], atol=1e-9)


def test_finite_data_far_from_all_atoms_does_not_underflow():
    atoms = np.array([[0.0], [1.0]])
    np.testing.assert_allclose(exact.finite_velocity([[1e3]], 1e-3, atoms), [[(1e3 - 1) / 1e-3]])


def test_chunks_do_not_change_the_field(monkeypatch):
    rng = np.random.default_rng(2)
    atoms, x = rng.standard_normal((9, 2)), rng.standard_normal((50, 2))
    whole = exact.finite_velocity(x, 0.3, atoms)
    monkeypatch.setattr(exact, "CHUNK_VALUES", 40)
    np.testing.assert_array_equal(exact.finite_velocity(x, 0.3, atoms), whole)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
def test_the_mixture_field_follows_from_its_score(t):
    x = np.random.default_rng(3).normal(scale=1.5, size=(40, 2))
    by_score = -(x + t * exact.mixture_score(x, t, *MIXTURE)) / (1 - t)
    np.testing.assert_allclose(exact.mixture_velocity(x, t, *MIXTURE), by_score, rtol=1e-9, atol=1e-9)


def test_the_mixture_score_is_the_gradient_of_its_log_density():
    x, h = np.random.default_rng(4).normal(size=(10, 2)), 1e-6
    for axis, shift in enumerate(h * np.eye(2)):
        rise = exact.mixture_log_density(x + shift, 0.4, *MIXTURE) - exact.mixture_log_density(x - shift, 0.4, *MIXTURE)
        np.testing.assert_allclose(rise / (2 * h), exact.mixture_score(x, 0.4, *MIXTURE)[:, axis], rtol=1e-6, atol=1e-7)


def test_the_mixture_density_integrates_to_one():
    axis = np.linspace(-8, 8, 321)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    assert np.exp(exact.mixture_log_density(grid, 0.5, *MIXTURE)).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(
        1, abs=1e-6
    )


def test_a_mixture_of_one_is_the_gaussian():
    x = GRID[:, None]
    one = exact.mixture_velocity(x, 0.35, [1.0], [[0.7]], [0.4])
    np.testing.assert_allclose(one, exact.gaussian_velocity(x, 0.35, 0.7, 0.4), rtol=1e-12)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: exact.gaussian_velocity(0.0, 1.5, 0, 1), "hold for t"),
        (lambda: exact.gaussian_velocity(0.0, 0.5, 0, -1), "hold for t"),
        (lambda: exact.gaussian_velocity(0.0, 0.5, 0, 1, -2), "hold for t"),
        (lambda: exact.gaussian_velocity(np.nan, 0.5, 0, 1), "not finite"),
        (lambda: exact.gaussian_velocity(0.0, 0.0, 0, 0), "singular"),
        (lambda: exact.gaussian_flow_map(0.0, 0.5, 0, 0), "without spread"),
        (lambda: exact.gaussian_barycentre(0.0, 0, 0), "without spread"),
        (lambda: exact.max_slope(1.5), "found 1.5"),
        (lambda: exact.finite_velocity(np.zeros((2, 2)), 0.5, np.zeros((3, 1))), "do not fit"),
        (lambda: exact.finite_velocity(np.zeros((2, 2)), -0.1, np.zeros((3, 2))), "outside"),
        (lambda: exact.mixture_velocity(np.zeros((2, 2)), 0.5, [0.5, 0.4], np.zeros((2, 2)), [1, 1]), "sum to 1"),
        (lambda: exact.mixture_velocity(np.zeros((2, 2)), 0.5, [1.0], np.zeros((2, 2)), [1]), "do not fit"),
        (lambda: exact.mixture_score(np.zeros((2, 2)), 0.0, [1.0], np.zeros((1, 2)), [0.0]), "without spread"),
    ],
)
def test_what_has_no_closed_form_is_refused(call, message):
    with pytest.raises(FlowError, match=message):
        call()
