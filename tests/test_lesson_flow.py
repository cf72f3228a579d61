import numpy as np
import pytest
from scipy.integrate import solve_ivp

from wtflow.flow.exact import finite_velocity, gaussian_flow_map
from wtflow.lessons import flow
from wtflow.lessons.base import choose_points, read_settings

ATOMS = np.array([[1.0, 0.5], [-1.0, 0.2], [0.3, -1.4]])


def test_from_noise_every_particle_lands_on_a_data_point():
    noise = flow.balanced_noise(200, 0)
    _, paths = flow.travel(choose_points("moons", None, 0), noise, is_reversed=False)
    np.testing.assert_array_equal(paths[-1], noise)
    gaps = np.linalg.norm(paths[0][:, None] - choose_points("moons", None, 0), axis=2).min(axis=1)
    assert gaps.max() < 1e-3


def test_a_path_is_that_of_a_general_solver():
    times, paths = flow.travel(ATOMS, np.array([[0.8, -0.3]]), is_reversed=False, n_times=480)
    k = 200
    solved = solve_ivp(
        lambda t, x: finite_velocity(x[None], t, ATOMS)[0], (1.0, times[k]), [0.8, -0.3], rtol=1e-9, atol=1e-11
    )
    np.testing.assert_allclose(paths[k, 0], solved.y[:, -1], atol=3e-4)


def test_half_the_step_quarters_the_error():
    start, ends = np.array([[0.8, -0.3], [-0.2, 0.9]]), []
    for n in (16, 32, 64, 512):
        ends.append(flow.follow(start, np.linspace(1, 0.3, n + 1), ATOMS)[-1])
    errors = [np.abs(end - ends[-1]).max() for end in ends[:-1]]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.25)


def test_with_one_data_point_a_path_is_its_line():
    times, paths = flow.travel(np.array([[2.0, -1.0]]), np.array([[0.5, 0.7]]), is_reversed=True)
    np.testing.assert_allclose(
        paths[:, 0], (1 - times)[:, None] * [2.0, -1.0] + times[:, None] * [0.5, 0.7], atol=1e-12
    )


def test_there_and_back_from_above_the_singular_time_returns():
    times = np.linspace(0.4, 1, 200)
    start = np.array([[0.4, 0.1], [-0.6, 0.3]])
    there = flow.follow(start, times, ATOMS)[-1]
    np.testing.assert_allclose(flow.follow(there, times[::-1], ATOMS)[-1], start, atol=1e-3)


def test_many_gaussian_data_points_carry_particles_as_the_gaussian_flow_does():
    """A crowd of 4,000 draws from N(0, 0.7^2) stands for the Gaussian, whose flow map is known."""
    atoms = 0.7 * np.random.default_rng(0).standard_normal((4000, 2))
    start = np.array([[0.35, 0.0], [0.0, -0.6]])
    times = np.linspace(0.4, 1, 25)
    at_begin = gaussian_flow_map(start, 0.4, 0.0, 0.7)
    np.testing.assert_allclose(
        flow.follow(at_begin, times, atoms)[-1], gaussian_flow_map(start, 1.0, 0.0, 0.7), atol=0.08
    )


@pytest.mark.parametrize("is_reversed", [True, False])
@pytest.mark.parametrize("name", ["moons", "letters"])
def test_the_crowd_is_spread_as_x_t_is_at_every_time(is_reversed, name):
    atoms = choose_points(name, None, 1)
    times, paths = flow.travel(atoms, flow.balanced_noise(256, 1), is_reversed)
    closed = 2 * (1 - times) ** 2 + 2 * times**2  # both have mean squared norm 2
    np.testing.assert_allclose(np.square(paths).sum(axis=2).mean(axis=1), closed, atol=0.4)
    np.testing.assert_allclose(flow.mean_square(times, atoms), closed, atol=1e-12)


def test_from_data_a_particle_does_not_arrive_at_the_noise_of_its_own_line():
    """A statement of the lesson's answer."""
    atoms, noise = choose_points("moons", None, 0), flow.balanced_noise(256, 0)
    _, paths = flow.travel(atoms, noise, is_reversed=True)
    assert np.median(np.linalg.norm(paths[-1] - noise, axis=1)) > 0.5


def test_the_slope_of_the_density_of_one_point_is_that_of_its_gaussian():
    x, a, t = np.array([[0.3, 0.9]]), np.array([[1.0, -1.0]]), 0.6
    np.testing.assert_allclose(flow.density_slope(x, t, a), -(x - 0.4 * a) / 0.36, rtol=1e-6)


def test_balanced_noise_has_mean_zero_and_mean_squared_norm_two():
    noise = flow.balanced_noise(50, 4)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=1e-12)
    assert np.square(noise).sum(axis=1).mean() == pytest.approx(2)
    assert flow.balanced_noise(1, 0).shape == (1, 2)


def test_drawn_points_in_the_order_of_a_pen_do_not_fool_the_checks():
    """A spiral drawn from inside: its first points are its innermost."""
    angle = np.linspace(0, 48, 350)
    spiral = (0.4 + 2.2 * angle / 48)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for seed in range(3):
        assert [check for check in flow.prepare(seed, spiral, {}).checks if not check.holds] == []


def test_one_drawn_point_is_enough_for_the_lesson():
    scene = flow.prepare(0, np.array([[0.5, 0.5]]), read_settings(flow.CONTROLS, None))
    assert all(check.holds for check in scene.checks)


def test_the_figure_shows_the_particles_on_the_data_at_t_0():
    settings = read_settings(flow.CONTROLS, "t:0")
    scene = flow.prepare(0, ATOMS, settings)
    [(name, figure)] = flow.figure(scene, settings)
    particles = next(line for line in figure.axes[0].lines if line.get_label() == "particles")
    assert name == "flow"
    np.testing.assert_allclose(np.stack(particles.get_data(), axis=1), ATOMS)
