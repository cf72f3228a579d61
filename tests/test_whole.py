"""Images as wholes: descriptions by hand, distances against SciPy, the exact flow and a held-out truth, scores in
the unit of maps.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from networks import stirred
from run_folders import tiny_settings, train_here, write_tiny_category
from scipy.spatial.distance import mahalanobis
from tried_images import try_images

from wtflow.config import settings_from, settings_from_json
from wtflow.errors import DamagedRunError, FlowError
from wtflow.flow.integrate import integrate
from wtflow.flow.velocity import build_velocity
from wtflow.records.whole import MARGIN, WholeImage, whole_from_arrays
from wtflow.results import open_results
from wtflow.scoring import normals as normals_module
from wtflow.scoring.detector import Detector
from wtflow.scoring.maps import endpoint_score
from wtflow.scoring.normalise import fit_normaliser
from wtflow.scoring.normals import ENOUGH, highest_places, measure_normals
from wtflow.scoring.pixels import image_scores, scores_of, upsample
from wtflow.scoring.whole import FEWEST, QUIET, describe, fit_whole
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.studies import rescore
from wtflow.studies.keep_run import keep_run
from wtflow.studies.probes import probe

N_TRAIN = 14


def normals(n, channels=6, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.normal(size=(n, channels)) @ generator.normal(size=(channels, channels)) + 3).astype(np.float32)


# -- descriptions and distances ----------------------------------------------------------------------------------------


def test_a_description_is_half_the_logarithm_of_each_components_variance_over_the_picture():
    x = torch.tensor([[[[1.0, 5.0], [3.0, 5.0]], [[1.0, 5.0], [3.0, 5.0]]]])  # variances 1 and 0
    np.testing.assert_allclose(describe(x), [[0.5 * np.log(1 + QUIET), 0.5 * np.log(QUIET)]], atol=1e-6)
    assert describe(torch.randn(3, 4, 5, 7)).shape == (3, 7)
    assert np.isfinite(describe(torch.zeros(1, 1, 1, 2))).all(), "a grid of one position"


def test_where_something_lies_does_not_matter_to_a_description_but_how_much_it_varies_does():
    x = torch.randn(1, 8, 8, 3)
    shuffled = x.flatten(1, 2)[:, torch.randperm(64)].reshape(x.shape)
    np.testing.assert_allclose(describe(shuffled), describe(x), atol=1e-6)
    np.testing.assert_allclose(describe(2 * x) - describe(x), np.log(2), atol=1e-2)


def test_with_many_normals_the_distance_is_scipys_mahalanobis():
    known, others = normals(20_000), normals(5, seed=1)
    whole, inverse = fit_whole(known), np.linalg.inv(np.cov(known.T))
    expected = [0.5 * mahalanobis(one, known.mean(0), inverse) ** 2 / known.shape[1] for one in others]
    np.testing.assert_allclose(whole.distances(others), expected, rtol=0.02)


@pytest.mark.parametrize("rho", [0.0, -0.5, 0.7])
def test_the_distance_is_the_endpoint_score_of_the_gaussians_exact_flow_whatever_the_coupling(rho):
    """METHOD 5.2, coordinate by coordinate along the principal axes: the field of N(m, s^2) whose data and noise are
    correlated by rho.
    """
    known, others = normals(500), normals(4, seed=1).astype(float)
    whole = fit_whole(known)
    mean = torch.from_numpy(whole.mean).double()
    axes, inverse_sd, _ = np.linalg.svd(whole.whiten.astype(float))
    rotated, centre, sd = (
        torch.from_numpy(others @ axes),
        mean @ torch.from_numpy(axes),
        torch.from_numpy(1 / inverse_sd),
    )

    def field(x, t):
        slope = (t - (1 - t) * sd**2 + rho * sd * (1 - 2 * t)) / (
            (1 - t) ** 2 * sd**2 + t**2 + 2 * rho * t * (1 - t) * sd
        )
        return -centre + slope * (x - (1 - t) * centre)

    ends = integrate(field, rotated, 400, "heun")
    np.testing.assert_allclose(whole.distances(others), endpoint_score(ends), rtol=1e-3)


def test_the_usual_distance_is_that_of_normals_that_the_gaussian_did_not_see():
    """With hardly more images than components a Gaussian flatters those that it was fitted to."""
    known, new = normals(60, 40), normals(600, 40)[60:]
    whole = fit_whole(known)
    assert np.log(whole.distances(known)).mean() < whole.centre - 0.1
    assert np.log(whole.distances(new)).mean() == pytest.approx(whole.centre, abs=2 * whole.spread)
    assert whole.n_images == 60


def test_one_odd_normal_weighs_less_than_it_would(monkeypatch):
    known = normals(200)
    known[7] += 1000
    apart = normals(200).mean(0, keepdims=True) + 20
    limited = fit_whole(known).distances(apart)
    monkeypatch.setattr("wtflow.scoring.whole.FARTHEST", 1e9)
    assert limited > 4 * fit_whole(known).distances(apart)


def test_components_that_never_vary_are_no_danger():
    known = np.concatenate([normals(40, 3), np.zeros((40, 2), np.float32)], axis=1)
    whole = fit_whole(known)
    assert np.isfinite(whole.distances(known)).all()
    assert np.isfinite(whole.scores(known + 1e6)).all()
    assert np.isfinite(fit_whole(np.ones((12, 3), np.float32)).scores(np.ones((1, 3)))).all(), "all images alike"


def test_too_few_normals_are_a_sentence():
    with pytest.raises(FlowError, match=f"{FEWEST - 1} normals are too few"):
        fit_whole(normals(FEWEST - 1))


# -- the unit of the maps ----------------------------------------------------------------------------------------------


def hand_made(**changes):
    """Distance 0.5 |d|^2 / 2; its logarithm is 0 on average with deviation 1."""
    facts = {
        "mean": np.zeros(2, np.float32),
        "whiten": np.eye(2, dtype=np.float32),
        "centre": 0.0,
        "spread": 1.0,
        "n_images": 10,
    }
    return WholeImage(**facts | changes)


def test_an_image_as_odd_as_a_place_is_high_scores_as_the_place_does_less_the_margin():
    whole = hand_made(place_centre=np.log(3.0), place_spread=0.2)
    described = np.array(
        [[2 * np.exp(k / 2), 0.0] for k in (0, 1, 2)]
    )  # distances e^0, e^1, e^2: 0, 1 and 2 deviations
    np.testing.assert_allclose(whole.distances(described), np.exp([0, 1, 2]))
    np.testing.assert_allclose(whole.scores(described), 3 * np.exp(0.2 * (np.array([0, 1, 2]) - MARGIN)))


def test_the_unit_is_centred_on_held_out_normals_and_as_wide_as_both_groups():
    fitted, held_out = np.exp([1.0, 3.0]), np.exp([5.0, 6.0, 7.0])
    whole = hand_made().in_map_units(fitted, held_out)
    assert whole.place_centre == pytest.approx(6)
    assert whole.place_spread == pytest.approx(np.sqrt((1 + 1 + 1 + 0 + 1) / 5))
    alone = hand_made().in_map_units(fitted, np.empty(0))
    assert (alone.place_centre, alone.place_spread) == (pytest.approx(2), pytest.approx(1))
    with pytest.raises(FlowError, match="no normal image"):
        hand_made().in_map_units(np.empty(0), np.empty(0))


def test_it_survives_being_written_and_what_is_not_sound_is_refused():
    whole = hand_made(place_centre=2.0, place_spread=0.5)
    again = whole_from_arrays(whole.to_arrays())
    assert (again.centre, again.spread, again.n_images, again.place_centre, again.place_spread) == (0, 1, 10, 2, 0.5)
    np.testing.assert_array_equal(again.whiten, whole.whiten)
    for spoilt in (
        {"mean": np.zeros(3)},
        {"facts": np.array([0, 1, 2, 0.0, 10])},
        {"facts": np.array([np.nan, 1, 2, 1, 10])},
        {"whiten": None},
    ):
        with pytest.raises(FlowError, match="whole images"):
            whole_from_arrays(whole.to_arrays() | spoilt)
    with pytest.raises(FlowError, match="not as written"):
        whole_from_arrays({})


def test_the_image_score_is_the_higher_of_both_and_the_place_where_nothing_is_known():
    pixel_maps = np.stack([np.full((4, 4), value, np.float32) for value in (1, 2, 3)])
    assert scores_of(pixel_maps, np.array([5.0, 1.0, np.nan]), 0.0).tolist() == [5, 2, 3]


def test_highest_places_are_image_scores_of_levelled_maps_in_any_number():
    settings = settings_from("fast", {"image_size": 64})
    maps = np.random.default_rng(0).gamma(2, 1, (19, 4, 4)).astype(np.float32)
    factors = np.array([2.0, 1.0], np.float32)
    assert len(highest_places(maps[:0], None, settings, (64, 64))) == 0
    np.testing.assert_allclose(
        highest_places(maps, None, settings, (64, 64)), image_scores(upsample(maps, 64, "endpoint"), 0)
    )
    assert (highest_places(maps, factors, settings, (64, 64)) <= highest_places(maps, None, settings, (64, 64))).all()


# -- real runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="module")
def few_are_enough():
    """Tiny runs have no 80 normals."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normals_module, "ENOUGH", FEWEST)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory, few_are_enough):
    folder = tmp_path_factory.mktemp("whole")
    return RunStore(folder / "runs"), write_tiny_category(folder / "data", n_train=N_TRAIN, n_good=3, n_bad=3)


