"""Groups of wrong calls: blobs that lie apart come out as such, and the map's positions are the worst ones in the
order of the rows.
"""

import numpy as np
import pytest
from hand_made_runs import write_finished_run
from run_folders import tiny_settings

from wtflow.errors import FlowError
from wtflow.failures.groups import LEAST, MOST_GROUPS, group_failures
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.positions import choose_positions
from wtflow.studies.requests import checked, map_request


def blobs(*sizes: int, apart: float = 10.0) -> np.ndarray:
    generator = np.random.default_rng(0)
    return np.concatenate(
        [generator.normal(size=(n, 2)) * 0.3 + [apart * i, apart * (i % 2)] for i, n in enumerate(sizes)]
    ).astype(np.float32)


def test_blobs_that_lie_apart_are_the_groups():
    rows = np.arange(100, 130)
    found = group_failures(blobs(12, 8, 10), rows, rows)
    assert [set(group.row) for group in found.groups] == [
        set(range(100, 112)),
        set(range(120, 130)),
        set(range(112, 120)),
    ]
    assert [group.number for group in found.groups] == [1, 2, 3]
    assert found.silhouette > 0.8


def test_right_calls_belong_to_no_group_and_do_not_sway_it():
    points, rows = blobs(8, 8, 20), np.arange(36)
    found = group_failures(points, rows, np.arange(15, -1, -1))
    assert found.group[16:].tolist() == [0] * 20
    assert [len(group.row) for group in found.groups] == [8, 8]
    assert all((found.group[list(group.row)] == group.number).all() for group in found.groups)


def test_the_one_nearest_to_the_middle_stands_first():
    points = blobs(8, 8)
    for group in group_failures(points, np.arange(16), np.arange(16)).groups:
        away = np.linalg.norm(points[list(group.row)] - points[list(group.row)].mean(0), axis=1)
        assert (np.diff(away) >= 0).all()


def test_few_failures_and_failures_in_one_place_make_one_group():
    for points in (blobs(LEAST - 1), np.zeros((20, 2), np.float32)):
        rows = np.arange(len(points))
        found = group_failures(points, rows, rows)
        assert len(found.groups) == 1 and found.silhouette is None


def test_without_failures_there_is_no_group():
    assert group_failures(blobs(20), np.arange(20), np.array([], int)).groups == ()


def test_there_are_never_more_groups_than_said():
    rows = np.arange(80)
    assert len(group_failures(blobs(*[8] * 10), rows, rows).groups) <= MOST_GROUPS


@pytest.mark.parametrize(("n_points", "wrong"), [(4, [0]), (5, [7])])
def test_points_that_do_not_fit_are_refused(n_points, wrong):
    with pytest.raises(FlowError, match="do not fit"):
        group_failures(np.zeros((n_points, 2)), np.arange(5), np.array(wrong))


def test_the_map_holds_the_single_worst_position_of_each_test_image_in_the_order_of_rows(tmp_path):
    store = RunStore(tmp_path)
    run_id = write_finished_run(store, tiny_settings())
    maps = np.random.default_rng(0).random((7, 4, 4)).astype(np.float32)
    store.write_maps(run_id, maps)
    results = open_results(store, run_id)
    travel = map_request(len(results.test), "euler").travel
    positions = choose_positions(results, results.test.row.to_numpy(), travel.how, travel.n, travel.seed)
    assert positions.row.tolist() == sorted(results.test.row)
    assert [(r, c) for r, c in zip(positions.grid_row, positions.grid_column, strict=True)] == [
        np.unravel_index(maps[i].argmax(), (4, 4)) for i in range(5)
    ]


@pytest.mark.parametrize("n", [20, 2000, 40_000])
def test_the_request_is_within_the_limits_of_its_kind(n):
    request = map_request(n, "heun")
    assert checked(type(request), request.model_dump()) == request
