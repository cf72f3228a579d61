"""The training loop and what it draws: batches of seed and step, the learning rate by hand, exact resuming, a known
answer.
"""

import copy
import math

import numpy as np
import pytest
import torch

from wtflow.config import settings_from
from wtflow.errors import FlowError
from wtflow.flow import exact
from wtflow.flow.coupling import coupling_strength, transport_cost
from wtflow.flow.integrate import integrate
from wtflow.flow.velocity import build_velocity
from wtflow.scoring.normalise import fit_normaliser
from wtflow.store.features import FeatureCache
from wtflow.training.loop import MAX_GRADIENT_NORM, Trainer, learning_rate, total_steps
from wtflow.training.pool import (
    draw_positions,
    image_batches,
    normalise_positions,
    position_batches,
    squared_mahalanobis,
)

CPU = torch.device("cpu")
TINY = {"width": 16, "depth": 1, "batch_size": 32, "group_size": 16, "iterations": 40}
UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 4, "group_size": 4}


def settings(**changes):
    return settings_from("fast", TINY | changes)


def position_pool(n=500, channels=4, seed=0):
    return torch.randn(n, channels, generator=torch.Generator().manual_seed(seed)).half()


@pytest.fixture
def cache(tmp_path):
    """Features of 10 images, 3 x 3 x 4; every value of image i lies in [i, i + 1)."""
    cache = FeatureCache(tmp_path)
    grids = np.arange(10)[:, None, None, None] + np.random.default_rng(0).random((10, 3, 3, 4)) * 0.99
    with cache.writer("key", grids.shape) as writer:
        writer.append(grids.astype(np.float16))
    return cache


# -- the pool ----------------------------------------------------------------------------------------------------------


def test_all_positions_of_the_chosen_images_are_drawn_when_they_are_few(cache):
    drawn = draw_positions(cache, "key", np.array([1, 4, 7]), 1000, seed=0)
    expected = cache.open("key")[[1, 4, 7]].reshape(-1, 4)
    assert np.array_equal(drawn, expected)


def test_positions_are_drawn_evenly_over_images_without_repeats_and_never_from_others(cache):
    drawn = draw_positions(cache, "key", np.array([0, 2, 3, 9]), 16, seed=0)
    counts = np.bincount(np.floor(drawn[:, 0].astype(float)).astype(int), minlength=10)
    assert counts.tolist() == [4, 0, 4, 4, 0, 0, 0, 0, 0, 4]
    assert len(np.unique(drawn, axis=0)) == 16