@pytest.fixture(scope="module")
def run(place):
    return train_here(*place, whole_image=True)


def test_a_run_keeps_what_it_knows_and_scores_by_it(place, run):
    store, results = place[0], open_results(place[0], run)
    whole = store.whole(run)
    assert whole.n_images == N_TRAIN - len(results.holdout)
    assert np.isfinite(results.table.whole_score).all()
    places = image_scores(upsample(np.asarray(results.maps), 64, "endpoint"), 0)[results.table.row]
    np.testing.assert_allclose(results.table.score, np.maximum(places, results.table.whole_score), rtol=1e-6)


def test_the_same_images_score_the_same_wherever_they_are_asked(place, run):
    """The table, images brought along, and scoring again, which takes the Gaussian as it is."""
    store, results = place[0], open_results(place[0], run)
    image = results.test.iloc[0]
    (tried,) = try_images(store, run, [("a.png", Path(image.path).read_bytes())])
    assert tried.score == pytest.approx(image.score, rel=1e-4)
    again = rescore.score_again(store, run, {}, lambda done, total: None)
    np.testing.assert_allclose(again.table.whole_score, results.table.whole_score, rtol=1e-5)
    np.testing.assert_array_equal(again.whole.whiten, store.whole(run).whiten)


def test_scoring_again_may_leave_whole_images_out_or_read_the_flow_otherwise_and_is_kept(place, run):
    store, results = place[0], open_results(place[0], run)
    plain = rescore.score_again(store, run, {"whole_image": False}, lambda done, total: None)
    assert plain.table.whole_score.isna().all()
    assert plain.whole is None
    assert (plain.table.score <= results.table.score + 1e-6).all()
    assert store.whole(keep_run(store, run, plain)) is None
    other = rescore.score_again(store, run, {"score": "deviation"}, lambda done, total: None)
    assert other.whole.place_centre != pytest.approx(store.whole(run).place_centre), "another score has another unit"
    kept = keep_run(store, run, other)
    assert store.whole(kept).place_centre == pytest.approx(other.whole.place_centre)


