"""Principal axes and UMAP: fitted once, the rest placed, the same numbers again, and a sentence for what cannot be
laid out.
"""

import re

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from wtflow.errors import FlowError, SettingsError
from wtflow.studies.pca import fit_pca, project_pca
from wtflow.studies.projection import METRICS, _ExactNeighbours, project_umap
from wtflow.studies.umap_clock import STAGES

SETTINGS = {"n_neighbors": 10, "min_dist": 0.1, "metric": "euclidean", "seed": 3}


def quiet(share: float) -> None:
    """Progress that nobody watches."""


def silent(stage: str, share: float, words: str) -> None:
    """Stages that nobody watches."""


def two_clouds(n: int = 120, d: int = 12) -> np.ndarray:
    """(n, d): even rows around one centre, odd rows around another."""
    centres = np.where(np.arange(n)[:, None] % 2, 6.0, -6.0) * np.eye(d)[0]
    return (centres + np.random.default_rng(0).normal(size=(n, d))).astype(np.float32)


X, T = two_clouds(), 1.0
FIT = np.arange(80)


@pytest.fixture(scope="module")
def projected():
    return project_umap(X, T, FIT, **SETTINGS, tell=silent)


# ---- principal axes


def test_points_on_a_line_lie_on_one_axis_at_their_distances():
    along = np.array([3.0, 4.0]) / 5
    pca = fit_pca(np.array([2.0, 7.0]) + np.array([-1.0, 0.0, 4.0])[:, None] * along)
    np.testing.assert_allclose(pca.axes[0], along, atol=1e-12)
    np.testing.assert_allclose(pca.mean, [2.6, 7.8])  # one unit further along
    np.testing.assert_allclose(pca.explained, [1, 0], atol=1e-12)
    np.testing.assert_allclose(pca.place(np.array([[5.0, 11.0]])), [[4, 0]], atol=1e-6)


def test_axes_are_orthonormal_sorted_by_variance_and_of_fixed_sign():
    x = np.random.default_rng(1).normal(size=(500, 6)) * [1, 5, 2, 0.5, 3, 0.1] + 10
    pca = fit_pca(x, 3)
    np.testing.assert_allclose(pca.axes @ pca.axes.T, np.eye(3), atol=1e-12)
    assert list(np.abs(pca.axes).argmax(1)) == [1, 4, 2]
    assert (pca.axes.max(1) == np.abs(pca.axes).max(1)).all()
    np.testing.assert_allclose(pca.explained, np.array([25, 9, 4]) / 39.26, atol=0.05)


def test_coordinates_have_the_shape_of_the_points_and_single_precision():
    pca = fit_pca(np.random.default_rng(2).normal(size=(50, 4)))
    placed = pca.place(np.zeros((2, 3, 4), np.float32))
    assert (placed.shape, placed.dtype) == ((2, 3, 2), np.float32)
    with pytest.raises(FlowError, match="belong to 4 channels, found 5"):
        pca.place(np.zeros((1, 5)))


def test_a_straight_path_stays_straight_on_principal_axes():
    start, end = np.random.default_rng(3).normal(size=(2, 7, 5))
    path = np.stack([start, (start + end) / 2, end])
    placed = project_pca(path, np.array([0, 0.5, 1]), np.random.default_rng(4).normal(size=(40, 5)))
    np.testing.assert_allclose(placed.points[1], (placed.points[0] + placed.points[2]) / 2, atol=1e-6)
    assert placed.method == "pca"
    assert 0 < placed.explained[1] <= placed.explained[0] < 1
    assert placed.n_fitted == 40


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 3)), "at least two points"),
        (np.full((9, 3), 0.1), "equal"),
        (np.full((9, 3), 1e6 / 3, np.float32), "equal"),
        (np.array([[0.0, np.nan], [1, 2]]), "not finite"),
        (np.eye(3)[:, :1], "2 axes cannot come from 1 channels"),
    ],
)
def test_points_without_axes_are_refused_with_a_sentence(x, message):
    with pytest.raises(FlowError, match=message):
        fit_pca(x)


# ---- neighbours


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_those_that_scipy_finds_with_each_point_itself_in_front(metric):
    rng = np.random.default_rng(5)
    x, others = rng.normal(size=(600, 9)).astype(np.float32) + 3, rng.normal(size=(40, 9)).astype(np.float32) + 3
    index = _ExactNeighbours(x, metric)
    name = {"manhattan": "cityblock"}.get(metric, metric)
    for (near, distance), truth in (
        (index.all_neighbours(7, quiet), cdist(x, x, name)),
        (index.query(others, 7), cdist(others, x, name)),
    ):
        np.testing.assert_allclose(distance, np.sort(truth, axis=1)[:, :7], atol=2e-5)
        np.testing.assert_allclose(np.take_along_axis(truth, near, 1), distance, atol=2e-5)
    near, _ = index.all_neighbours(3, quiet)
    assert (near[:, 0] == np.arange(600)).all()


