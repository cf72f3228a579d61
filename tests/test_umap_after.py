"""The UMAP that a training starts when it has finished: a process of its own, and never a reason for the run to
fail.
"""

import psutil
import pytest
from run_folders import tiny_settings, train_here, write_tiny_category
from waiting import wait_until

from wtflow.errors import RunBusyError
from wtflow.jobs import processes, studies, trainings
from wtflow.store.runs import RunStore
from wtflow.studies.requests import default_wells


@pytest.fixture
def place(tmp_path):
    return RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=4, n_good=2, n_bad=2)


@pytest.mark.slow
def test_a_finished_training_hands_the_umap_of_the_wells_to_a_process_that_outlives_it(place, monkeypatch):
    """With the very request that the page `wells` opens with, the run's own solver in it."""
    store, root = place
    run_id = trainings.start(store, root, "plate", tiny_settings(umap_after=True, solver="heun"))
    log, request = lambda: store.log_tail(run_id), default_wells("heun")
    trainer = psutil.Process(store.status(run_id).pid)
    wait_until(lambda: trainings.live_status(store, run_id).state == "finished", log)
    wait_until(lambda: studies.task_state(store, run_id, request).state == "running", log)
    wait_until(lambda: trainings.reconcile(store) or not trainer.is_running(), log)
    try:
        assert studies.task_state(store, run_id, request).state == "running"
        assert studies.task_state(store, run_id, default_wells("euler")).state == "absent"
        assert trainings.live_status(store, run_id).state == "finished"
    finally:
        monkeypatch.setattr(processes, "GRACE_S", 0.2)  # while it is importing it cannot hear
        studies.stop_task(store, run_id, request)
    assert studies.task_state(store, run_id, request).state == "absent"


@pytest.mark.parametrize(
    "error", [RunBusyError("2 computations are already running.", fix="Wait."), MemoryError("no room for a process")]
)
def test_a_umap_that_cannot_be_started_is_reported_in_the_log_and_the_run_stays_finished(
    place, error, monkeypatch, capsys
):
    def refuse(*arguments):
        raise error

    monkeypatch.setattr(studies, "start_task", refuse)
    store, root = place
    run_id = train_here(store, root, umap_after=True)
    assert trainings.live_status(store, run_id).state == "finished"
    assert f"the UMAP of the wells was not started: {error}" in capsys.readouterr().out


def test_without_being_asked_for_none_is_started(place):
    store, root = place
    run_id = train_here(store, root)
    assert studies.task_state(store, run_id, default_wells("euler")).state == "absent"
