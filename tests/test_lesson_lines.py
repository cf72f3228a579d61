import numpy as np
import pytest

from wtflow.errors import FlowError
from wtflow.lessons import lines
from wtflow.lessons.base import choose_points, read_settings


def test_every_line_passes_the_place_at_its_time():
    atoms, place = choose_points("grid", None, 0), np.array([0.4, -0.7])
    for t in (0.05, 0.5, 1.0):
        noise, _ = lines.lines_through(place, t, atoms)
        np.testing.assert_allclose((1 - t) * atoms + t * noise, np.tile(place, (len(atoms), 1)), atol=1e-12)


def test_two_lines_worked_by_hand():
    """Atoms (1, 0) and (-1, 0), place (0.5, 0), t = 1/2: noises (0, 0) and (2, 0), so weights 1 and e^-2 of their
    sum, velocities (-1, 0) and (3, 0).
    """
    noise, weights = lines.lines_through(np.array([0.5, 0.0]), 0.5, np.array([[1.0, 0.0], [-1.0, 0.0]]))
    np.testing.assert_allclose(noise, [[0, 0], [2, 0]])
    np.testing.assert_allclose(weights, [0.880797, 0.119203], atol=1e-6)
    np.testing.assert_allclose(weights @ (noise - [[1, 0], [-1, 0]]), [-0.523188, 0], atol=1e-6)


def test_the_mean_of_the_lines_is_the_regression_of_noise_minus_data_on_drawn_pairs():
    rng = np.random.default_rng(0)
    atoms, t, place = rng.normal(size=(5, 2)), 0.6, np.array([0.3, 0.2])
    data, noise = atoms[rng.integers(5, size=2_000_000)], rng.standard_normal((2_000_000, 2))
    near = np.square((1 - t) * data + t * noise - place).sum(axis=1) < 0.03**2
    seen = (noise - data)[near]
    ends, weights = lines.lines_through(place, t, atoms)
    np.testing.assert_allclose(weights @ (ends - atoms), seen.mean(axis=0), atol=5 * seen.std() / np.sqrt(len(seen)))


def test_at_t_1_all_lines_are_equally_likely():
    _, weights = lines.lines_through(np.array([1.0, 1.0]), 1.0, choose_points("moons", None, 0))
    np.testing.assert_allclose(weights, 1 / 256)


def test_near_t_0_the_line_of_the_nearest_data_point_has_all_the_weight():
    atoms = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]])
    _, weights = lines.lines_through(np.array([0.2, 0.1]), 1e-3, atoms)
    np.testing.assert_allclose(weights, [1, 0, 0], atol=1e-12)


@pytest.mark.parametrize("t", [0.0, -0.1, 1.1])
def test_lines_are_not_asked_for_where_they_say_nothing(t):
    with pytest.raises(FlowError, match="lines through"):
        lines.lines_through(np.zeros(2), t, np.ones((1, 2)))


@pytest.mark.parametrize("text", ["t:0", "t:1", "t:0.01,px:3,py:-3", "t:0.5,px:-1.2"])
def test_all_checks_hold_wherever_a_person_points(text):
    for name in lines.DATA:
        scene = lines.prepare(0, choose_points(name, None, 0), read_settings(lines.CONTROLS, text))
        assert [check for check in scene.checks if not check.holds] == []


def test_at_t_0_the_figure_shows_the_value_and_says_so():
    settings = read_settings(lines.CONTROLS, "t:0")
    [(_, figure)] = lines.figure(lines.prepare(0, None, settings), settings)
    assert figure.axes[0].get_title(loc="left") == "t = 0: shown is the value v(x, 0) = -x"
    assert [line.get_label() for line in figure.axes[0].lines] == ["data points", "the place"], "no lines"