def test_with_few_normals_or_on_request_nothing_is_known(place, tmp_path):
    assert ENOUGH == 80
    store, root = (
        RunStore(tmp_path / "runs"),
        write_tiny_category(tmp_path / "few", n_train=FEWEST - 1, n_good=1, n_bad=1),
    )
    few, off = train_here(store, root, whole_image=True), train_here(*place, whole_image=False)
    for own, run_id in ((store, few), (place[0], off)):
        assert own.whole(run_id) is None
        assert own.scores(run_id).whole_score.isna().all()


def test_settings_and_scores_of_before_read_as_not_asked_for(place, run):
    assert not settings_from_json("{}").whole_image
    assert settings_from_json("{}").precision == "full", "on a CPU they were"
    assert settings_from().whole_image
    store = place[0]
    table, path = store.scores(run), store.folder(run) / layout.SCORES
    try:
        table.drop(columns="whole_score").to_parquet(path, index=False)
        assert store.scores(run).whole_score.isna().all()
    finally:
        store.write_scores(run, table)


def test_a_damaged_file_is_a_sentence(place, run):
    store, path = place[0], place[0].folder(run) / layout.WHOLE
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[: len(kept) // 2])
        with pytest.raises(DamagedRunError, match=r"whole\.npz of .* cannot be used"):
            store.whole(run)
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize("is_of_before", [False, True])
def test_a_lost_file_is_a_sentence_and_not_a_lower_score(place, run, is_of_before):
    """Also for a run of a version that did not write down which files it has: its scores tell."""
    store, image = place[0], open_results(place[0], run).test.iloc[0]
    path, facts = store.folder(run) / layout.WHOLE, store.metrics(run)
    kept = path.read_bytes()
    try:
        if is_of_before:
            store.write_metrics(run, {name: value for name, value in facts.items() if name != "files"})
        path.unlink()
        for ask in (
            lambda: try_images(store, run, [("a.png", Path(image.path).read_bytes())]),
            lambda: rescore.score_again(store, run, {}, lambda done, total: None),
            lambda: probe(store, run, 0, 0, 0),
        ):
            with pytest.raises(DamagedRunError, match=r"whole\.npz is missing"):
                ask()
        assert open_results(store, run).table.score.notna().all(), "what was scored can still be seen"
    finally:
        path.write_bytes(kept)
        store.write_metrics(run, facts)


def test_an_image_that_is_loud_everywhere_is_found_by_no_place_but_as_a_whole(tmp_path):
    """Normals' components vary by 1; one image varies by 2 in all, with no position farther out than normals have."""
    generator = np.random.default_rng(0)
    grids = generator.normal(size=(25, 8, 8, 5)).astype(np.float16)
    heights = generator.uniform(10, 14, 25)
    heights[24] = 12
    grids[24] *= 2
    grids[:, 0, 0] = heights[:, None]  # every image has a place that is far out
    cache = FeatureCache(tmp_path)
    with cache.writer("key", grids.shape) as writer:
        writer.append(grids)
    settings = tiny_settings(whole_image=True, edge_quantile=0.0, precision="full")
    velocity = stirred(build_velocity(settings, 5)).eval()
    detector = Detector(settings, fit_normaliser("channel", grids[:20].reshape(-1, 5), 0, 0), velocity)
    data = SimpleNamespace(fit_rows=np.arange(20), held_out=(20, 21), canvas=None)
    measured = measure_normals(detector, cache, "key", data, lambda done, total: None)
    found = measured.maps(np.array(grids[22:25]))
    places = image_scores(upsample(found.after, settings.image_size, "endpoint"), 0)
    assert found.whole[2] > 1.2 * found.whole[:2].max()
    assert found.whole[2] > places[2]
    assert (found.whole[:2] < places[:2]).all()
    assert measured.whole.n_images == 20