def test_the_drawn_positions_depend_on_the_seed_alone(cache):
    rows = np.arange(10)
    first, again, other = (draw_positions(cache, "key", rows, 30, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_image_gives_at_least_one_position(cache):
    assert len(draw_positions(cache, "key", np.arange(10), 5, seed=0)) == 10


@pytest.mark.parametrize(("kept", "is_over"), [(3, False), (4, True)])
def test_normalising_in_chunks_is_normalising_at_once_and_takes_no_second_array_where_the_first_can_hold_it(
    kept, is_over
):
    positions = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float16)
    before, normaliser = positions.copy(), fit_normaliser("pca", positions, 0.5, kept)
    whole, chunked = normalise_positions(before.copy(), normaliser), normalise_positions(positions, normaliser, chunk=7)
    assert whole.shape == (100, kept)
    torch.testing.assert_close(whole, chunked, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(whole.float(), normaliser(torch.from_numpy(before).float()), atol=5e-3, rtol=5e-3)
    assert np.shares_memory(chunked.numpy(), positions) == is_over


# -- batches -----------------------------------------------------------------------------------------------------------


def draws(cache, kind, **changes):
    """A fresh function step -> batch of the named kind."""
    if kind == "positions":
        return position_batches(position_pool(), settings(**changes))
    normaliser = fit_normaliser("channel", cache.open("key").reshape(-1, 4), 0.5, 0)
    return image_batches(cache, "key", np.arange(1, 10), normaliser, settings(**UNET | {"scope": kind} | changes))


KINDS = ["positions", "image", "local"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_depends_on_the_seed_and_the_step_and_on_nothing_drawn_before(cache, kind):
    one, another = draws(cache, kind), draws(cache, kind)
    for step in range(5):
        one(step)
    torch.manual_seed(99)
    for a, b in zip(one(17), another(17), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one(17)[0], one(18)[0])
    assert not torch.equal(one(17)[1], draws(cache, kind, seed=1)(17)[1])


@pytest.mark.parametrize("kind", KINDS)
def test_neighbouring_seeds_do_not_share_batches_at_shifted_steps(cache, kind):
    """A seed added to the step would make run 1 the shifted copy of run 0."""
    zero, one = draws(cache, kind, seed=0), draws(cache, kind, seed=1)
    assert not any(torch.equal(zero(a)[2], one(b)[2]) for a in range(4) for b in range(4))


@pytest.mark.parametrize(("kind", "shape"), [("positions", (32, 4)), ("image", (4, 3, 3, 4)), ("local", (4, 3, 3, 4))])
def test_a_batch_has_data_its_noise_and_one_time_per_row(cache, kind, shape):
    x_data, x_noise, t = draws(cache, kind)(0)
    assert x_data.shape == x_noise.shape == shape
    assert t.shape == shape[:1]
    assert (t >= 0).all()
    assert (t < 1).all()
    assert x_data.dtype == x_noise.dtype == torch.float32


@pytest.mark.parametrize(
    ("batch_size", "n_times", "n_pairs"), [(32, 1, 32), (32, 2, 16), (32, 4, 8), (31, 2, 16), (33, 4, 9)]
)
def test_a_pair_comes_at_several_times_evenly_apart(batch_size, n_times, n_pairs):
    worst, independent = (
        position_batches(
            position_pool(), settings(batch_size=batch_size, times_per_pair=n_times, group_size=4, coupling=kind)
        )(0)
        for kind in ("worst", "independent")
    )
    x_data, x_noise, t = worst
    assert len(x_data) == len(x_noise) == len(t) == batch_size
    for k in range(n_pairs, batch_size):
        assert torch.equal(x_data[k], x_data[k - n_pairs])
        assert torch.equal(x_noise[k], x_noise[k - n_pairs])
        assert float((t[k] - t[k - n_pairs]) % 1) == pytest.approx(1 / n_times, abs=1e-6)
    assert len(x_noise.unique(dim=0)) == n_pairs
    assert torch.equal(x_data, independent[0])
    assert transport_cost(x_data, x_noise) > transport_cost(*independent[:2])


def test_positions_of_a_batch_come_from_the_pool():
    pool = position_pool(20)
    x_data, _, _ = position_batches(pool, settings())(3)
    assert (x_data[:, None] == pool.float()).all(-1).any(1).all()


def test_rarity_is_the_squared_mahalanobis_distance():
    """Four points on the axes around (5, 5): covariance diag(2, 8), so each lies at squared distance 2, the mean of
    K=2.
    """
    pool = torch.tensor([[7.0, 5.0], [3.0, 5.0], [5.0, 9.0], [5.0, 1.0]]).half()
    np.testing.assert_allclose(squared_mahalanobis(pool), 2.0, rtol=1e-4)


@pytest.mark.parametrize("chunk", [7, 500])
def test_rarity_does_not_depend_on_scale_rotation_or_chunks_and_averages_the_channels(chunk):
    pool = torch.randn(500, 6, generator=torch.Generator().manual_seed(1))
    mixing = torch.randn(6, 6, generator=torch.Generator().manual_seed(2))
    found = squared_mahalanobis(pool @ mixing + 3.0, chunk)
    np.testing.assert_allclose(found, squared_mahalanobis(pool), rtol=2e-3)
    assert found.mean() == pytest.approx(6, rel=1e-3)


def test_a_direction_without_variance_makes_no_position_infinitely_rare():
    pool = torch.randn(200, 3, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 1.0, 0.0])
    assert squared_mahalanobis(pool).max() < 100


@pytest.mark.parametrize(("power", "share"), [(0.0, 0.2), (1.0, 5 / 13), (2.0, 12.5 / 20.5)])
def test_rare_positions_are_drawn_in_proportion_to_a_power_of_their_rarity(power, share):
    """Eight positions at +-1 and two at +-2: variance 1.6, squared distances 1/1.6 and 4/1.6. The floor of 1 raises the
    first, so the ratio is 2.5; two of ten make 2*2.5/(8+5) of the draws with power 1, and 2*6.25/(8+12.5) with power 2.
    """
    pool = torch.tensor([1.0, -1.0] * 4 + [2.0, -2.0])[:, None].half()
    draw = position_batches(pool, settings(rarity_power=power, batch_size=8192))
    assert float((draw(0)[0].abs() == 2).float().mean()) == pytest.approx(share, abs=0.02)


def test_images_of_a_batch_are_different_ones_and_never_the_held_out_one(cache):
    normaliser = fit_normaliser("layernorm", np.zeros((1, 4), np.float32), 0.5, 0)
    grids = normaliser(torch.from_numpy(cache.open("key")[:].astype(np.float32)))
    draw = image_batches(cache, "key", np.arange(1, 10), normaliser, settings(**UNET))
    seen = set()
    for step in range(12):
        rows = [(grids == one).flatten(1).all(1).nonzero().item() for one in draw(step)[0]]
        assert len(set(rows)) == 4
        seen |= set(rows)
    assert seen == set(range(1, 10))


@pytest.mark.parametrize("kind", KINDS)
def test_the_worst_coupling_opposes_data_and_noise_and_moves_them_farthest(cache, kind):
    batches = {coupling: draws(cache, kind, coupling=coupling)(0) for coupling in ("worst", "independent", "optimal")}
    cost = {coupling: transport_cost(*batch[:2]) for coupling, batch in batches.items()}
    assert cost["optimal"] < cost["independent"] < cost["worst"]
    assert coupling_strength(*batches["worst"][:2]) > 0 > coupling_strength(*batches["optimal"][:2])
    values = [batch[1].flatten().sort().values for batch in batches.values()]
    assert all(torch.equal(values[0], other) for other in values), "the same noise, paired otherwise"


def test_scope_image_keeps_the_noise_of_a_grid_together_and_scope_local_does_not(cache):
    independent, whole, local = (
        draws(cache, kind, coupling=coupling)(0)[1]
        for kind, coupling in (("image", "independent"), ("image", "worst"), ("local", "worst"))
    )
    grids_of = lambda noise: {tuple(grid.flatten().tolist()) for grid in noise}  # noqa: E731
    assert grids_of(whole) == grids_of(independent)
    assert grids_of(local) != grids_of(independent)


# -- the learning rate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 1 / 50),
        (24, 25 / 50 * (1 + math.cos(math.pi * 0.024)) / 2),
        (500, 0.5),
        (250, (2 + math.sqrt(2)) / 4),
        (1000, 0.0),
    ],
)
def test_cosine_is_worked_by_hand(step, share):
    assert learning_rate(step, 1000, settings(learning_rate=0.01)) == pytest.approx(0.01 * share, abs=1e-12)


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.02), (49, 1), (599, 1), (600, 0.1), (849, 0.1), (850, 0.01), (999, 0.01)]
)
def test_step_decay_is_worked_by_hand(step, share):
    assert learning_rate(step, 1000, settings(learning_rate=0.5, schedule="step")) == pytest.approx(0.5 * share)


