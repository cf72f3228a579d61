import numpy as np
import pytest
import torch

from wtflow.config import settings_from
from wtflow.errors import FlowError
from wtflow.flow import exact
from wtflow.flow.integrate import integrate
from wtflow.flow.velocity import ResidualMLP, UNet
from wtflow.scoring.maps import compute_map, deviation_score, endpoint_score, mismatch_score

MEAN, STD = 0.5, 0.7


def grids(n=3, seed=0, size=4, channels=5):
    return torch.randn(n, size, size, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian(rho):
    """The exact field of Gaussian data as a velocity."""
    return lambda x, t: torch.from_numpy(exact.gaussian_velocity(x.numpy(), t.numpy(), MEAN, STD, rho))


def settings(**changes):
    return settings_from("fast", changes)


def test_the_endpoint_score_is_worked_by_hand():
    assert endpoint_score(torch.tensor([[1.0, -3.0], [0.0, 0.0]])).tolist() == [2.5, 0.0]


@pytest.mark.parametrize("rho", [-0.8, 0.0])
def test_many_steps_score_half_the_mean_mahalanobis_distance_whatever_the_coupling(rho):
    x = grids()
    maps = compute_map(gaussian(rho), x, settings(steps=200, solver="heun"), seed=0)
    np.testing.assert_allclose(maps, 0.5 * np.square((x.numpy() - MEAN) / STD).mean(-1), rtol=2e-3)


def test_one_step_scores_nothing_for_a_perfect_independent_field():
    maps = compute_map(gaussian(0.0), grids(), settings(steps=1), seed=0)
    assert np.abs(maps).max() < 1e-12


def test_positions_moved_a_few_at_a_time_end_where_all_together_end(monkeypatch):
    network, x = ResidualMLP(5, 16, 2).eval(), grids().float()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    sizes = []
    network.blocks[0].register_forward_pre_hook(lambda module, arguments: sizes.append(len(arguments[0])))
    monkeypatch.setattr("wtflow.scoring.maps.N_AT_ONCE", 20)
    monkeypatch.setattr("wtflow.scoring.maps.n_cores", lambda: 1)
    maps = compute_map(network, x, settings(steps=3, precision="full"), seed=0)
    assert sizes == [20] * 6 + [8] * 3
    np.testing.assert_allclose(maps, endpoint_score(integrate(network, x, 3)).detach().numpy(), rtol=1e-5)


def test_relative_is_the_endpoint_map_until_it_is_upsampled():
    x = grids()
    np.testing.assert_array_equal(
        compute_map(gaussian(0.0), x, settings(score="relative"), seed=0),
        compute_map(gaussian(0.0), x, settings(score="endpoint"), seed=0),
    )


def test_deviation_of_a_field_that_points_home_is_zero():
    """Along x_t = (1-t) x the field v = -x_t / (1-t) is -x, the straight way to the origin."""
    x = grids()
    assert deviation_score(lambda x, t: -x / (1 - t), x, 0.6).abs().max() < 1e-12


def test_deviation_is_worked_by_hand():
    """v = 2 x_t at t=0.5 and x=(2, 4): v + x = (4, 8), mean square 40."""
    x = torch.tensor([[[[2.0, 4.0]]]])
    maps = compute_map(lambda x, t: 2 * x, x, settings(score="deviation", deviation_time=0.5), seed=0)
    assert maps.tolist() == [[[40.0]]]


def test_deviation_at_time_zero_is_the_distance_of_the_barycentre_from_the_origin():
    x = grids()
    maps = compute_map(gaussian(-0.6), x, settings(score="deviation", deviation_time=0.0), seed=0)
    np.testing.assert_allclose(
        maps, np.square(exact.gaussian_barycentre(x.numpy(), MEAN, STD, -0.6)).mean(-1), rtol=1e-6
    )


def test_mismatch_is_zero_for_the_field_that_knows_its_only_atom():
    atom = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    x = atom.expand(2, 3, 3, 3)
    assert mismatch_score(lambda x, t: (x - atom) / t, x, 4, seed=0).abs().max() < 1e-20
    elsewhere = mismatch_score(lambda x, t: (x - atom) / t, x + 1.0, 4, seed=0)
    # x_t moves by (1-t), so v by (1-t)/t, and the target by -1: the error is 1/t at every noise.
    assert torch.allclose(
        elsewhere, torch.full_like(elsewhere, np.mean([1 / t**2 for t in (0.125, 0.375, 0.625, 0.875)]))
    )


def test_mismatch_of_no_field_at_all_has_the_mean_of_a_chi_square():
    """v = 0 leaves mean_c (noise - x)^2, on average 1 + x^2 = 5 for x = 2."""
    score = mismatch_score(lambda x, t: torch.zeros_like(x), torch.full((1, 20, 20, 8), 2.0), 8, seed=3)
    assert score.mean().item() == pytest.approx(5, abs=0.1)


def test_mismatch_repeats_with_its_seed_and_only_with_it():
    x, chosen = grids(), settings(score="mismatch")
    first = compute_map(gaussian(0.0), x, chosen, seed=1)
    np.testing.assert_array_equal(first, compute_map(gaussian(0.0), x, chosen, seed=1))
    assert not np.array_equal(first, compute_map(gaussian(0.0), x, chosen, seed=2))


def test_mismatch_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    compute_map(gaussian(0.0), grids(), settings(score="mismatch"), seed=1)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("score", ["endpoint", "relative", "deviation", "mismatch"])
def test_the_map_of_an_image_does_not_depend_on_its_batch(score):
    x, chosen = grids(4), settings(score=score)
    together = compute_map(gaussian(-0.3), x, chosen, seed=5)
    assert together.shape == (4, 4, 4)
    assert together.dtype == np.float32
    assert together.min() >= 0
    alone = [compute_map(gaussian(-0.3), x[i : i + 1], chosen, seed=5)[0] for i in range(4)]
    np.testing.assert_allclose(together, alone, rtol=1e-6)


@pytest.mark.parametrize("score", ["endpoint", "deviation", "mismatch"])
def test_farther_features_score_higher(score):
    near = compute_map(
        gaussian(0.0), torch.full((1, 4, 4, 5), MEAN, dtype=torch.float64), settings(score=score), seed=0
    )
    far = compute_map(
        gaussian(0.0), torch.full((1, 4, 4, 5), MEAN + 6 * STD, dtype=torch.float64), settings(score=score), seed=0
    )
    assert far.min() > near.max()


def test_a_network_in_training_mode_is_refused_until_eval_is_called():
    network = UNet(5, 8)
    x = grids().float()
    with pytest.raises(FlowError, match=r"training mode.*Call eval"):
        compute_map(network, x, settings(), seed=0)
    assert np.isfinite(compute_map(network.eval(), x, settings(), seed=0)).all()


@pytest.mark.parametrize("score", ["endpoint", "deviation", "mismatch"])
def test_values_that_are_not_finite_say_what_to_do(score):
    with pytest.raises(FlowError, match="lower learning rate"):
        compute_map(lambda x, t: x / 0, grids(), settings(score=score), seed=0)


@pytest.mark.parametrize("shape", [(4, 5), (0, 4, 4, 5)])
def test_features_that_are_no_grids_are_refused(shape):
    with pytest.raises(FlowError, match=r"grids \(B, H, W, C\)"):
        compute_map(gaussian(0.0), torch.zeros(shape), settings(), seed=0)
