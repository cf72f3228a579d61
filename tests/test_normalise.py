import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from wtflow.errors import FlowError
from wtflow.scoring.normalise import empty_normaliser, fit_normaliser


def correlated(n=2000, channels=6, seed=0, spread=3.0):
    """Positions whose components have clearly different variances, away from zero."""
    generator = np.random.default_rng(seed)
    mixing = np.linalg.qr(generator.normal(size=(channels, channels)))[0] * spread ** np.arange(channels)
    return (generator.normal(size=(n, channels)) @ mixing.T + generator.normal(0, 50, channels)).astype(np.float32)


def transform(normaliser, positions):
    with torch.inference_mode():
        return normaliser(torch.from_numpy(positions).float()).double().numpy()


def test_full_whitening_is_that_of_scikit_learn_up_to_signs():
    positions = correlated()
    ours = transform(fit_normaliser("pca", positions, 1.0, 0), positions)
    theirs = PCA(whiten=True, svd_solver="full").fit_transform(positions.astype(np.float64))
    theirs *= np.sqrt(len(positions) / (len(positions) - 1))  # they divide by n - 1
    signs = np.sign((ours * theirs).sum(0))
    np.testing.assert_allclose(ours, theirs * signs, atol=2e-3)


def test_no_whitening_is_a_rotation_of_scikit_learn_to_mean_variance_one():
    positions = correlated()
    ours = transform(fit_normaliser("pca", positions, 0.0, 0), positions)
    theirs = PCA(svd_solver="full").fit_transform(positions.astype(np.float64))
    theirs *= np.sign((ours * theirs).sum(0)) / np.sqrt(theirs.var(0).mean())
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    distances = np.linalg.norm(positions[:50] - positions[50:100], axis=1)
    ratio = np.linalg.norm(ours[:50] - ours[50:100], axis=1) / distances
    np.testing.assert_allclose(
        ratio, ratio[0], rtol=1e-3, err_msg="a rotation and one scale keep the ratios of distances"
    )


def test_half_whitening_is_worked_by_hand():
    """Variances 16 and 1: divided by 16^(1/4)=2 and 1 the deviations are 2 and 1; their mean variance 2.5 is brought
    to 1.
    """
    half = np.tile([4.0, -4.0], 500)[:, None], np.tile([1.0, 1.0, -1.0, -1.0], 250)[:, None]
    positions = np.hstack([half[1], half[0]]) + [7.0, -3.0]
    normaliser = fit_normaliser("pca", positions, 0.5, 0)
    assert transform(normaliser, np.array([[8.0, 1.0]]))[0] == pytest.approx([2 / 2.5**0.5, 1 / 2.5**0.5])
    assert normaliser.mean.tolist() == [7, -3]


@settings(max_examples=25, deadline=None)
@given(power=st.floats(0, 1), kept=st.integers(0, 6), seed=st.integers(0, 10))
def test_components_are_uncorrelated_fall_in_variance_and_have_mean_variance_one(power, kept, seed):
    positions = correlated(500, seed=seed)
    z = transform(fit_normaliser("pca", positions, power, kept), positions)
    variance = z.var(0)
    assert z.shape[1] == (kept or 6)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-3)
    assert variance.mean() == pytest.approx(1, rel=1e-3)
    assert (np.diff(variance) <= 1e-3).all()
    covariance = np.cov(z.T, ddof=0).reshape(z.shape[1], -1)
    np.testing.assert_allclose(covariance - np.diag(variance), 0, atol=2e-3)


def test_partial_whitening_takes_the_root_of_variance_ratios():
    positions = correlated()
    plain, half = (transform(fit_normaliser("pca", positions, power, 0), positions).var(0) for power in (0.0, 0.5))
    np.testing.assert_allclose(half / half[0], (plain / plain[0]) ** 0.5, rtol=1e-3)


def test_a_second_fit_gives_the_same_numbers_and_the_order_of_rows_hardly_matters():
    positions = correlated()
    first, again = fit_normaliser("pca", positions, 0.5, 0), fit_normaliser("pca", positions, 0.5, 0)
    assert torch.equal(first.matrix, again.matrix)
    shuffled = fit_normaliser("pca", np.random.default_rng(1).permutation(positions), 0.5, 0)
    torch.testing.assert_close(shuffled.matrix, first.matrix, rtol=1e-4, atol=1e-6)


