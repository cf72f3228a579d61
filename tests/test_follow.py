"""The run's own steps against the run itself: paths against Travel and the network, maps and AUROC over time against
what the run stored.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from run_folders import train_here, write_tiny_category

from wtflow.errors import FlowError
from wtflow.metrics import image_metrics
from wtflow.plots.disc import disc_angles
from wtflow.records.core import GOOD
from wtflow.records.follow import OwnPaths, Yardstick, norm_at, only, score_at
from wtflow.results import open_results, pixel_map
from wtflow.scoring.edges import distance_to_edge
from wtflow.scoring.pixels import upsample
from wtflow.store.runs import RunStore
from wtflow.studies.answers import load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.follow import (
    FINE,
    band,
    fine_times,
    free_cells,
    ring_angles,
)
from wtflow.studies.follow_paths import most_alike, own_states, path_of_training, paths_of_image
from wtflow.studies.requests import OverTimeRequest, TravelRequest, YardstickRequest
from wtflow.studies.run_flow import RunFlow, open_flow
from wtflow.studies.well import well_radius

STEPS = 3
YARDSTICK, TRAVEL = YardstickRequest(n=200), TravelRequest(how="balanced", n=200, steps=STEPS)


def quiet(share: float) -> None:
    pass


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> RunFlow:
    folder = tmp_path_factory.mktemp("follow")
    store = RunStore(folder / "runs")
    run_id = train_here(store, write_tiny_category(folder / "images", n_good=3, n_bad=3), steps=STEPS, precision="full")
    return open_flow(store, run_id)


def answer(flow: RunFlow, request):
    return compute_answer(flow.store, flow.results.run_id, request, quiet)


def of_image(flow: RunFlow, row: int, yardstick: Yardstick):
    return paths_of_image(flow, row, yardstick, np.ones(flow.results.maps.shape[1:], bool))


# -- paths -------------------------------------------------------------------------------------------------------------


def test_distances_after_each_step_are_those_of_travel(flow: RunFlow):
    yardstick, travel = answer(flow, YARDSTICK), answer(flow, TRAVEL)
    assert np.array_equal(yardstick.positions.row, travel.positions.row)
    np.testing.assert_allclose(yardstick.paths.norm, travel.norm, rtol=1e-4)
    np.testing.assert_allclose(band(yardstick, travel.t)[0], well_radius(travel), rtol=1e-4)


def test_between_two_steps_the_distance_is_that_of_the_straight_line(flow: RunFlow):
    yardstick = answer(flow, YARDSTICK)
    x = flow.detector.start(next(flow.grids(np.array([0])))[1][None])
    t, states = own_states(flow.detector, x)
    paths, _ = of_image(flow, 0, yardstick)
    for k, share in ((0, 0.25), (1, 0.5), (2, 0.9)):
        on_the_way = torch.lerp(states[k], states[k + 1], share)[0].norm(dim=-1).cpu().numpy()
        (found,) = norm_at(paths, np.array([t[k] + share * (t[k + 1] - t[k])]))
        np.testing.assert_allclose(found, on_the_way, rtol=1e-4)


def test_a_training_position_moves_as_its_image_does(flow: RunFlow):
    yardstick, sample_id = answer(flow, YARDSTICK), flow.training_ids()[0]
    alone = path_of_training(flow, sample_id, 2, 3, yardstick)
    x = flow.detector.start(next(flow.training_grids([sample_id]))[1][None])
    _, states = own_states(flow.detector, x)
    np.testing.assert_allclose(alone.norm[:, 0], states[:, 0, 2, 3].norm(dim=-1).cpu().numpy(), rtol=1e-4)


def test_a_network_that_sees_whole_images_is_followed_too(tmp_path: Path):
    store = RunStore(tmp_path / "runs")
    unet = {"network": "unet", "scope": "image", "width": 8, "batch_size": 8, "group_size": 8, "iterations": 4}
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_good=2, n_bad=2), **unet, steps=2)
    over = compute_answer(store, run_id, OverTimeRequest(), quiet)
    yardstick, flow = compute_answer(store, run_id, YARDSTICK, quiet), open_flow(store, run_id)
    paths, _ = of_image(flow, 1, yardstick)
    own = np.asarray(flow.results.maps[1], np.float32)
    np.testing.assert_allclose(
        score_at(paths, over.factors[:, distance_to_edge(*own.shape)], np.array([1.0]))[0], own, rtol=1e-3
    )


# -- the map and the scores over time ----------------------------------------------------------------------------------


def test_the_last_map_is_the_runs_own_in_every_pixel(flow: RunFlow):
    over, yardstick = answer(flow, OverTimeRequest()), answer(flow, YARDSTICK)
    for row in range(len(flow.results.test)):
        paths, _ = of_image(flow, row, yardstick)
        last = score_at(paths, over.factors[:, distance_to_edge(*paths.norm.shape[1:])], np.array([1.0]))[0]
        stored = np.asarray(flow.results.maps[row])
        np.testing.assert_allclose(last.astype(np.float16), stored, rtol=2**-10)  # maps are stored in float16
        large = upsample(stored[None], flow.results.shape, "endpoint")[0]
        np.testing.assert_allclose(large, pixel_map(flow.results, row))


def test_the_last_auroc_is_the_runs_and_the_first_is_that_before_the_flow(flow: RunFlow):
    over, metrics = answer(flow, OverTimeRequest()), flow.results.metrics["metrics"]
    assert over.is_own and over.n_images == len(flow.results.test) and over.n_defective == 3
    assert over.image_auroc[-1] == pytest.approx(metrics["image_auroc"], abs=1e-12)
    assert over.places_auroc[0] == pytest.approx(metrics["image_auroc_start"], abs=1e-12)
    assert len(over.t) == STEPS + 1 and over.t[-1] == 1


def test_a_run_that_scores_otherwise_is_said_to_and_shows_the_endpoint(tmp_path: Path):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_good=2, n_bad=2), steps=2, score="deviation")
    over = compute_answer(store, run_id, OverTimeRequest(), quiet)
    assert not over.is_own
    assert over.color_range != open_results(store, run_id).color_range


def test_the_last_map_is_the_runs_own_in_whatever_precision_it_scores(tmp_path: Path):
    """Where the processor multiplies bfloat16, the run's own setting does so."""
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_good=2, n_bad=2), steps=STEPS)
    over, yardstick = (
        compute_answer(store, run_id, OverTimeRequest(), quiet),
        compute_answer(store, run_id, YARDSTICK, quiet),
    )
    flow = open_flow(store, run_id)
    paths, _ = of_image(flow, 0, yardstick)
    stored = np.asarray(flow.results.maps[0])
    last = score_at(paths, over.factors[:, distance_to_edge(*stored.shape)], np.array([1.0]))[0]
    np.testing.assert_allclose(last.astype(np.float16), stored, rtol=2**-10)
    assert over.image_auroc[-1] == pytest.approx(flow.results.metrics["metrics"]["image_auroc"], abs=1e-12)


