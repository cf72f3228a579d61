"""Paths and what is kept of them, against closed forms on Gaussian data (METHOD.md 5), rotations and lines, and
against runs' own maps.
"""

import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.errors import DamagedRunError, DatasetError, FlowError, ImageReadError, RunNotFoundError
from wtflow.flow import exact
from wtflow.records.flow import PositionSet
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.studies import travel as travel_module
from wtflow.studies.flow_answers import normal_start, principal_axes
from wtflow.studies.pca import Pca
from wtflow.studies.positions import choose_positions, one_position
from wtflow.studies.run_flow import open_flow
from wtflow.studies.travel import compute_travel, hutchinson, random_signs, reduce_walk, walks

UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8, "iterations": 4}


def quiet(done, total):
    pass


class HandFlow:
    """Features and field by hand in place of a run: one row of the table holds one 1 x n grid."""

    def __init__(self, x: np.ndarray, velocity):
        self.x, self.settings, self.n_channels = x, tiny_settings(), x.shape[1]
        self.detector = SimpleNamespace(velocity=velocity)

    def grids(self, rows):
        for row in rows:
            yield int(row), self.x[None]

    def start_at(self, grid, grid_row, grid_column):
        return torch.from_numpy(grid[grid_row, grid_column])


def travel_of(x: np.ndarray, velocity, steps: int, solver: str = "heun", **options):
    """Travel of x (n, C) float64 along a field; the plane is that of the first two channels."""
    n, channels = x.shape
    zeros = np.zeros(n, np.int32)
    positions = PositionSet(zeros, zeros, np.arange(n, dtype=np.int32), np.full(n, "good"), np.zeros(n, np.float32))
    basis = Pca(np.zeros(channels), np.eye(2, channels), np.array([0.5, 0.25]))
    return compute_travel(HandFlow(x, velocity), positions, steps, solver, basis, quiet, **options)


