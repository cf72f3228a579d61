"""The nearest training normal of each test image against mean features computed whole."""

import numpy as np
import pytest
from run_folders import train_here, write_tiny_category

from wtflow.errors import DamagedRunError
from wtflow.store.layout import INDEX
from wtflow.store.runs import RunStore
from wtflow.studies.answers import load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.nearest_normals import find_nearest
from wtflow.studies.requests import FactsRequest, NearestRequest, request_from_json
from wtflow.studies.run_flow import open_flow


@pytest.mark.parametrize("normalise", ["pca", "layernorm"])
def test_distances_are_those_of_mean_features_at_the_start(tmp_path, normalise):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(
        store, write_tiny_category(tmp_path / "images", n_train=6, n_good=1, n_bad=2), normalise=normalise
    )
    told = []
    flow, (ids, vectors) = open_flow(store, run_id), store.index(run_id)
    found = find_nearest(flow, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    for i, (row, grid) in enumerate(flow.grids(flow.results.test.row.to_numpy())):
        mean = flow.detector.start(grid[None]).numpy()[0].reshape(-1, flow.n_channels).mean(0)
        far = np.sqrt(((vectors - mean) ** 2).sum(1))
        assert found.row[i] == row
        assert found.distance[i] == pytest.approx(far.min(), rel=1e-3)
        assert found.sample_id[i] == ids[int(far.argmin())]
    (store.folder(run_id) / INDEX).unlink()
    with pytest.raises(DamagedRunError):
        find_nearest(flow, lambda done, total: None)


def test_the_worker_s_answers_come_back_from_the_run_s_folder(tmp_path):
    store = RunStore(tmp_path / "runs")
    run_id = train_here(store, write_tiny_category(tmp_path / "images", n_train=6, n_good=1, n_bad=2))
    for request in (FactsRequest(), NearestRequest()):
        shares = []
        made = compute_answer(store, run_id, request_from_json(request.model_dump_json()), shares.append)
        assert shares[-1] == 1.0
        np.testing.assert_array_equal(load_answer(store, run_id, request).row, made.row)
