"""Jobs: real worker processes, killed, stopped, queued and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from run_folders import tiny_settings, write_tiny_category
from waiting import PATIENCE_S

from pages.ui.compare import tables
from pages.ui.train import watch
from wtflow.config import EMBEDDED_BACKBONE, WEIGHT_WORDS
from wtflow.datasets.run_images import read_data
from wtflow.errors import DatasetError, RunBusyError
from wtflow.jobs import processes, train_worker, trainings
from wtflow.jobs.estimate import STAGES
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.records.core import RunStatus
from wtflow.scoring.detector import load_tensors
from wtflow.store import layout
from wtflow.store.runs import RunStore


@pytest.fixture
def place(tmp_path):
    return RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data")


def wait(store, run_id, *states, timeout_s=PATIENCE_S) -> RunStatus:
    """Poll as the pages do until the run is in one of the states."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        trainings.reconcile(store)
        status = trainings.live_status(store, run_id)
        if status.state in states:
            return status
        time.sleep(0.1)
    raise AssertionError(f"still {status} after {timeout_s} s; log: {store.log_tail(run_id)}")


def wait_for_step(store, run_id, step):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        table = store.steps(run_id)
        if len(table) and table.step.max() >= step:
            return
        time.sleep(0.05)
    raise AssertionError(store.log_tail(run_id))


def run_here(store, run_id):
    """All stages of a run in this process, with as many threads as one of its own would have."""
    threads = torch.get_num_threads()
    torch.set_num_threads(store.config(run_id).settings.threads)
    trainings.claim(store, run_id)
    run_stages(store, run_id, Reporter(store, run_id))
    torch.set_num_threads(threads)


def final_weights(store, run_id):
    return load_tensors(store.folder(run_id) / layout.CHECKPOINT, ("velocity.", "normaliser."))


def test_the_percent_of_a_run_never_falls(place, monkeypatch):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())
    seen = []
    monkeypatch.setattr("wtflow.jobs.reporter.STATUS_EVERY_S", 0.0)
    monkeypatch.setattr(store, "write_status", lambda _, status: seen.append(status.percent))
    reporter = Reporter(store, run_id)
    for seconds in ({"read": 9.0}, {"features": 0.1, "train": 50.0}, {"train": 1.0}):
        reporter.expected |= seconds
        with reporter.stage(next(iter(seconds))):
            for done in range(5):
                reporter.progress(done, 4)
    assert len(seen) > 12 and seen == sorted(seen) and 0 == seen[0] < seen[-1]


def test_a_killed_run_is_lost_and_resuming_ends_with_the_weights_of_an_uninterrupted_one(place, monkeypatch, capfd):
    store, root = place
    settings = {"iterations": 1500, "checkpoint_every_s": 0.5}
    whole = store.create(root, "plate", tiny_settings(**settings))
    run_here(store, whole)
    broken = trainings.start(store, root, "plate", tiny_settings(**settings))
    wait_for_step(store, broken, 100)
    while not (store.folder(broken) / layout.CHECKPOINT).is_file():
        time.sleep(0.02)
    os.kill(store.status(broken).pid, signal.SIGKILL)
    assert wait(store, broken, "lost", "finished").state == "lost"
    assert store.status(broken).state == "running", "lost is derived, never written"
    monkeypatch.setattr(trainings, "_max_running", lambda: 0)
    trainings.resume(store, broken)
    capfd.readouterr()
    run_here(store, broken)
    assert store.status(broken).state == "finished"
    said = capfd.readouterr().out
    assert "flow:" in said and "step 0 of" not in said, "it began again instead of continuing"
    a, b = final_weights(store, whole), final_weights(store, broken)
    assert a.keys() == b.keys()
    assert all(a[key].equal(b[key]) for key in a)
    assert store.scores(whole).score.equals(store.scores(broken).score)


def test_a_stopped_run_is_stopped_only_once_its_process_is_gone_and_goes_without_being_killed(place, monkeypatch):
    store, root = place
    monkeypatch.setattr(processes, "TERMINATE_AFTER_S", 1000)
    monkeypatch.setattr(processes, "KILL_AFTER_S", 1000)
    run_id = trainings.start(store, root, "plate", tiny_settings(iterations=100_000))
    wait_for_step(store, run_id, 100)
    pid = store.status(run_id).pid
    trainings.request_stop(store, run_id)
    assert trainings.live_status(store, run_id).state in ("stopping", "stopped")
    wait(store, run_id, "stopped")
    assert not psutil.pid_exists(pid), "it left no zombie either"
    assert (store.folder(run_id) / layout.CHECKPOINT).is_file(), "what was learned is kept"


