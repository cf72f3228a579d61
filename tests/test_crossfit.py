"""Training normals scored by flows that did not learn from them, and where a run starts its threshold then."""

import numpy as np
import pytest
import torch
from hand_made_runs import write_finished_run
from run_folders import tiny_settings, train_here, write_tiny_category

from wtflow.config import settings_from
from wtflow.deciding.force import threshold_in_force
from wtflow.errors import DamagedRunError
from wtflow.records.normals import NormalScores
from wtflow.results import open_results
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.studies.answers import known_normals
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import NormalsRequest
from wtflow.training.crossfit import N_FOLDS
from wtflow.training.pool import position_batches


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossfit")
    store = RunStore(folder / "runs")
    return store, train_here(store, write_tiny_category(folder / "data", n_train=14), edge_quantile=0.9)


def hand_made(store, n: int) -> str:
    run = write_finished_run(store, settings_from())
    scores = np.linspace(1.0, 2.0, n)
    store.write_normals(run, NormalScores(tuple(f"train/good/{i}.png" for i in range(n)), scores, np.arange(n) % 5))
    return run


def test_a_position_that_is_left_out_is_never_drawn_and_the_others_are():
    pool = torch.arange(40.0)[:, None].repeat(1, 3).half()
    pool[:, 1] *= -1
    left_out = torch.arange(40) % 4 == 0
    for power in (0.0, 2.0):
        settings = tiny_settings(rarity_power=power)
        draw = position_batches(pool, settings, left_out)
        drawn = {int(value) for step in range(60) for value in draw(step)[0][:, 0]}
        assert drawn == {i for i in range(40) if i % 4}


def test_every_normal_has_one_score_and_those_kept_aside_keep_theirs(trained):
    store, run = trained
    found = compute_answer(store, run, NormalsRequest(), lambda share: None)
    results = open_results(store, run)
    names = {f"train/good/{i:03d}.png" for i in range(14)}
    assert set(found.sample_ids) == names and len(found.sample_ids) == 14
    assert np.isfinite(found.scores).all() and set(found.fold) == {-1, *range(N_FOLDS)}
    kept = dict(zip(results.holdout.sample_id, results.holdout.score, strict=True))
    own = {
        name: score for name, score, fold in zip(found.sample_ids, found.scores, found.fold, strict=True) if fold < 0
    }
    assert own == kept
    again = known_normals(store, results)
    assert again is not None and np.array_equal(again.scores, found.scores)


def test_a_run_with_enough_scored_normals_starts_at_two_percent_false_alarms(store):
    run = hand_made(store, 99)
    found = threshold_in_force(store, open_results(store, run))
    # one of 99 may lie above; midway between the highest two of the evenly spaced scores
    assert found.rule == "false_alarms" and found.value == pytest.approx(2.0 - 0.5 / 98, abs=1e-5)


def test_with_too_few_it_starts_as_before(store):
    assert threshold_in_force(store, open_results(store, hand_made(store, 48))).rule == "best_f1"


@pytest.mark.parametrize("content", [b"", b"PAR1 not a table"])
def test_damaged_scores_of_normals_are_a_sentence(store, content):
    run = hand_made(store, 60)
    store.result_path(run, layout.NORMALS).write_bytes(content)
    with pytest.raises(DamagedRunError, match="normals.parquet"):
        open_results(store, run)
