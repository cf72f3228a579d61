"""How long an answer will take, in numbers worked out by hand."""

from pathlib import Path

import pytest
from hand_made_runs import write_finished_run
from run_folders import tiny_settings

from wtflow.results import open_results
from wtflow.store.pace import keep_paces
from wtflow.store.runs import RunStore
from wtflow.studies import duration
from wtflow.studies.duration import evaluations, own_evaluations, steps_seconds, umap_of_travel_seconds
from wtflow.studies.requests import StepsRequest, TravelRequest, UmapRequest
from wtflow.studies.umap_clock import STAGES, pace_name


def results_of(tmp_path: Path, rates: dict | None, **settings):
    store = RunStore(tmp_path / "runs")
    changes = {} if rates is None else {"rates": rates}
    return open_results(store, write_finished_run(store, tiny_settings(**settings), **changes))


def test_heun_looks_twice_a_step():
    assert (evaluations("euler", 10), evaluations("heun", 10)) == (10, 20)


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"steps": 4}, 4),
        ({"steps": 4, "solver": "heun"}, 8),
        ({"steps": 4, "score": "relative"}, 4),
        ({"steps": 4, "score": "deviation"}, 1),
        ({"steps": 4, "score": "mismatch", "mismatch_samples": 6}, 6),
    ],
)
def test_a_run_looks_as_often_as_its_own_score_does(settings, count):
    assert own_evaluations(tiny_settings(**settings)) == count


def test_the_study_takes_the_pace_of_the_run_times_the_evaluations_of_the_plan_and_of_its_own_setting(tmp_path):
    """Five images at 0.2 s for 2 evaluations each: 0.1 s an evaluation. The plan has 1 + 6, the run's own setting 2
    more: 9 in all.
    """
    results = results_of(tmp_path, {"score": 0.2}, steps=2)
    assert steps_seconds(results, StepsRequest(plan=(("euler", 1), ("heun", 3)))) == pytest.approx(5 * 0.1 * 9)


def test_a_setting_that_is_in_the_plan_already_is_scored_once(tmp_path):
    results = results_of(tmp_path, {"score": 0.2}, steps=2)
    assert steps_seconds(results, StepsRequest(plan=(("euler", 2), ("euler", 2)))) == pytest.approx(5 * 0.1 * 2)


@pytest.mark.parametrize("rates", [None, {}, {"score": None}, {"score": 0}])
def test_a_run_that_measured_nothing_promises_nothing(tmp_path, rates):
    assert steps_seconds(results_of(tmp_path, rates), StepsRequest()) is None


def test_few_points_are_all_fitted_and_the_pace_of_this_machine_counts(tmp_path, monkeypatch):
    store = RunStore(tmp_path)
    monkeypatch.setattr(duration, "slowness", lambda: 1.0)
    request = UmapRequest(travel=TravelRequest(steps=20), n_fit=1000)
    few, many = (umap_of_travel_seconds(store, request, n, 64) for n in (500, 2000))
    assert few < many
    more = UmapRequest(travel=TravelRequest(steps=20), n_fit=50_000)
    assert umap_of_travel_seconds(store, more, 500, 64) == few, "500 positions are 500, whatever may be fitted"
    monkeypatch.setattr(duration, "slowness", lambda: 3.0)
    assert umap_of_travel_seconds(store, request, 500, 64) == pytest.approx(3 * few)
    keep_paces(store, {pace_name(stage): 2.0 for stage in STAGES})
    assert umap_of_travel_seconds(store, request, 500, 64) == pytest.approx(6 * few)