def test_a_worker_that_ignores_the_request_is_terminated_and_then_killed(place, monkeypatch):
    """It hangs, so it may be one that does nothing else."""
    store, root = place
    monkeypatch.setattr(processes, "TERMINATE_AFTER_S", 0.2)
    monkeypatch.setattr(processes, "KILL_AFTER_S", 0.6)
    really = subprocess.Popen
    hangs = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(processes.subprocess, "Popen", lambda command, **options: really(hangs, **options))
    run_id = trainings.start(store, root, "plate", tiny_settings())
    os.kill(store.status(run_id).pid, signal.SIGSTOP)  # a hung process reacts neither to the request nor to SIGTERM
    trainings.request_stop(store, run_id)
    assert trainings.live_status(store, run_id).state == "stopping"
    wait(store, run_id, "stopped")


@pytest.mark.slow
def test_a_category_is_not_trained_twice_at_once_and_others_wait_their_turn(place, tmp_path):
    store, root = place
    write_tiny_category(tmp_path / "data", "disc")
    first = trainings.start(store, root, "plate", tiny_settings(iterations=100_000))
    with pytest.raises(RunBusyError, match="plate is already being trained"):
        trainings.start(store, root, "plate", tiny_settings())
    second = trainings.start(store, root, "disc", tiny_settings())
    assert trainings.live_status(store, second).state == "queued"
    with pytest.raises(RunBusyError, match="Stop it first"):
        trainings.delete(store, first)
    trainings.request_stop(store, first)
    wait(store, first, "stopped")
    wait(store, second, "finished")
    trainings.delete(store, first)
    assert store.ids() == [second]


def test_a_queued_run_that_is_stopped_never_starts(place, monkeypatch):
    store, root = place
    monkeypatch.setattr(trainings, "_max_running", lambda: 0)
    run_id = trainings.start(store, root, "plate", tiny_settings())
    trainings.request_stop(store, run_id)
    monkeypatch.undo()
    trainings.reconcile(store)
    assert trainings.live_status(store, run_id).state == "stopped"


def test_a_word_for_weights_stays_a_word_and_a_file_becomes_an_absolute_path(place, monkeypatch):
    """A new word in the table is not taken for a file."""
    store, root = place
    monkeypatch.setattr(trainings, "_max_running", lambda: 0)
    for weights in (*WEIGHT_WORDS, "some/weights.pth"):
        run_id = trainings.start(store, root, "plate", tiny_settings(weights=weights, backbone=EMBEDDED_BACKBONE))
        expected = weights if weights in WEIGHT_WORDS else str(Path("some/weights.pth").absolute())
        assert store.config(run_id).settings.weights == expected
        trainings.request_stop(store, run_id)


def test_the_stages_are_written_once_and_every_page_has_words_for_each():
    assert tuple(watch._STAGE_WORDS) == tuple(tables.STAGES) == STAGES


def test_a_run_whose_image_cannot_be_read_fails_with_a_sentence_and_leaves_no_half_features(place, monkeypatch):
    store, root = place
    (root / "plate/train/good/003.png").write_bytes(b"not an image")
    run_id = store.create(root, "plate", tiny_settings())
    monkeypatch.setenv("WTFLOW_HOME", str(store.home))
    monkeypatch.setattr(processes, "give_way", lambda *_: None)
    assert train_worker.main([run_id]) == 1
    status = trainings.live_status(store, run_id)
    assert status.state == "failed"
    assert "003.png" in status.message
    assert status.fix
    assert list((store.home / layout.CACHE).glob("*.npy")) == []


def test_resuming_with_other_images_is_refused(place):
    store, root = place
    run_id = store.create(root, "plate", tiny_settings())
    trainings.claim(store, run_id)
    store.write_data(run_id, read_data(store.config(run_id), lambda done, total: None).to_json())
    (root / "plate/train/good/000.png").unlink()
    with pytest.raises(DatasetError, match="have changed since this run began"):
        run_stages(store, run_id, Reporter(store, run_id))


def test_too_few_normals_are_named(tmp_path):
    store, root = RunStore(tmp_path / "runs"), write_tiny_category(tmp_path / "data", n_train=1)
    run_id = store.create(root, "plate", tiny_settings())
    with pytest.raises(DatasetError, match="has 1 training normal; at least 2"):
        read_data(store.config(run_id), lambda done, total: None)
