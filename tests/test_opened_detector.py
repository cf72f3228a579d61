"""A detector opened from a run scores images as the run itself did."""

from pathlib import Path

import numpy as np
import pytest
from run_folders import train_here, write_tiny_category

from wtflow.datasets.images import load_image
from wtflow.detector.opened import open_run
from wtflow.detector.score import pixel_maps, score_images
from wtflow.errors import FlowError, RunNotFoundError
from wtflow.results import open_results, pixel_map, threshold_choices
from wtflow.store.runs import RunStore


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data"), edge_quantile=0.9)


def test_scores_and_maps_are_those_that_the_run_holds(run):
    results, opened = open_results(*run), open_run(*run)
    paths = map(Path, results.test.path)
    images = np.stack([load_image(path, opened.shape, opened.settings.background) for path in paths])
    found = score_images(opened, images)
    np.testing.assert_allclose(found.scores, results.test.score, rtol=1e-5)
    np.testing.assert_allclose(pixel_maps(opened, found)[3], pixel_map(results, int(results.test.row.iloc[3])), 1e-5)


def test_what_it_knows_of_the_run_is_what_the_run_holds(run):
    results, opened = open_results(*run), open_run(*run)
    normal = results.table[~results.table.is_defective]
    assert opened.threshold.value == threshold_choices(results)[0].value
    np.testing.assert_array_equal(opened.normal_scores, normal.score)
    assert opened.facts["n_normals"] + opened.facts["n_held_out"] == 12
    assert opened.index is not None
    assert len(opened.index[0]) == len(opened.index[1]) == opened.facts["n_normals"]


def test_images_of_another_shape_or_type_are_refused(run):
    opened = open_run(*run)
    for images in (
        np.zeros((1, 32, 64, 3), np.float32),
        np.zeros((1, 64, 64, 3)),
        np.zeros((0, 64, 64, 3), np.float32),
    ):
        with pytest.raises(FlowError, match="float32 images"):
            score_images(opened, images)


def test_a_run_without_results_opens_with_a_sentence(run):
    with pytest.raises(RunNotFoundError):
        open_run(run[0], "20260101-000000-nothing")