@pytest.mark.parametrize("total", [1, 5, 20, 100])
@pytest.mark.parametrize("schedule", ["cosine", "step"])
def test_short_runs_warm_up_in_a_tenth_and_every_step_learns(total, schedule):
    rates = [learning_rate(step, total, settings(schedule=schedule)) for step in range(total)]
    assert all(rate > 0 for rate in rates)
    assert rates.index(max(rates)) <= max(1, total // 10)


@pytest.mark.parametrize(
    ("changes", "n_images", "steps"),
    [
        ({"iterations": 70}, 100, 70),
        ({"epochs": 3}, 100, 40),
        (UNET | {"epochs": 3}, 10, 9),
        (UNET | {"epochs": 3}, 8, 6),
        (UNET | {"epochs": 2}, 3, 2),
        (UNET | {"epochs": 0}, 10, 40),
    ],
)
def test_epochs_are_passes_over_the_images_and_count_for_the_unet_alone(changes, n_images, steps):
    assert total_steps(settings(**changes), n_images) == steps


# -- the loop ----------------------------------------------------------------------------------------------------------


def trainer(channels=4, **changes):
    chosen = settings(**changes)
    return Trainer(build_velocity(chosen, channels), chosen, chosen.iterations, CPU)


def test_the_first_loss_is_that_of_the_untrained_field():
    """Untrained, the mlp is the field of standard Gaussian data; its loss on one batch is computed from the closed
    form.
    """
    one, losses = trainer(iterations=1), []
    draw = position_batches(position_pool(), one.settings)
    one.run(draw, lambda step, loss: losses.append((step, loss)))
    x_data, x_noise, t = (part.double().numpy() for part in draw(0))
    x_t = (1 - t[:, None]) * x_data + t[:, None] * x_noise
    predicted = np.stack([exact.gaussian_velocity(x, time, 0.0, 1.0) for x, time in zip(x_t, t, strict=True)])
    assert losses == [(1, pytest.approx(np.square(predicted - (x_noise - x_data)).mean(), rel=1e-4))]


@pytest.mark.parametrize("changes", [{}, {"schedule": "step", "weight_decay": 0.1, "coupling": "optimal"}])
def test_a_run_restored_midway_ends_with_the_weights_of_one_never_interrupted(changes):
    whole = trainer(**changes)
    draw = position_batches(position_pool(), whole.settings)
    whole.run(draw, lambda step, loss: None)

    class StopError(Exception):
        pass

    def stop(step, loss):
        if step == 23:
            raise StopError

    first = trainer(**changes)
    with pytest.raises(StopError):
        first.run(draw, stop)
    assert first.step == 23
    kept = copy.deepcopy((first.velocity.state_dict(), first.optimiser_tensors()))
    second, seen = trainer(**changes | {"seed": 0}), []
    second.velocity.load_state_dict(kept[0])
    second.restore(23, kept[1])
    second.run(draw, lambda step, loss: seen.append(step))
    assert seen == list(range(24, 41))
    for name, value in whole.velocity.state_dict().items():
        assert torch.equal(value, second.velocity.state_dict()[name]), name


def test_resuming_without_the_optimiser_would_end_elsewhere():
    """Otherwise the test above could not fail."""
    whole = trainer()
    draw = position_batches(position_pool(), whole.settings)
    first = trainer()
    states = {}
    whole.run(draw, lambda step, loss: states.update({step: copy.deepcopy(whole.velocity.state_dict())}))
    first.velocity.load_state_dict(states[23])
    first.restore(23, {})
    first.run(draw, lambda step, loss: None)
    assert not all(
        torch.equal(value, first.velocity.state_dict()[name]) for name, value in whole.velocity.state_dict().items()
    )


def test_the_same_seed_gives_the_same_weights_to_the_last_bit():
    states = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        one = trainer()
        one.run(position_batches(position_pool(), one.settings), lambda step, loss: None)
        states.append(one.velocity.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_one_step_never_follows_a_gradient_longer_than_the_limit():
    one = trainer(iterations=1)
    huge = (1e4 * torch.randn(32, 4), torch.randn(32, 4), torch.rand(32))
    one.run(lambda step: huge, lambda step, loss: None)
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in one.velocity.parameters()))
    assert norm == pytest.approx(MAX_GRADIENT_NORM, rel=1e-3)