def test_without_normal_test_images_the_auroc_is_absent(tmp_path: Path):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_good=0, n_bad=2), steps=2)
    assert np.isnan(compute_answer(store, run_id, OverTimeRequest(), quiet).image_auroc).all()
    with pytest.raises(FlowError, match="no normal test images"):
        band(compute_answer(store, run_id, YARDSTICK, quiet), np.array([0.0]))


def test_answers_come_back_from_the_disk_as_they_were(flow: RunFlow):
    for request in (YARDSTICK, OverTimeRequest()):
        made = answer(flow, request)
        read = load_answer(flow.store, flow.results.run_id, request)
        assert read is not None and type(read) is type(made)
    np.testing.assert_array_equal(
        answer(flow, YARDSTICK).paths.norm, load_answer(flow.store, flow.results.run_id, YARDSTICK).paths.norm
    )


# -- what it is compared with ------------------------------------------------------------------------------------------


def test_the_ring_places_an_end_where_the_disc_has_it(flow: RunFlow):
    yardstick = answer(flow, YARDSTICK)
    known = disc_angles(yardstick.paths.plane_end, is_normal=yardstick.positions.group == GOOD)
    found = ring_angles(yardstick, yardstick.paths.plane_end)
    np.testing.assert_allclose(found, known, atol=2 * np.pi / len(known))


def test_the_band_holds_99_of_100_normals_at_every_time(flow: RunFlow):
    yardstick = answer(flow, YARDSTICK)
    times = fine_times(yardstick.paths.t)
    assert len(times) > FINE and set(yardstick.paths.t) <= set(times)
    normals = norm_at(only(yardstick.paths, yardstick.positions.group == GOOD), times)
    radius, median = band(yardstick, times)
    assert (abs((normals <= radius[:, None]).mean(1) - 0.99) <= 1 / normals.shape[1]).all()
    assert (abs((normals <= median[:, None]).mean(1) - 0.5) <= 1 / normals.shape[1]).all()


def test_a_normal_patch_keeps_clear_of_the_true_defect():
    inside = np.zeros((7, 7), bool)
    inside[:4, :4] = True
    free = free_cells(inside, (7, 7))
    assert [(r, c) for r in range(7) for c in range(7) if free[r, c]] == [
        (r, c) for r in range(7) for c in range(7) if r >= 6 or c >= 6
    ]
    assert free_cells(None, (2, 3)).all()
    nearly = np.ones((5, 5), bool)
    nearly[2, 2] = False
    assert free_cells(nearly, (5, 5)).sum() == 1, "where none is far from the defect, one outside it will do"


def test_the_most_alike_patch_has_the_nearest_feature_outside_its_own_surroundings():
    generator = np.random.default_rng(0)
    x, free = generator.normal(size=(6, 7, 3)).astype(np.float32), generator.random((6, 7)) < 0.6
    found = most_alike(torch.from_numpy(x), free)
    for row, column in np.ndindex(6, 7):
        far = [
            (float(np.linalg.norm(x[r, c] - x[row, column])), 7 * r + c)
            for r, c in np.ndindex(6, 7)
            if free[r, c] and max(abs(r - row), abs(c - column)) > 2
        ]
        assert found[row, column] == min(far)[1]
    assert (most_alike(torch.from_numpy(x), np.zeros((6, 7), bool)) == -1).all()


def test_a_path_of_one_step_is_a_straight_line():
    ends = np.array([[3.0, 4.0], [0.0, 1.0]])
    one = OwnPaths(
        np.array([0.0, 1.0]),
        np.linalg.norm(ends, axis=1)[:, None],
        np.array([[ends[0] @ ends[1]]]),
        np.zeros((1, 2)),
        2,
    )
    (found,) = norm_at(one, np.array([0.5]))
    assert found[0] == pytest.approx(np.hypot(1.5, 2.5))


def test_auroc_agrees_with_metrics_of_the_runs_scores(flow: RunFlow):
    test = flow.results.test
    by_table = image_metrics(test.score.to_numpy(), test.is_defective.to_numpy(bool))["image_auroc"]
    assert answer(flow, OverTimeRequest()).image_auroc[-1] == pytest.approx(by_table, abs=1e-12)