def test_of_equal_points_each_is_its_own_first_neighbour():
    near, distance = _ExactNeighbours(np.ones((30, 4), np.float32), "cosine").all_neighbours(5, quiet)
    assert (near[:, 0] == np.arange(30)).all()
    assert not distance.any()


# ---- UMAP


def nearest_is_alike(points: np.ndarray) -> float:
    """Share of points whose nearest other point has the same parity, that is, comes from the same cloud."""
    distance = cdist(points, points) + np.diag(np.full(len(points), np.inf))
    return float((distance.argmin(1) % 2 == np.arange(len(points)) % 2).mean())


@pytest.mark.slow
def test_clouds_stay_apart_also_for_points_placed_afterwards(projected):
    assert projected.points.shape == (1, 120, 2) and projected.t.tolist() == [T]
    assert projected.points.dtype == np.float32
    assert projected.n_fitted == 80
    assert projected.explained is None
    for points in projected.points:
        assert nearest_is_alike(points) == 1.0


def test_a_placed_point_lies_nearest_to_fitted_points_of_its_own_cloud(projected):
    """UMAP takes our exact index for a foreign one; that placing works with it is not promised by UMAP, so it is
    held here.
    """
    for points in projected.points:
        nearest = cdist(points[80:], points[:80]).argmin(1)
        assert (nearest % 2 == np.arange(80, 120) % 2).all()


def test_the_same_seed_gives_equal_numbers_and_another_seed_others(projected):
    again = project_umap(X, T, FIT, **SETTINGS, tell=silent)
    np.testing.assert_array_equal(again.points, projected.points)
    other = project_umap(X, T, FIT, **SETTINGS | {"seed": 4}, tell=silent)
    assert not np.allclose(other.points, projected.points)


def test_stages_come_in_their_order_with_shares_that_rise_and_epochs_are_counted():
    seen: list[tuple[str, float, str]] = []
    project_umap(X, T, FIT, **SETTINGS, tell=lambda *told: seen.append(told))
    stages = [stage for stage, _, _ in seen]
    assert stages == sorted(stages, key=list(STAGES).index) and {"load", "near", "compile", "place"} <= set(stages)
    for stage in set(stages):
        shares = [share for name, share, _ in seen if name == stage]
        assert np.all(np.diff(shares) >= 0) and shares[0] >= 0 and shares[-1] <= 1
    assert all(re.fullmatch(r"epoch \d+ of 500", words) for stage, _, words in seen if stage == "epochs")


class StopNow(Exception):  # noqa: N818
    """What a caller raises to stop."""


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_an_error_raised_by_the_watcher_stops_the_computation_and_comes_out(call):
    calls = 0

    def stop(stage: str, share: float, words: str) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise StopNow

    with pytest.raises(StopNow):
        project_umap(X, T, FIT, **SETTINGS, tell=stop)
    assert calls == call


@pytest.mark.parametrize("metric", METRICS)
def test_every_distance_places_every_point_even_equal_ones_zeros_and_far_ones(metric):
    x = np.zeros((50, 6), np.float32)
    x[:8] = np.random.default_rng(6).normal(size=(8, 6))
    x[8] = 1e4
    placed = project_umap(x, T, np.arange(0, 50, 2), **SETTINGS | {"metric": metric, "n_neighbors": 5}, tell=silent)
    assert np.isfinite(placed.points).all()


def test_as_few_points_as_possible_are_laid_out_and_one_fewer_is_refused():
    x = X[:12]
    assert np.isfinite(project_umap(x, T, np.arange(11), **SETTINGS, tell=silent).points).all()
    with pytest.raises(FlowError, match="10 neighbours needs at least 11 points to fit, found 10"):
        project_umap(x, T, np.arange(10), **SETTINGS, tell=silent)


def with_nan() -> np.ndarray:
    x = X.copy()
    x[119, 0] = np.nan  # a row that is placed, not fitted
    return x


@pytest.mark.parametrize(
    ("x", "changes", "error", "message"),
    [
        (X, {"metric": "hamming"}, SettingsError, "'hamming' is no distance"),
        (X, {"n_neighbors": 1}, SettingsError, "n_neighbors is 1"),
        (X, {"min_dist": 2.0}, SettingsError, "min_dist"),
        (X[:, :1], {}, FlowError, "at least two channels"),
        (with_nan(), {}, FlowError, "not finite"),
        (np.ones_like(X), {}, FlowError, "equal"),
        (X[:50], {}, FlowError, "there are 50 points"),
    ],
)
def test_what_umap_cannot_lay_out_is_refused_before_anything_is_computed(x, changes, error, message):
    with pytest.raises(error, match=message):
        project_umap(x, T, FIT, **SETTINGS | changes, tell=lambda *told: pytest.fail("it began"))