def gaussian_field(mean: float, std: float, rho: float):
    """The closed form as a torch field: it is affine in x, so its values at 0 and 1 say all."""

    def velocity(x, t):
        at_0, at_1 = exact.gaussian_velocity(np.array([0.0, 1.0]), float(t), mean, std, rho).tolist()
        return at_0 + (at_1 - at_0) * x

    return velocity


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.9])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.4), (0.5, 1.0), (-0.3, 2.0)])
def test_paths_under_an_exact_gaussian_field_have_the_closed_forms_numbers(mean, std, rho):
    steps, channels = 400, 5
    x = np.random.default_rng(0).normal(mean, std, (8, channels))
    travel = travel_of(x, gaussian_field(mean, std, rho), steps, n_probes=1)
    t = np.linspace(0, 1, steps + 1)
    place = exact.gaussian_flow_map(x, t[:, None, None], mean, std, rho)
    field = exact.gaussian_velocity(place, t[:, None, None], mean, std, rho)
    slope = [
        float(exact.gaussian_velocity(1, s, mean, std, rho) - exact.gaussian_velocity(0, s, mean, std, rho)) for s in t
    ]
    radius = np.linalg.norm(place, axis=-1)
    np.testing.assert_allclose(travel.t, t, atol=1e-7)
    np.testing.assert_allclose(travel.norm, radius, rtol=2e-3, atol=1e-3)
    np.testing.assert_allclose(travel.speed, np.linalg.norm(field, axis=-1), rtol=5e-3, atol=5e-3)
    np.testing.assert_allclose(travel.divergence, np.tile(np.array(slope)[:, None] * channels, 8), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(travel.plane, place[..., :2], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(travel.alignment, (place * x).sum(-1) / radius / np.linalg.norm(x, axis=1), atol=2e-3)
    np.testing.assert_allclose(
        travel.radial[1:-1], np.gradient(radius, t, axis=0)[1:-1], atol=2e-2
    )  # the slope of the radius itself
    if mean == 0:
        assert travel.alignment.min() > 1 - 1e-6, "about its mean a path goes straight in or out and never crosses over"
        assert (np.abs(travel.straightness) > 1 - 1e-4)[travel.speed > 1e-2].all()


def test_all_couplings_end_at_the_same_radius_and_worst_transport_alone_dives_on_the_way():
    """METHOD.md 5.2 and 5.3: at the meeting time s / (1 + s) = 1/2 the radius shrinks to sqrt((1 + rho) / 2) of its
    start.
    """
    x = np.random.default_rng(1).normal(0, 1, (6, 7))
    for rho in (-0.9, 0.0, 0.9):
        norm = travel_of(x, gaussian_field(0, 1, rho), 400).norm
        np.testing.assert_allclose(norm[200] / norm[0], math.sqrt((1 + rho) / 2), rtol=5e-3)
        np.testing.assert_allclose(norm[-1] / norm[0], 1, rtol=5e-3)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_the_end_radius_approaches_the_closed_form_with_the_order_of_the_solver(solver, order):
    x = np.random.default_rng(2).normal(0.3, 0.6, (5, 4))
    end = np.linalg.norm((x - 0.3) / 0.6, axis=1)
    errors = [
        np.abs(travel_of(x, gaussian_field(0.3, 0.6, -0.5), steps, solver).norm[-1] - end).max() for steps in (80, 160)
    ]
    assert errors[0] / errors[1] == pytest.approx(2**order, rel=0.15)


def test_a_quarter_turn_keeps_its_radius_and_turns_away_from_start_and_chord():
    """v = w J x, w = pi / 2: nothing falls, nothing diverges; alignment cos(w t); along the chord only half-way."""
    turn = math.pi / 2 * torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    travel = travel_of(np.array([[1.0, 0.0], [0.0, 3.0]]), lambda x, t: x @ turn.T.to(x), 200, n_probes=3)
    np.testing.assert_allclose(travel.norm, np.tile([1.0, 3.0], (201, 1)), rtol=1e-3)
    np.testing.assert_allclose(travel.radial, 0, atol=1e-4)
    np.testing.assert_allclose(travel.divergence, 0, atol=1e-6)
    np.testing.assert_allclose(travel.alignment, np.tile(np.cos(math.pi / 2 * travel.t)[:, None], 2), atol=1e-3)
    np.testing.assert_allclose(travel.straightness[[0, 100, 200], 0], [math.sqrt(0.5), 1, math.sqrt(0.5)], atol=1e-3)
    np.testing.assert_allclose(travel.speed / travel.norm, math.pi / 2, rtol=1e-5)


def test_a_line_through_the_origin_changes_its_alignment_there():
    """A constant field -2 a carries a to -a: inward to t=1/2, outward after it."""
    a = np.array([[2.0, 0.0, 1.0]])
    travel = travel_of(a, lambda x, t: torch.from_numpy(-2 * a).expand_as(x), 4, "euler")
    np.testing.assert_allclose(travel.alignment[:, 0], [1, 1, 0, -1, -1], atol=1e-6)
    np.testing.assert_allclose(travel.norm[:, 0] / math.sqrt(5), [1, 0.5, 0, 0.5, 1], atol=1e-6)
    np.testing.assert_allclose(travel.radial[[0, 1, 3, 4], 0] / math.sqrt(20), [-1, -1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(travel.straightness, 1, atol=1e-6)


def test_a_decay_never_crosses_the_origin_unless_a_step_is_too_long():
    """v = -2 x comes to exp(-2) of its start on its own side; one Euler step lands mirrored on the other."""
    x = np.array([[3.0, -4.0]])
    fine, coarse = travel_of(x, lambda x, t: -2 * x, 200), travel_of(x, lambda x, t: -2 * x, 1, "euler")
    np.testing.assert_allclose(fine.norm[-1], 5 * math.exp(-2), rtol=1e-4)
    assert fine.alignment.min() > 1 - 1e-6
    assert coarse.alignment[:, 0].tolist() == [1, -1]
    assert coarse.norm[:, 0].tolist() == [5, 5]


def test_a_position_that_stands_still_or_starts_at_the_origin_has_no_direction():
    still = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]] * 2)
    kept = reduce_walk(still, torch.zeros_like(still))
    assert kept["straightness"].tolist() == [[0, 0], [0, 0]]
    assert kept["alignment"].tolist() == [[pytest.approx(1), 0], [pytest.approx(1), 0]]
    assert kept["radial"].tolist() == [[0, 0], [0, 0]]


def test_cosines_never_leave_their_range_by_rounding():
    x = torch.randn(1, 2000, 7, generator=torch.Generator().manual_seed(0)).repeat(3, 1, 1)
    assert reduce_walk(x, x)["alignment"].max() <= 1


# -- divergence --------------------------------------------------------------------------------------------------------


def test_the_divergence_estimate_is_unbiased_and_its_spread_is_the_known_one():
    """For v = A x the estimate has mean trace(A) and variance 2 sum_{i != j} S_ij^2 / probes, S the symmetric part
    of A.
    """
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    off = (a + a.T) / 2 - torch.diag(torch.diag(a))
    for n_probes in (1, 16):
        x = torch.zeros(4000, 6, dtype=torch.float64)
        estimate = hutchinson(lambda x, t: x @ a.T, x, 0.5, random_signs(4000, n_probes, 6, generator))
        spread = math.sqrt(2 * float(off.square().sum()) / n_probes)
        assert float(estimate.mean()) == pytest.approx(float(torch.trace(a)), abs=4 * spread / math.sqrt(4000))
        assert float(estimate.std()) == pytest.approx(spread, rel=0.08), "each position has signs of its own"


def test_the_divergence_sees_a_field_that_bends_with_place_and_time():
    """v = t sin(x): the divergence at x is t sum cos(x), and its Jacobian is diagonal, so one probe is exact."""
    x = torch.tensor([[0.1, 2.0, -1.0], [0.0, 0.0, 0.0]])
    estimate = hutchinson(
        lambda x, t: t * torch.sin(x), x, 0.5, random_signs(2, 1, 3, torch.Generator().manual_seed(0))
    )
    assert estimate.tolist() == pytest.approx([0.5 * (math.cos(0.1) + math.cos(2) + math.cos(1)), 1.5], rel=1e-6)


def test_signs_are_ones_of_both_kinds_and_cutting_the_positions_changes_none():
    whole = random_signs(50, 3, 7, torch.Generator().manual_seed(4))
    generator = torch.Generator().manual_seed(4)
    assert torch.equal(whole, torch.cat([random_signs(n, 3, 7, generator) for n in (1, 32, 17)]))
    assert sorted(set(whole.flatten().tolist())) == [-1, 1]


# -- real runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("travel")
    return RunStore(folder / "runs"), write_tiny_category(folder / "data")


@pytest.fixture(scope="module")
def mlp(place):
    return train_here(*place)


@pytest.fixture(scope="module")
def unet(place):
    return train_here(*place, **UNET, solver="heun")


@pytest.fixture(scope="module")
def layernorm(place):
    return train_here(*place, normalise="layernorm")


@pytest.fixture
def copy(place, mlp):
    """A run of its own to spoil."""
    store, _ = place
    run_id = "20200101-000000-copy"
    shutil.copytree(store.folder(mlp), store.home / run_id)
    yield run_id
    shutil.rmtree(store.home / run_id)


def some(flow, n=60, seed=0):
    return choose_positions(flow.results, flow.results.table.row.to_numpy(), "random", n, seed)


def ends(flow, positions):
    """Endpoint score of each position, with the run's own steps."""
    scores = np.full(len(positions), np.nan)
    for walk in walks(flow, positions, flow.settings.steps, flow.settings.solver, quiet):
        scores[walk.index] = 0.5 * walk.x[-1].square().mean(-1).numpy()
    return scores


@pytest.mark.parametrize("kind", ["mlp", "unet", "layernorm"])
def test_paths_end_where_the_runs_own_maps_say(place, request, kind):
    """Test images and held-out normals; the features are the very ones that were scored, so only the order of sums
    differs.
    """
    flow = open_flow(place[0], request.getfixturevalue(kind))
    positions = some(flow)
    assert flow.results.table.split.iloc[np.unique(positions.row)].nunique() == 2
    np.testing.assert_allclose(ends(flow, positions), positions.score, rtol=1e-4)


@pytest.mark.parametrize("kind", ["mlp", "unet"])
@pytest.mark.parametrize("limit", ["CHUNK", "MOST_VALUES"])
def test_how_positions_are_cut_into_chunks_changes_nothing(place, request, kind, limit, monkeypatch):
    flow = open_flow(place[0], request.getfixturevalue(kind))
    positions, options = some(flow, 50), {"n_probes": 2, "seed": 3} if kind == "mlp" else {}
    basis = principal_axes(flow)
    whole = compute_travel(flow, positions, 3, "heun", basis, quiet, **options)
    monkeypatch.setattr(travel_module, limit, 7 if limit == "CHUNK" else 7 * (3 + 1) * flow.n_channels)
    sizes = [walk.x.shape[1] for walk in walks(flow, positions, 3, "heun", quiet)]
    assert max(sizes) == 7
    assert sum(sizes) == len(positions)
    cut = compute_travel(flow, positions, 3, "heun", basis, quiet, **options)
    for part in (
        "t",
        "norm",
        "speed",
        "alignment",
        "straightness",
        "radial",
        "plane",
        *(["divergence"] if options else []),
    ):
        np.testing.assert_allclose(getattr(cut, part), getattr(whole, part), rtol=2e-3, atol=2e-4, err_msg=part)


def test_chunks_hold_the_stated_number_of_values_for_long_paths(place, mlp, monkeypatch):
    monkeypatch.setattr(travel_module, "MOST_VALUES", 50_000)
    flow = open_flow(place[0], mlp)
    sizes = [walk.x.numel() for walk in walks(flow, some(flow, 300), 20, "euler", quiet)]
    assert 25_000 < max(sizes) <= 50_000


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_positions_in_any_order_keep_their_own_paths(place, request, kind):
    flow = open_flow(place[0], request.getfixturevalue(kind))
    positions = some(flow)
    shuffled = np.random.default_rng(1).permutation(len(positions))
    mixed = PositionSet(
        *(getattr(positions, name)[shuffled] for name in ("row", "grid_row", "grid_column", "group", "score"))
    )
    np.testing.assert_allclose(ends(flow, mixed), mixed.score, rtol=1e-4)


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_features_computed_anew_give_the_same_travel_up_to_half_precision(place, copy, request, kind):
    """Cached features are float16, and so are new ones: at most their last bit (5e-4) may differ, where a batch is
    cut otherwise.
    """
    store, _ = place
    flow = open_flow(store, request.getfixturevalue(kind))
    positions, basis = some(flow), principal_axes(flow)
    before = compute_travel(flow, positions, 2, "euler", basis, quiet)
    kept = FeatureCache(store.home).folder
    kept.rename(kept.with_name(".aside"))
    try:
        again = compute_travel(flow, positions, 2, "euler", principal_axes(flow), quiet)
        assert not kept.exists(), "the images asked for are computed, none are stored"
    finally:
        kept.with_name(".aside").rename(kept)
    np.testing.assert_allclose(again.norm, before.norm, rtol=5e-3)
    np.testing.assert_allclose(again.alignment, before.alignment, atol=5e-3)
    np.testing.assert_allclose(again.plane, before.plane, atol=5e-3 * np.abs(before.plane).max())


def test_normal_starts_are_training_normals_on_their_grid_and_always_the_same(place, mlp):
    flow = open_flow(place[0], mlp)
    start = normal_start(flow, n_images=3, n_each=5)
    assert start.shape == (15, flow.n_channels)
    assert np.array_equal(start, normal_start(flow, n_images=3, n_each=5))
    assert not set(flow.training_ids()) & set(flow.held_out)
    everything = normal_start(flow, n_images=1000, n_each=1000)
    assert len(everything) == len(flow.training_ids()) * 8 * 8
    assert (np.square(everything).mean(0).sum() / flow.n_channels) == pytest.approx(1, rel=0.05), (
        "pca leaves a mean variance of 1"
    )
    explained = principal_axes(flow).explained
    assert 1 > explained[0] >= explained[1] > 0


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_progress_rises_to_the_end_and_may_stop_the_work(place, request, kind):
    flow, seen = open_flow(place[0], request.getfixturevalue(kind)), []
    positions = some(flow)
    compute_travel(
        flow,
        positions,
        2,
        "euler",
        principal_axes(flow),
        lambda *done: seen.append(done),
        n_probes=2 if kind == "mlp" else 0,
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (60, 60)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_travel(flow, positions, 2, "euler", principal_axes(flow), stop)


# -- what cannot be done -----------------------------------------------------------------------------------------------


def test_a_divergence_of_the_unet_is_refused_with_the_reason(place, unet):
    flow = open_flow(place[0], unet)
    with pytest.raises(FlowError, match="the unet moves whole images"):
        compute_travel(flow, some(flow), 2, "euler", principal_axes(flow), quiet, n_probes=1)


def test_no_positions_and_wrong_settings_are_sentences(place, mlp):
    flow = open_flow(place[0], mlp)
    empty = PositionSet(*(np.zeros(0, kind) for kind in (np.int32, np.int32, np.int32, str, np.float32)))
    basis, one = principal_axes(flow), one_position(flow.results, 0, 0, 0)
    for positions, steps, solver, message in (
        (empty, 2, "euler", "No position"),
        (one, 0, "euler", "in 0 steps"),
        (one, 2, "rk4", "no solver"),
    ):
        with pytest.raises(FlowError, match=message):
            compute_travel(flow, positions, steps, solver, basis, quiet)


def spoil_weights(path: Path, prefix: str):
    tensors = safetensors.torch.load_file(path)
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            tensor.fill_(math.nan)
    safetensors.torch.save_file(tensors, path)


@pytest.mark.parametrize("prefix", ["velocity.leave", "normaliser.mean"])
def test_weights_that_are_not_numbers_are_a_sentence(place, copy, prefix):
    store, _ = place
    spoil_weights(store.folder(copy) / layout.CHECKPOINT, prefix)
    flow = open_flow(store, copy)
    with pytest.raises(FlowError, match="not finite") as caught:
        ends(flow, some(flow))
    assert caught.value.fix


def test_a_run_without_a_checkpoint_or_not_finished_or_without_its_list_of_images_is_a_sentence(place, copy):
    store, root = place
    with pytest.raises(RunNotFoundError, match="has no results: it is queued"):
        open_flow(store, store.create(root, "plate", tiny_settings()))
    (store.folder(copy) / layout.DATA).rename(store.folder(copy) / "aside")
    with pytest.raises(RunNotFoundError, match="has no list of its images"):
        open_flow(store, copy)
    (store.folder(copy) / "aside").rename(store.folder(copy) / layout.DATA)
    (store.folder(copy) / layout.CHECKPOINT).unlink()
    with pytest.raises(DamagedRunError, match="has no checkpoint"):
        open_flow(store, copy)


@pytest.fixture
def own_place(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=4, n_good=2, n_bad=2)
    return store, root, train_here(store, root)


def test_images_that_changed_or_have_gone_matter_only_where_features_must_be_computed(own_place):
    store, root, run_id = own_place
    flow = open_flow(store, run_id)
    path = root / "plate/test/good/000.png"
    content, row = path.read_bytes(), int(flow.results.table.row[flow.results.table.path == str(path)].iloc[0])
    path.write_bytes((root / "plate/test/good/001.png").read_bytes())
    assert len(list(flow.grids(np.array([row])))) == 1
    FeatureCache(store.home).clear()
    with pytest.raises(DatasetError, match=r"000\.png has changed since this run read it"):
        list(flow.grids(np.array([row])))
    path.unlink()
    with pytest.raises(ImageReadError, match=r"000\.png does not exist"):
        list(flow.grids(np.array([row])))
    path.write_bytes(content)
    assert len(list(flow.grids(np.array([row])))) == 1


def test_features_come_in_the_order_asked_for_whether_cached_or_not(own_place):
    """With the training file evicted and the test file there, both ways take turns."""
    store, _, run_id = own_place
    flow = open_flow(store, run_id)
    ids = [
        flow.training_ids()[0],
        "test/spot/001.png",
        flow.training_ids()[2],
        flow.training_ids()[1],
        "test/good/000.png",
    ]
    cached = list(flow._features(ids))
    (train_file,) = (
        path
        for path in FeatureCache(store.home).folder.glob("*.npy")
        if any(np.array_equal(cached[0], grid) for grid in np.load(path))
    )
    train_file.unlink()
    for one, other in zip(cached, flow._features(ids), strict=True):
        np.testing.assert_allclose(other.astype(float), one.astype(float), rtol=2e-3, atol=2e-3)


def test_a_list_of_images_that_lacks_a_scored_one_is_named(own_place):
    store, _, run_id = own_place
    data = store.data(run_id)
    data["samples"] = [entry for entry in data["samples"] if entry["id"] != "test/spot/000.png"]
    store.write_data(run_id, data)
    flow = open_flow(store, run_id)
    with pytest.raises(DamagedRunError, match=r"data\.json of .* lacks the image test/spot/000\.png"):
        list(flow.grids(flow.results.table.row.to_numpy()))
