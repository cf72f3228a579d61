"""What the flow was asked to learn: couplings against what is known of them (METHOD.md 3 and 5), learned paths
against decays worked by hand.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.errors import FlowError
from wtflow.flow import exact
from wtflow.flow.integrate import integrate_saved
from wtflow.store.runs import RunStore
from wtflow.studies.flow_answers import IDEAL_POSITIONS, IDEAL_STEPS, ideal_of
from wtflow.studies.ideal import COUPLINGS, compute_ideal
from wtflow.studies.pca import Pca

UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8}


def decay(x, t):
    return -x


def independent_field(x, t):
    """The closed form for standard Gaussian data under the independent coupling."""
    return torch.from_numpy(exact.gaussian_velocity(x.numpy(), float(t), 0.0, 1.0)).to(x)


def ideal(x: np.ndarray, velocity=decay, n: int | None = None, steps: int = 4, seed: int = 0, **changes):
    """For features x (M, C) and a field by hand; the plane is that of the first two channels, so that with C = 2
    nothing is lost.
    """
    flow = SimpleNamespace(
        settings=tiny_settings(**changes), detector=SimpleNamespace(velocity=velocity, device=torch.device("cpu"))
    )
    basis = Pca(np.zeros(x.shape[1]), np.eye(2, x.shape[1]), np.array([0.5, 0.25]))
    return compute_ideal(flow, x.astype(np.float32), basis, n or len(x), steps, seed)


def gaussian(n: int, channels: int) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(n, channels))


def noise(n: int, channels: int, seed: int = 0) -> np.ndarray:
    """What compute_ideal draws for this seed."""
    return torch.randn((n, channels), generator=torch.Generator().manual_seed(seed)).numpy()


# -- couplings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "gamma"), [(2, 0.87), (16, 0.61), (128, 0.23)])
def test_on_the_unit_variance_sphere_gamma_is_what_was_measured_for_groups_of_256(channels, gamma):
    """The table of METHOD.md 3; the optimal coupling is its mirror image."""
    x = gaussian(256, channels)
    found = ideal(np.sqrt(channels) * x / np.linalg.norm(x, axis=1, keepdims=True))
    assert found.strengths["worst"] == pytest.approx(gamma, abs=0.04)
    assert found.strengths["optimal"] == pytest.approx(-gamma, abs=0.04)
    assert abs(found.strengths["independent"]) < 4 / np.sqrt(256 * channels)


@pytest.mark.parametrize("channels", [1, 3, 40])
def test_the_same_points_and_noise_cost_least_under_optimal_and_most_under_worst(channels):
    found = ideal(gaussian(100, channels))
    assert found.costs["optimal"] < found.costs["independent"] < found.costs["worst"]
    assert found.strengths["optimal"] < 0 < found.strengths["worst"]
    for kind in COUPLINGS:  # |x - n|^2 = |x|^2 + |n|^2 - 2 <x, n>: cost and gamma tell the same story
        gap = 2 * channels * (found.strengths["worst"] - found.strengths[kind])
        assert found.costs["worst"] - found.costs[kind] == pytest.approx(gap, abs=1e-5)


def test_in_one_dimension_optimal_pairs_sorted_with_sorted_and_worst_sorted_with_reversed():
    found = ideal(gaussian(60, 1))
    order = np.argsort(found.start[:, 0])
    ends = {kind: found.ends[kind][order, 0] for kind in COUPLINGS}
    assert (np.diff(ends["optimal"]) > 0).all()
    assert (np.diff(ends["worst"]) < 0).all()
    assert (np.diff(ends["independent"]) > 0).any() and (np.diff(ends["independent"]) < 0).any()


def test_all_couplings_start_at_the_data_and_end_at_the_very_same_noise():
    x = gaussian(50, 2)
    found = ideal(x)
    by_value = lambda points: points[np.lexsort(points.T)]  # noqa: E731
    np.testing.assert_allclose(by_value(found.start), by_value(x), rtol=1e-6)
    for kind in COUPLINGS:
        np.testing.assert_allclose(by_value(found.ends[kind]), by_value(noise(50, 2)), rtol=1e-6)
        np.testing.assert_allclose(found.norms[kind][0], np.linalg.norm(found.start, axis=1), rtol=1e-5)
        np.testing.assert_allclose(found.norms[kind][-1], np.linalg.norm(found.ends[kind], axis=1), rtol=1e-5)
    assert not np.array_equal(found.ends["optimal"], found.ends["worst"])


def test_data_that_are_three_times_the_noise_shrink_along_optimal_lines():
    """3 n is a gradient of a convex function at n, so optimal pairs them again (METHOD.md 5.7): at t the norm is (3
    - 2 t) |n|.
    """
    found = ideal(3 * noise(40, 6))
    np.testing.assert_allclose(
        found.norms["optimal"], (3 - 2 * found.t)[:, None] * found.norms["optimal"][-1], rtol=1e-4
    )
    assert found.costs["optimal"] == pytest.approx(4 * np.square(noise(40, 6)).sum(1).mean(), rel=1e-5)


def test_data_that_oppose_the_noise_all_meet_at_the_origin_along_worst_lines():
    """-3 n meets n at t = 3/4 = s / (1 + s): the well of METHOD.md 5.3. At t the norm is |4 t - 3| |n|."""
    found = ideal(-3 * noise(40, 6))
    np.testing.assert_allclose(
        found.norms["worst"], np.abs(4 * found.t - 3)[:, None] * found.norms["worst"][-1], atol=1e-5
    )
    assert found.norms["worst"][3].max() < 1e-5
    assert np.median(found.norms["independent"][3]) > 1, "pairs at random pass the origin by"
    assert found.costs["worst"] == pytest.approx(16 * np.square(noise(40, 6)).sum(1).mean(), rel=1e-5)


# -- learned paths -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("solver", "factor"), [("euler", 3 / 4), ("heun", 1 - 1 / 4 + 1 / 32)])
def test_learned_paths_start_at_the_same_data_and_follow_the_field_with_the_runs_own_solver(solver, factor):
    """Under v = -x each step of 1/4 multiplies by 1 - h (Euler) or 1 - h + h^2 / 2 (Heun)."""
    found = ideal(gaussian(20, 2), solver=solver)
    for s in range(5):
        np.testing.assert_allclose(found.learned[s], factor**s * found.start, rtol=1e-5)
        np.testing.assert_allclose(
            found.norms["learned"][s], factor**s * np.linalg.norm(found.start, axis=1), rtol=1e-5
        )
    np.testing.assert_allclose(found.t, [0, 0.25, 0.5, 0.75, 1])


def test_learned_paths_are_those_of_the_integrator():
    found = ideal(gaussian(20, 2), independent_field, steps=7)
    t, path = integrate_saved(independent_field, torch.from_numpy(found.start), 7, "euler")
    np.testing.assert_allclose(found.learned, path, atol=1e-6)
    np.testing.assert_allclose(found.t, t)


def test_under_the_exact_field_the_crowd_is_as_wide_as_its_crossing_lines_at_every_time():
    """Single paths differ from the lines, but the field carries the same distribution: mean squares are d ((1-t)^2 +
    t^2).
    """
    found = ideal(gaussian(400, 16), independent_field, steps=60)
    square = {name: np.square(found.norms[name]).mean(1) / 16 for name in ("learned", "independent")}
    np.testing.assert_allclose(square["learned"], (1 - found.t) ** 2 + found.t**2, rtol=0.06)
    np.testing.assert_allclose(square["independent"], (1 - found.t) ** 2 + found.t**2, rtol=0.06)


# -- the batch ---------------------------------------------------------------------------------------------------------


def test_the_batch_is_drawn_from_the_positions_and_repeats_for_a_seed():
    x = gaussian(90, 2)
    found, again, other = ideal(x, n=30), ideal(x, n=30), ideal(x, n=30, seed=1)
    assert found.start.shape == (30, 2)
    assert {tuple(point) for point in found.start.tolist()} <= {tuple(point) for point in x.astype(np.float32).tolist()}
    assert len({tuple(point) for point in found.start.tolist()}) == 30
    assert np.array_equal(found.start, again.start) and found.costs == again.costs
    assert not np.array_equal(found.start, other.start) and found.costs != other.costs
    assert len(ideal(x, n=1000).start) == 90


def test_a_unet_and_a_single_position_are_sentences():
    with pytest.raises(FlowError, match="unet pairs and moves whole images"):
        ideal(gaussian(9, 3), **UNET)
    with pytest.raises(FlowError, match="at least two positions"):
        ideal(gaussian(9, 3), n=1)
    with pytest.raises(FlowError, match="at least two positions"):
        ideal(gaussian(1, 3), n=5)


def test_a_real_run_is_compared_with_the_coupling_that_it_was_trained_with(tmp_path):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "data", n_train=8, n_good=1, n_bad=1), coupling="optimal")
    found = ideal_of(store, run_id)
    n_times, n = IDEAL_STEPS + 1, IDEAL_POSITIONS
    assert found.trained_with == "optimal"
    assert found.learned.shape == (n_times, n, 2)
    assert {name: values.shape for name, values in found.norms.items()} == dict.fromkeys(
        [*COUPLINGS, "learned"], (n_times, n)
    )
    assert found.costs["optimal"] < found.costs["independent"] < found.costs["worst"]
    for kind in COUPLINGS:
        np.testing.assert_allclose(found.norms[kind][0], found.norms["learned"][0], rtol=1e-5)
