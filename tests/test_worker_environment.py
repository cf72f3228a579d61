"""What a worker process is started with."""

import os

from wtflow.machine import environment
from wtflow.machine.environment import THREADS, worker_environment
from wtflow.machine.places import CHECKOUT


def test_a_worker_is_not_bound_to_the_pages_one_thread_and_finds_the_store_and_this_package(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    found = worker_environment(tmp_path)
    assert "OMP_NUM_THREADS" not in found
    assert found["WTFLOW_HOME"] == str(tmp_path)
    assert found["PYTHONPATH"] == os.pathsep.join([str(CHECKOUT), "/somewhere"])
    assert (CHECKOUT / "wtflow" / "jobs" / "train_worker.py").is_file()


def test_a_worker_of_an_installed_package_keeps_the_path_of_its_parent(monkeypatch, tmp_path):
    """site-packages in front of it would hide modules of Python's own behind old copies of them."""
    monkeypatch.setattr(environment, "CHECKOUT", None)
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert worker_environment(tmp_path)["PYTHONPATH"] == "/somewhere"


def test_threads_wait_as_measured_best_unless_a_person_has_chosen_otherwise(monkeypatch, tmp_path):
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    assert THREADS.items() <= worker_environment(tmp_path).items()
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert worker_environment(tmp_path)["GOMP_SPINCOUNT"] == "7"