def test_a_loss_that_is_not_finite_stops_with_the_step_named():
    one = trainer()
    good, bad = (
        (torch.randn(32, 4),) * 2 + (torch.rand(32),),
        (torch.full((32, 4), torch.nan), torch.randn(32, 4), torch.rand(32)),
    )
    with pytest.raises(FlowError, match="not finite at step 3") as caught:
        one.run(lambda step: bad if step == 2 else good, lambda step, loss: None)
    assert "learning rate" in caught.value.fix


def test_the_unet_trains_on_whole_grids_and_its_loss_falls(cache):
    one, losses = trainer(**UNET | {"iterations": 60, "learning_rate": 3e-3}), []
    one.run(draws(cache, "image"), lambda step, loss: losses.append(loss))
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


# -- a known answer ----------------------------------------------------------------------------------------------------

MEAN, STD = np.array([1.0, -0.5, 0.3]), np.array([0.5, 1.2, 0.8])
X = np.random.default_rng(1).normal(MEAN, STD, (500, 3))
Z = (X - MEAN) / STD


def train_on_gaussian(coupling):
    """Field and batches for Gaussian data. Groups of 8 keep the worst coupling far from singular."""
    chosen = settings_from(
        "fast",
        {
            "width": 64,
            "depth": 2,
            "batch_size": 1024,
            "group_size": 8,
            "iterations": 450,
            "learning_rate": 3e-3,
            "rarity_power": 0.0,
            "coupling": coupling,
        },
    )
    pool = torch.from_numpy(np.random.default_rng(0).normal(MEAN, STD, (20_000, 3))).half()
    one, draw = Trainer(build_velocity(chosen, 3), chosen, chosen.iterations, CPU), position_batches(pool, chosen)
    one.run(draw, lambda step, loss: None)
    return one.velocity.eval(), draw


