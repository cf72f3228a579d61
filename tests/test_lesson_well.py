"""Lesson 7: the small network, what it is compared with, and the file it is stored in."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from wtflow.errors import FlowError
from wtflow.flow.exact import gaussian_velocity
from wtflow.lessons import small_net, well
from wtflow.lessons.base import DATA_SETS, KINDS, N_POINTS, Scene, read_settings, write_settings
from wtflow.lessons.small_net import N_WEIGHTS
from wtflow.lessons.well_ends import beside, exact_gap, exact_path
from wtflow.lessons.well_figures import REACH

START = {control.name: float(control.start) for control in well.CONTROLS}
MOONS = DATA_SETS["moons"](N_POINTS, np.random.default_rng(0)).astype(np.float32).astype(np.float64)


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """(3, N_WEIGHTS) stored for the moons."""
    return well.stored_weights(MOONS)


def as_torch(weights: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(part.copy(), dtype=torch.float64, requires_grad=True) for part in small_net.unpack(weights)]


def torch_velocity(parts: list[torch.Tensor], x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    w1, b1, w2, b2, w3, b3 = parts
    hidden = torch.tanh(torch.nn.functional.linear(torch.cat([x, 2 * t[:, None] - 1], 1), w1, b1))
    return torch.nn.functional.linear(torch.tanh(torch.nn.functional.linear(hidden, w2, b2)), w3, b3)


# -- the network -------------------------------------------------------------------------------------------------------


def test_the_slope_of_the_loss_is_that_of_automatic_differentiation():
    rng = np.random.default_rng(3)
    start = small_net.start_weights(rng)
    x, noise, t = rng.standard_normal((9, 2)), rng.standard_normal((9, 2)), rng.random(9)
    loss, slope = small_net.loss_and_slope(start, x, noise, t)
    parts = as_torch(start)
    x_, noise_, t_ = map(torch.tensor, (x, noise, t))
    expected = (
        0.5
        * (torch_velocity(parts, (1 - t_[:, None]) * x_ + t_[:, None] * noise_, t_) - (noise_ - x_))
        .square()
        .sum(1)
        .mean()
    )
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(slope, torch.cat([part.grad.ravel() for part in parts]).numpy(), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_keep_their_noise_within_groups_and_have_the_extreme_cost_there(kind):
    rng = np.random.default_rng(4)
    x, noise = rng.standard_normal((2, 128, 2))
    paired = small_net.couple(x, noise, kind)
    for start in (0, 64):
        rows = slice(start, start + 64)
        assert {tuple(one) for one in paired[rows]} == {tuple(one) for one in noise[rows]}
        squared = np.square(x[rows, None] - noise[None, rows]).sum(-1)
        found = np.square(x[rows] - paired[rows]).sum()
        if kind == "independent":
            np.testing.assert_array_equal(paired[rows], noise[rows])
        else:
            assert found == pytest.approx(squared[linear_sum_assignment(squared, maximize=kind == "worst")].sum())


def test_training_learns_the_closed_form_of_one_gaussian_where_the_data_are():
    """1,200 steps on 4,000 points of N(0, I) come near v = (2t - 1) / ((1-t)^2 + t^2) x."""
    rng = np.random.default_rng(5)
    found = small_net.train(rng.standard_normal((4000, 2)), "independent", 1200, rng)
    x = np.array([[0.5, 0.0], [-0.7, 0.7], [0.0, -1.0]])
    for t in (0.2, 0.5, 0.8):
        np.testing.assert_allclose(small_net.velocity(found, x, t), gaussian_velocity(x, t, 0.0, 1.0), atol=0.2)


def test_the_same_seed_trains_the_same_network_and_nothing_to_learn_is_refused():
    first, second = (small_net.train(MOONS, "worst", 3, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, small_net.train(MOONS, "worst", 3, np.random.default_rng(2)))
    with pytest.raises(FlowError, match="learns points in the plane"):
        small_net.train(np.empty((0, 2)), "worst", 3, np.random.default_rng(1))


def test_a_network_that_only_says_minus_x_ends_at_zero_in_one_step_and_not_in_two():
    """Tanh of a tiny multiple is linear: W1 and W2 shrink x by a thousand, W3 brings it back with the sign turned."""
    w = np.zeros(N_WEIGHTS)
    w1, _, w2, _, w3, _ = small_net.unpack(w)
    w1[0, 0] = w1[1, 1] = 1e-3
    w2[0, 0] = w2[1, 1] = 1.0
    w3[0, 0] = w3[1, 1] = -1e3
    x = np.array([[3.0, -4.0]])
    np.testing.assert_allclose(small_net.velocity(w, x, 0.7), -x, rtol=1e-4)
    assert small_net.score(small_net.travel(w, x, 1)[-1])[0] == pytest.approx(0, abs=1e-6)
    assert small_net.score(small_net.travel(w, x, 2)[-1])[0] == pytest.approx(0.5 * 12.5 / 16, rel=1e-3), (
        "two steps halve x twice"
    )


# -- what is stored ----------------------------------------------------------------------------------------------------


def test_the_file_is_small_and_holds_a_network_for_each_data_set_and_coupling():
    assert well.FILE.stat().st_size < 300_000
    for name in well.DATA:
        points = DATA_SETS[name](N_POINTS, np.random.default_rng(0))
        assert well.stored_weights(points.astype(np.float32)).shape == (3, N_WEIGHTS)
    assert well.stored_weights(MOONS + 0.01) is None, "other points, no network"


@pytest.mark.parametrize("name", well.DATA)
def test_stored_networks_are_near_the_exact_field_for_independent_pairs_and_only_for_those(name):
    points = DATA_SETS[name](N_POINTS, np.random.default_rng(0)).astype(np.float32).astype(np.float64)
    gaps = [well.excess_loss(one, points, np.random.default_rng(6)) for one in well.stored_weights(points)]
    assert gaps[0] < 0.06
    assert min(gaps[1:]) > 0.2, "another coupling, another field"


def test_the_script_writes_the_same_file_twice(tmp_path):
    for name in ("one", "two"):
        well.write_stored(tmp_path / f"{name}.npz", steps=2)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


# -- the lesson --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "points",
    [None, np.array([[1.0, -0.5]]), np.random.default_rng(0).normal(size=(30, 2))],
    ids=["moons", "one point", "drawn"],
)
def test_every_number_that_python_checks_holds(points):
    scene = well.prepare(0, points, START)
    assert len(scene.checks) >= 2
    assert [check.label for check in scene.checks if not check.holds] == []
    assert scene.data["is_stored"] == (points is None)


def test_one_exact_step_ends_at_zero_wherever_it_starts_and_many_steps_grow_with_their_number():
    x = np.array([[0.0, 0.0], [4.0, -4.0], MOONS[0]])
    np.testing.assert_allclose(exact_path(x, MOONS, 1)[-1], 0, atol=1e-12)
    ends = [np.linalg.norm(exact_path(MOONS[:1] + 0.5, MOONS, steps)[-1]) for steps in (50, 100, 200)]
    assert ends[2] / ends[1] == pytest.approx(2, rel=0.1)
    assert ends[1] / ends[0] == pytest.approx(2, rel=0.1)


def test_far_points_score_above_nearly_all_data_by_one_step_but_the_empty_middle_does_not(weights):
    data = well.one_step_score(weights[0], MOONS)
    assert well.one_step_score(weights[0], np.array([well.FAR]))[0] > 10 * np.quantile(data, 0.99)
    assert well.one_step_score(weights[0], np.zeros((1, 2)))[0] < np.quantile(data, 0.99)


def test_at_t_0_the_error_map_is_the_one_step_endpoint_norm(weights):
    """Learned minus exact is v + x = y there, so the score is a quarter of its square."""
    grid = np.random.default_rng(7).uniform(-4, 4, (20, 2))
    error = exact_gap(weights[0], MOONS, grid, 0.0)
    np.testing.assert_allclose(well.one_step_score(weights[0], grid), error**2 / 4, rtol=1e-9)


def test_around_a_lone_data_point_the_exact_end_is_the_number_of_steps_less_one_times_the_way_from_it():
    """Worked out by hand: the first step ends at (1 - 1/n) x, each later one k multiplies the distance by 1 + 1/k."""
    atom, x = np.array([[0.7, -0.4]]), np.array([[1.5, 0.2], [0.7, 2.0]])
    for n in (1, 2, 9, 50):
        np.testing.assert_allclose(exact_path(x, atom, n)[-1], (n - 1) * (x - atom), rtol=1e-9, atol=1e-9)


def test_the_places_beside_data_are_as_far_as_said_from_their_point_and_are_no_data():
    near = beside(MOONS, 12, 0.05)
    least = np.linalg.norm(near[:, None] - MOONS[None], axis=-1).min(axis=1)
    assert near.shape == (12, 2)
    assert np.all((least > 0) & (least <= 0.05 + 1e-12))
    assert beside(MOONS[:1]).shape == (1, 2)


def test_the_browser_is_sent_what_a_torch_network_with_these_weights_says():
    scene: Scene = well.prepare(0, None, START)
    for kind, own in enumerate(scene.data["weights"]):
        x, t = (
            torch.tensor(values) for values in (scene.data["probes"][:, :2].copy(), scene.data["probes"][:, 2].copy())
        )
        with torch.no_grad():
            v = torch_velocity(as_torch(own), x, t).numpy()
        np.testing.assert_allclose(scene.data["probe_v"][kind], v, atol=1e-9)
        assert scene.data["far_score"][kind] == pytest.approx(0.25 * np.square(np.array(well.FAR) + v[3]).sum())


def test_settings_change_nothing_that_is_sent_so_that_a_drag_does_not_begin_the_picture_anew():
    first, second = (
        well.prepare(0, None, START | change).data for change in ({}, {"ax": 3.0, "coupling": 2.0, "t": 0.5})
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert well.places(START | {"bx": -2.0})[1].tolist() == [-2.0, START["by"]]


def test_the_lesson_starts_with_the_worst_coupling_and_addresses_from_before_open_it():
    assert read_settings(well.CONTROLS, None)["coupling"] == 2
    assert write_settings(well.CONTROLS, read_settings(well.CONTROLS, "coupling:2")) == ""
    assert write_settings(well.CONTROLS, read_settings(well.CONTROLS, "coupling:0")) == "coupling:0"
    old = read_settings(well.CONTROLS, "coupling:2,map:2,net:1,t:0.4,ax:4.2")
    assert (old["act"], old["map"], old["net"], old["ax"]) == (0, 1, 1, 4.2)


# -- stills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [0, 1])
@pytest.mark.parametrize("t", [0.0, 0.6, 1.0])
def test_an_anomaly_is_in_the_still_or_its_distance_stands_at_the_edge(weights, act, t):
    """By the worst coupling's network B and C end outside; the exact field throws out all three."""
    settings = START | {"act": act, "t": t}
    plane = dict(well.figure(well.prepare(0, None, settings), settings))["plane"]
    axes, starts = plane.axes[0], well.places(settings)
    path = exact_path(starts, MOONS, 20) if act else small_net.travel(weights[2], starts, 20)
    at = min(20 * t, 20 - 1e-9)
    now = path[int(at)] + (at % 1) * (path[int(at) + 1] - path[int(at)])
    said = {text.get_text() for text in axes.texts}
    is_out = np.abs(now).max(axis=1) > REACH
    assert {f"{np.linalg.norm(place):.1f}" for place in now[is_out]} <= said
    assert is_out.any() == (t > 0)
    assert len(said - {""}) >= (np.abs(path[-1]).max(axis=1) > REACH).sum(), "ends outside are shown from the start"
    assert "arrow at the edge: distance from 0" in axes.get_xlabel()
    assert axes.get_xlim() == axes.get_ylim() == (-REACH, REACH)


def test_the_second_act_has_its_own_stills():
    settings = START | {"act": 1.0}
    found = dict(well.figure(well.prepare(0, None, settings), settings))
    assert list(found) == ["plane", "map", "steps"]
    lines = {line.get_label(): line.get_ydata() for line in found["steps"].axes[0].lines}
    assert lines["A, B, C, exact"][0] < 1e-3, "one exact step sees nothing"
    assert lines["A, B, C, exact"][-1] > 100 * lines["A, B, C, learned"][-1]
