"""Few steps against many: the run's own numbers come back, and trips there and back obey the closed forms of linear
fields.
"""

import json
import math
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from run_folders import train_here, write_tiny_category

from wtflow.errors import DatasetError, FlowError
from wtflow.records.core import GOOD
from wtflow.scoring.pixels import grid_mask
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.studies import rescore
from wtflow.studies import steps as steps_module
from wtflow.studies.run_flow import open_flow
from wtflow.studies.steps import compute_steps, compute_trips, return_error, spread

UNET = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8, "iterations": 4}
X = torch.tensor([[3.0, -4.0], [0.1, 0.2], [0.0, 1.0]])


def quiet(share):
    pass


def decay(x, t):
    return -x


# -- there and back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 4, 10, 50])
def test_trips_through_a_decay_lose_what_the_solvers_lose(steps):
    """For v = -x a step of h and back multiplies by (1 - h)(1 + h) with Euler, and by 1 + h^4 / 4 with Heun.

    One Euler step puts everything on the origin, and nothing comes back: the return error is 1.
    """
    h = 1 / steps
    for solver, factor in (("euler", 1 - h**2), ("heun", 1 + h**4 / 4)):
        error = return_error(decay, X, solver, steps)
        np.testing.assert_allclose(error, abs(1 - factor**steps), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_the_return_error_falls_with_the_order_of_the_solver_on_a_smooth_field(solver, order):
    smooth = lambda x, t: torch.sin(2 * x) + t * x  # noqa: E731
    errors = [return_error(smooth, X.double(), solver, steps) for steps in (20, 40, 80)]
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert (coarse[:2] / fine[:2]).log2().min() > order - 0.2


@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_where_nothing_moves_everything_returns(solver):
    assert return_error(lambda x, t: torch.zeros_like(x), X, solver, 3).tolist() == [0, 0, 0]
    assert return_error(decay, torch.zeros(1, 2), solver, 3).tolist() == [0], "the origin has no length to compare with"


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e30])
def test_a_path_that_is_lost_is_infinitely_far_and_takes_no_other_along(bad):
    def field(x, t):
        v = -x
        v[0] = torch.where(t > 0.4, torch.tensor(bad), v[0])
        return v

    assert return_error(field, X, "euler", 4)[0] == math.inf
    np.testing.assert_allclose(return_error(field, X, "euler", 4)[1:], return_error(decay, X, "euler", 4)[1:])


def test_a_solver_that_does_not_exist_is_an_error_not_an_infinite_answer():
    with pytest.raises(FlowError, match="no solver 'rk4'"):
        return_error(decay, X, "rk4", 3)


def test_quantiles_of_infinite_errors_fit_into_json():
    assert spread(np.arange(101.0)) == (5, 50, 95)
    low, middle, high = spread(np.array([0.0, 1.0, 2.0] + [math.inf] * 3))
    assert json.loads(json.dumps([low, middle, high], allow_nan=False))
    assert low < 1
    assert middle > 1e30
    assert high == float(np.finfo(np.float32).max)


# -- real runs ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    return RunStore(folder / "runs"), write_tiny_category(
        folder / "data", n_good=6, n_bad=5
    )  # more than one batch of 8


@pytest.fixture(scope="module")
def mlp(place):
    return train_here(*place)


@pytest.fixture(scope="module")
def unet(place):
    return train_here(*place, **UNET, solver="heun", steps=3)


@pytest.fixture
def copy(place, mlp):
    """A run of its own to spoil."""
    store, _ = place
    run_id = "20200101-000000-copy"
    shutil.copytree(store.folder(mlp), store.home / run_id)
    yield run_id
    shutil.rmtree(store.home / run_id)


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_the_runs_own_setting_is_added_and_gives_the_stored_metrics(place, request, kind):
    store, run_id = place[0], request.getfixturevalue(kind)
    flow = open_flow(store, run_id)
    rows, trips = compute_steps(flow, (("euler", 1), ("heun", 2)), 40, 0, quiet)
    own = ("euler", 2) if kind == "mlp" else ("heun", 3)
    assert [(row.solver, row.steps) for row in rows] == sorted({("euler", 1), ("heun", 2), own})
    assert [(trip.solver, trip.steps) for trip in trips] == [(row.solver, row.steps) for row in rows]
    (default,) = (row for row in rows if row.is_default)
    assert (default.solver, default.steps) == own
    stored = store.metrics(run_id)["metrics"]
    assert default.metrics == pytest.approx(
        {name: stored[name] for name in ("image_auroc", "pixel_auroc", "aupro")}, abs=1e-6
    )
    assert {(row.solver, row.steps): row.evaluations for row in rows} == {
        (solver, steps): steps * (1 if solver == "euler" else 2)
        for solver, steps in sorted({("euler", 1), ("heun", 2), own})
    }
    assert all(0 < row.ms_per_image < 1000 for row in rows)


