"""What pages open with, computed by a process that a finished training starts: never a reason for the run to fail, or
for anything to be there twice.
"""

import os
import signal

import psutil
import pytest
from run_folders import tiny_settings, train_here, write_tiny_category
from waiting import wait_until

from wtflow.errors import RunBusyError
from wtflow.jobs import first_visits, processes, studies, study_worker, trainings
from wtflow.jobs.first_visits import first_requests
from wtflow.records.core import RunStatus
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies import compute
from wtflow.studies.answers import answer_path, load_answer
from wtflow.studies.requests import FactsRequest, PicturesRequest, TravelRequest, default_wells
from wtflow.studies.small_pictures import looks_of, open_small

SHORT = (TravelRequest(n=10, steps=2), PicturesRequest())
"""Two answers that take no time once torch is loaded."""


@pytest.fixture
def place(tmp_path):
    return RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=4, n_good=2, n_bad=2)


@pytest.fixture
def work_here(monkeypatch):
    """Run a process that was launched in this one, when it is called."""
    calls = []

    def launch(module, arguments, log, home, note):
        note(processes.this_process())
        calls.append(arguments)

    monkeypatch.setattr(processes, "launch", launch)
    monkeypatch.setattr(processes, "give_way", lambda niceness, threads: None)

    def work(store):
        monkeypatch.setenv("WTFLOW_HOME", str(store.home))
        return study_worker.main(calls.pop())

    return work


def states(store, run_id, requests):
    return [studies.task_state(store, run_id, request).state for request in requests]


def test_the_paths_of_both_pages_are_one_answer_and_the_umap_comes_last():
    requests = first_requests(tiny_settings(umap_after=True, solver="heun"))
    assert requests[0] == default_wells("heun").travel
    assert requests[-1] == default_wells("heun")
    assert len(set(requests)) == len(requests)
    assert first_requests(tiny_settings(solver="heun")) == requests[:-1]


def test_one_process_computes_several_answers_in_turn_and_leaves_nothing_else(place, work_here):
    store, root = place
    run_id = train_here(store, root)
    studies.start_tasks(store, run_id, SHORT, is_ahead=True)
    assert states(store, run_id, SHORT) == ["running", "running"]
    assert work_here(store) == 0
    assert states(store, run_id, SHORT) == ["ready", "ready"]
    assert {path.suffix for path in (store.folder(run_id) / "derived").iterdir() if path.is_file()} == {".npz"}
    small = open_small(store, run_id, lambda: open_results(store, run_id))
    assert all(small.kept(row, *look) for row in small.results.test.row for look in looks_of(4))
    assert load_answer(store, run_id, PicturesRequest()).n_images == 4


def test_an_answer_that_fails_costs_the_others_nothing(place, work_here, capsys):
    store, root = place
    run_id = train_here(store, root)
    requests = (TravelRequest(rows=(77,)), *SHORT)
    studies.start_tasks(store, run_id, requests, is_ahead=True)
    assert work_here(store) == 1
    assert states(store, run_id, requests) == ["failed", "ready", "ready"]


def test_a_umap_waits_for_its_page_while_a_training_runs_or_waits(place, work_here):
    store, root = place
    run_id = train_here(store, root)
    other = store.create(root, "plate", tiny_settings())
    store.write_status(other, RunStatus(state="queued", heartbeat=1.0))
    requests = (SHORT[1], default_wells("euler"))
    studies.start_tasks(store, run_id, requests, is_ahead=True)
    assert work_here(store) == 0
    assert states(store, run_id, requests) == ["ready", "absent"]


@pytest.mark.parametrize("how", ["stopped", "deleted"])
def test_it_ends_at_once_when_it_is_stopped_or_its_run_is_deleted(place, work_here, how, monkeypatch):
    store, root = place
    run_id = train_here(store, root)
    studies.start_tasks(store, run_id, (FactsRequest(), *SHORT), is_ahead=True)
    monkeypatch.setattr(study_worker, "STATUS_EVERY_S", 0.0)
    seen = []

    def compute_answer(store, run_id, request, progress):
        seen.append(request)
        if how == "deleted":
            trainings.delete(store, run_id)
        else:
            answer_path(store, run_id, SHORT[1]).with_suffix(".stop").touch()
        progress(0.5)

    monkeypatch.setattr(compute, "compute_answer", compute_answer)
    assert work_here(store) == 0
    assert seen == [FactsRequest()]
    if how == "deleted":
        assert run_id not in store.ids()
    else:
        assert states(store, run_id, (FactsRequest(), *SHORT)) == ["absent"] * 3


@pytest.mark.slow
def test_a_finished_training_hands_them_to_a_process_that_outlives_it_and_may_be_killed(place):
    store, root = place
    run_id = trainings.start(store, root, "plate", tiny_settings(prepare_pages=True))
    log, requests = lambda: store.log_tail(run_id), first_requests(tiny_settings())
    trainer = psutil.Process(store.status(run_id).pid)
    wait_until(lambda: trainings.live_status(store, run_id).state == "finished", log)
    wait_until(lambda: states(store, run_id, requests) == ["running"] * len(requests), log)
    wait_until(lambda: trainings.reconcile(store) or not trainer.is_running(), log)
    assert set(states(store, run_id, requests)) == {"running"}
    status = studies._read_status(answer_path(store, run_id, requests[0]))
    os.kill(status["pid"], signal.SIGKILL)
    wait_until(lambda: states(store, run_id, requests) == ["absent"] * len(requests), log)
    assert trainings.live_status(store, run_id).state == "finished"


@pytest.mark.parametrize(
    "error", [RunBusyError("2 computations are already running.", fix="Wait."), MemoryError("no room for a process")]
)
def test_a_process_that_cannot_be_started_is_reported_in_the_log_and_the_run_stays_finished(
    place, error, monkeypatch, capsys
):
    def refuse(*arguments, **names):
        raise error

    monkeypatch.setattr(first_visits, "start_tasks", refuse)
    store, root = place
    run_id = train_here(store, root, prepare_pages=True)
    assert trainings.live_status(store, run_id).state == "finished"
    assert f"what pages open with is not computed ahead: {error}" in capsys.readouterr().out


def test_without_being_asked_for_none_is_started(place):
    store, root = place
    run_id = train_here(store, root)
    assert states(store, run_id, SHORT) == ["absent"] * 2