def test_more_rows_than_one_chunk_and_a_far_away_mean_lose_no_precision():
    generator = np.random.default_rng(0)
    positions = (generator.normal(size=(40_000, 3)) * [1, 2, 3] + 1000).astype(np.float32)
    normaliser = fit_normaliser("channel", positions, 0.5, 0)
    expected = StandardScaler().fit(positions.astype(np.float64))
    np.testing.assert_allclose(normaliser.mean, expected.mean_, rtol=1e-6)
    np.testing.assert_allclose(1 / normaliser.matrix.double(), expected.scale_, rtol=1e-5)


def test_half_precision_features_are_taken_as_the_cache_gives_them():
    positions = correlated().astype(np.float16)
    fitted, expected = (fit_normaliser("pca", one, 0.5, 0) for one in (positions, positions.astype(np.float64)))
    torch.testing.assert_close(fitted.matrix, expected.matrix)


def test_fewer_positions_than_channels_keep_only_directions_that_were_seen():
    positions = np.random.default_rng(0).normal(size=(4, 10)).astype(np.float32)
    normaliser = fit_normaliser("pca", positions, 1.0, 0)
    assert normaliser.channels == 3
    assert transform(normaliser, positions).var(0) == pytest.approx([1, 1, 1], rel=1e-3)


def test_a_direction_without_variance_is_not_blown_up():
    positions = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    positions[:, 1] = 5.0
    for kind in ("pca", "channel"):
        normaliser = fit_normaliser(kind, positions, 1.0, 0)
        assert normaliser.matrix.abs().max() < 2000, kind
        assert np.abs(transform(normaliser, positions)).max() < 10, kind


@pytest.mark.parametrize("kind", ["pca", "channel"])
@pytest.mark.parametrize("positions", [np.full((10, 3), 2.0, np.float32), np.full((10, 3), np.nan, np.float32)])
def test_features_that_are_all_the_same_or_not_finite_are_refused(kind, positions):
    with pytest.raises(FlowError, match="all the same or not finite"):
        fit_normaliser(kind, positions, 0.5, 0)


def test_layernorm_puts_every_image_on_the_shell_of_radius_root_d():
    grids = torch.randn(5, 4, 3, 6) * torch.rand(5, 1, 1, 1) * 30 + 2
    y = fit_normaliser("layernorm", np.zeros((1, 6), np.float32), 0.5, 0)(grids)
    np.testing.assert_allclose(y.flatten(1).norm(dim=1), (4 * 3 * 6) ** 0.5, rtol=1e-4)
    by_hand = (grids[0] - grids[0].mean()) / grids[0].std(unbiased=False)
    torch.testing.assert_close(y[0], by_hand, atol=1e-4, rtol=1e-3)
    assert y.norm(dim=-1).std() > 0.1, "single positions still differ in norm"


@pytest.mark.parametrize("kind", ["pca", "channel"])
def test_a_grid_is_normalised_position_by_position(kind):
    positions = correlated()
    normaliser = fit_normaliser(kind, positions, 0.5, 4)
    grid = torch.from_numpy(positions[:24].reshape(2, 3, 4, 6))
    assert normaliser(grid).shape == (2, 3, 4, normaliser.channels)
    np.testing.assert_allclose(
        normaliser(grid).reshape(24, -1), transform(normaliser, positions[:24]), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("kind", ["pca", "channel", "layernorm"])
def test_an_empty_normaliser_takes_the_state_of_a_fitted_one(kind):
    fitted = fit_normaliser(kind, correlated(), 0.5, 4)
    empty = empty_normaliser(kind, 6, fitted.channels)
    empty.load_state_dict(fitted.state_dict())
    grid = torch.randn(2, 3, 3, 6)
    assert torch.equal(empty(grid), fitted(grid))
    assert fitted.channels == (4 if kind == "pca" else 6)