@pytest.mark.parametrize("called_defective", [(0,), (1, 3), (2,), (0, 4), (3, 5)])
def test_the_image_score_is_the_runs_own_and_decides_close_cases(place, copy, called_defective):
    """With good images called defective, the AUROC hangs on the order of scores that differ by little."""
    store, _ = place
    table = store.scores(copy)
    table["is_defective"] = table.row.isin(called_defective)
    table["defect"] = np.where(table.is_defective, "spot", GOOD)
    table["mask_path"] = ""
    table = table[table.row < 6]
    store.write_scores(copy, table)
    store.write_maps(copy, np.asarray(store.maps(copy))[:6])
    rows, _ = compute_steps(open_flow(store, copy), (("euler", 2),), 10, 0, quiet)
    higher = [good < bad for good in table.score[~table.is_defective] for bad in table.score[table.is_defective]]
    assert rows[0].metrics["image_auroc"] == pytest.approx(np.mean(higher))
    assert rows[0].metrics["aupro"] is None, "no mask, no region"


def test_endpoint_norms_are_those_of_the_stored_maps_for_good_images_and_inside_masks(place, mlp):
    """A map holds half the mean square over C channels, so the norm is the root of 2 C times its value."""
    flow = open_flow(place[0], mlp)
    rows, _ = compute_steps(flow, (("euler", 2),), 10, 0, quiet)
    test, maps = flow.results.test, np.asarray(flow.results.maps)
    inside = np.concatenate(
        [
            maps[one.row][grid_mask(np.asarray(Image.open(one.mask_path)) > 0, (8, 8))]
            for one in test[test.is_defective].itertuples()
        ]
    )
    for group, values in ((GOOD, maps[test.row[~test.is_defective]]), ("spot", inside)):
        expected = np.quantile(np.sqrt(2 * flow.n_channels * values), (0.05, 0.5, 0.95))
        assert rows[0].norms[group] == pytest.approx(tuple(expected), rel=1e-4)
    assert set(rows[0].norms) == {GOOD, "spot"}


def test_many_steps_of_either_solver_agree(place, mlp):
    flow = open_flow(place[0], mlp)
    rows, trips = compute_steps(flow, (("euler", 200), ("heun", 40), ("euler", 1)), 40, 0, quiet)
    by_plan = {(row.solver, row.steps): row for row in rows}
    for group in (GOOD, "spot"):
        assert by_plan["euler", 200].norms[group] == pytest.approx(by_plan["heun", 40].norms[group], rel=0.02)
        assert by_plan["euler", 1].norms[group] != pytest.approx(by_plan["heun", 40].norms[group], rel=0.02), (
            "else the test shows nothing"
        )
    back = {(trip.solver, trip.steps): trip.errors for trip in trips}
    for group in (GOOD, "spot"):
        assert back["heun", 40][group][1] < 0.1 * back["euler", 1][group][1]


def test_a_run_scored_otherwise_is_studied_by_its_endpoints(place, mlp):
    """What `evaluate` says of the same run under the score endpoint."""
    store, root = place
    run_id = train_here(store, root, score="deviation")
    rows, _ = compute_steps(open_flow(store, run_id), (("euler", 2),), 10, 0, quiet)
    endpoint = rescore.score_again(store, run_id, {"score": "endpoint"}, lambda done, total: None).summary["metrics"]
    assert rows[0].is_default
    assert rows[0].metrics == pytest.approx({name: endpoint[name] for name in rows[0].metrics}, abs=1e-3)