@pytest.fixture(scope="module")
def trained():
    return {coupling: train_on_gaussian(coupling) for coupling in ("independent", "worst")}


def end(velocity, steps, solver):
    with torch.inference_mode():
        return integrate(velocity, torch.from_numpy(X).float(), steps, solver).double().numpy()


def rms(x):
    return np.sqrt(np.square(x).mean())


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_a_field_trained_on_gaussian_data_is_the_closed_form(trained, t):
    moved = (1 - t) * X + t * np.random.default_rng(2).normal(size=X.shape)
    with torch.inference_mode():
        learned = trained["independent"][0](torch.from_numpy(moved).float(), t).numpy()
    truth = exact.gaussian_velocity(moved, t, MEAN, STD)
    assert rms(learned - truth) < 0.08 * truth.std()


@pytest.mark.parametrize("coupling", ["independent", "worst"])
def test_many_steps_end_at_the_standardised_value_whatever_the_coupling(trained, coupling):
    """The many-step score is the Mahalanobis distance under every coupling."""
    y = end(trained[coupling][0], 40, "heun")
    assert rms(y - Z) < 0.1
    assert np.corrcoef(np.square(y).sum(1), np.square(Z).sum(1))[0, 1] > 0.97


def test_one_step_under_the_independent_coupling_ends_at_the_origin_for_every_x(trained):
    assert rms(end(trained["independent"][0], 1, "euler")) < 0.1


def test_one_step_under_the_worst_coupling_ends_on_the_other_side_by_the_strength_of_the_coupling(trained):
    """The barycentre: its slope against the standardised data is what batches of the coupling show, -gamma."""
    velocity, draw = trained["worst"]
    y = end(velocity, 1, "euler")
    pairs = [draw(step)[:2] for step in range(20)]
    data, noise = (torch.cat(part).double() for part in zip(*pairs, strict=True))
    strength = coupling_strength((data - torch.from_numpy(MEAN)) / torch.from_numpy(STD), noise)
    assert strength > 0.3
    assert (y * Z).sum() / np.square(Z).sum() == pytest.approx(-strength, abs=0.06)