def test_trips_name_every_group_and_repeat_for_a_seed(place, mlp):
    flow = open_flow(place[0], mlp)
    first, again, other = (compute_trips(flow, (("euler", 2), ("heun", 2)), 30, seed, quiet) for seed in (0, 0, 1))
    assert first == again != other
    assert [tuple(trip.errors) for trip in first] == [(GOOD, "spot")] * 2
    assert all(0 <= low <= middle <= high for trip in first for low, middle, high in trip.errors.values())


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_trips_give_each_position_the_error_of_its_own_path(place, request, kind, monkeypatch):
    """Under a decay every path has the same known error, whichever grid it travels in."""
    flow = open_flow(place[0], request.getfixturevalue(kind))
    monkeypatch.setattr(flow.detector, "velocity", decay)
    (trip,) = compute_trips(flow, (("euler", 4),), 30, 0, quiet)
    for value in trip.errors.values():
        assert value == pytest.approx((1 - (15 / 16) ** 4,) * 3, rel=1e-3)


def test_features_are_computed_once_where_the_cache_has_them_no_more(place, mlp):
    store, _ = place
    flow, seen = open_flow(store, mlp), []
    before, _ = compute_steps(flow, (("euler", 1),), 10, 0, quiet)
    FeatureCache(store.home).clear()
    after, _ = compute_steps(flow, (("euler", 1),), 10, 0, seen.append)
    assert flow._cached("test") is not None
    assert flow._cached("train") is None, "nobody asked for those"
    for one, other in zip(before, after, strict=True):
        assert one.metrics == pytest.approx(other.metrics, abs=2e-3)
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] == pytest.approx(1)


def test_progress_moves_after_some_evaluations_and_may_stop_the_work(place, mlp, monkeypatch):
    monkeypatch.setattr(steps_module, "EVALUATIONS_AT_ONCE", 20)
    monkeypatch.setattr(steps_module, "n_cores", lambda: 1)
    flow, seen = open_flow(place[0], mlp), []
    compute_steps(flow, (("euler", 10), ("heun", 5)), 10, 0, seen.append)
    assert seen == sorted(seen)
    assert max(np.diff([0, *seen])) < 0.9 * 0.5 * 2 / 11 + 0.02, "two of eleven images at a time"
    assert seen[-1] == pytest.approx(1)

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_steps(flow, (("euler", 1),), 10, 0, stop)


def test_answers_survive_json(place, mlp):
    rows, trips = compute_steps(open_flow(place[0], mlp), (("euler", 1),), 10, 0, quiet)
    for one in (*rows, *trips):
        assert json.loads(json.dumps(asdict(one), allow_nan=False))["steps"] == one.steps


# -- what cannot be done -----------------------------------------------------------------------------------------------


def test_weights_that_are_not_numbers_are_a_sentence(place, copy):
    store, _ = place
    path = store.folder(copy) / layout.CHECKPOINT
    tensors = safetensors.torch.load_file(path)
    tensors["velocity.leave.bias"].fill_(math.nan)
    safetensors.torch.save_file(tensors, path)
    with pytest.raises(FlowError, match="not finite at step 1 of 1"):
        compute_steps(open_flow(store, copy), (("euler", 1),), 10, 0, quiet)


@pytest.mark.parametrize(("n_good", "n_bad"), [(1, 0), (0, 1), (3, 0)])
def test_without_defects_or_without_good_images_there_are_norms_and_no_metrics(tmp_path, n_good, n_bad):
    store, root = (
        RunStore(tmp_path / "runs"),
        write_tiny_category(tmp_path / "data", n_train=3, n_good=n_good, n_bad=n_bad),
    )
    rows, trips = compute_steps(open_flow(store, train_here(store, root)), (("euler", 1),), 10, 0, quiet)
    groups = {GOOD} if n_good else {"spot"}
    assert all(row.metrics["image_auroc"] is None and set(row.norms) == groups for row in rows)
    assert set(trips[0].errors) >= groups
    assert (rows[0].metrics["aupro"] is None) == (not n_bad), "a defective image has normal pixels, too"


def test_no_test_images_and_changed_ones_are_sentences(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=3, n_good=1, n_bad=1)
    flow = open_flow(store, train_here(store, root))
    FeatureCache(store.home).clear()
    Image.new("RGB", (64, 64)).save(root / "plate/test/good/000.png")
    with pytest.raises(DatasetError, match=r"000\.png has changed since this run read it"):
        compute_steps(flow, (("euler", 1),), 10, 0, quiet)
    empty = write_tiny_category(tmp_path / "none", n_train=3, n_good=0, n_bad=0)
    with pytest.raises(DatasetError, match="has no test images to score"):
        compute_steps(open_flow(store, train_here(store, empty)), (("euler", 1),), 10, 0, quiet)
