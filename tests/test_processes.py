"""The life of a process: found by number and start time, asked, terminated, killed, reaped; what a failure becomes."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from waiting import wait_until

from wtflow.errors import SettingsError, StoreError
from wtflow.jobs import processes
from wtflow.jobs.processes import Started

IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
LISTENS = """
import pathlib, sys, time
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
"""


@pytest.fixture
def start(tmp_path):
    """Starts code as a child that `processes` looks after, and ends what is left of it."""
    begun = []

    def child(code, *arguments) -> Started:
        module = f"work_{len(begun)}"
        (tmp_path / f"{module}.py").write_text(code)
        begun.append(processes.launch(module, arguments, tmp_path / "log", tmp_path))
        return begun[-1]

    yield child
    for began in begun:
        if (process := processes.find(*began)) is not None:
            process.kill()
        wait_until(lambda began=began: processes.find(*began) is None)
    assert processes._CHILDREN.keys().isdisjoint(pid for pid, _ in begun), "every child was reaped"


def test_a_launched_process_has_its_own_session_the_stores_environment_and_appends_to_its_log(start, tmp_path):
    (tmp_path / "log").write_text("before\n")
    code = "import os; print(os.getsid(0) == os.getpid(), os.environ['WTFLOW_HOME'], os.getcwd())"
    began = start(code)
    wait_until(lambda: processes.find(*began) is None)
    assert (tmp_path / "log").read_text() == f"before\nTrue {tmp_path} {tmp_path}\n"


def test_a_log_that_cannot_be_written_is_a_sentence_and_no_process_starts(tmp_path):
    with pytest.raises(StoreError):
        processes.launch("wtflow", [], tmp_path / "absent" / "log", tmp_path)


def test_a_process_is_known_by_its_number_and_start_time_together(start):
    pid, created = start("import time; time.sleep(60)")
    assert processes.find(pid, created).pid == pid
    assert processes.find(pid, None).pid == pid, "status files without a start time"
    assert processes.find(pid, created - 60) is None, "the number belonged to another process a minute ago"
    assert processes.find(*processes.this_process()).pid == os.getpid()


def test_a_process_that_ended_is_gone_and_leaves_no_zombie(start):
    began = start("")
    process = psutil.Process(began.pid)
    wait_until(lambda: processes.find(*began) is None)
    assert not process.is_running()
    assert began.pid not in processes._CHILDREN


def test_a_zombie_of_another_program_counts_as_gone():
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        zombie = psutil.Process(child.pid)
        created = zombie.create_time()
        wait_until(lambda: zombie.status() == psutil.STATUS_ZOMBIE)
        assert processes.find(child.pid, created) is None
    finally:
        child.wait()


def test_nobody_is_ended_in_the_place_of_a_process_whose_number_was_given_away(tmp_path):
    pid, created = processes.this_process()
    processes.end(Started(pid, created - 60), tmp_path / "stop")
    assert (tmp_path / "stop").exists()


def test_a_process_that_looks_for_the_stop_file_ends_by_itself(start, tmp_path):
    began = start(LISTENS, str(tmp_path / "stop"))
    child = processes._CHILDREN[began.pid]
    processes.end(began, tmp_path / "stop")
    assert processes.find(*began) is None
    assert child.returncode == 0


def test_a_process_that_does_not_listen_is_killed_once_the_grace_is_over(start, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_S", 0.3)
    began = start("import time; time.sleep(60)")
    child = processes._CHILDREN[began.pid]
    processes.end(began, tmp_path / "stop")
    assert processes.find(*began) is None
    assert child.returncode == -signal.SIGKILL


def test_who_polls_waits_then_terminates_then_kills(start, tmp_path):
    began = start(IGNORES)
    child, process = processes._CHILDREN[began.pid], processes.find(*began)
    wait_until(lambda: "ready" in (tmp_path / "log").read_text())
    processes.escalate(process, processes.TERMINATE_AFTER_S - 0.1)
    processes.escalate(process, processes.TERMINATE_AFTER_S + 0.1)
    time.sleep(0.3)
    assert processes.find(*began) is not None, "it was asked and terminated, and ignores both"
    processes.escalate(process, processes.KILL_AFTER_S + 0.1)
    wait_until(lambda: processes.find(*began) is None)
    assert child.returncode == -signal.SIGKILL
    processes.escalate(process, processes.KILL_AFTER_S + 0.1)  # one that is gone is no error


def test_terminating_is_enough_for_a_process_that_does_not_ignore_it(start, tmp_path):
    began = start("print('ready', flush=True); import time; time.sleep(60)")
    child, process = processes._CHILDREN[began.pid], processes.find(*began)
    wait_until(lambda: "ready" in (tmp_path / "log").read_text())
    processes.escalate(process, processes.TERMINATE_AFTER_S + 0.1)
    wait_until(lambda: processes.find(*began) is None)
    assert child.returncode == -signal.SIGTERM


def test_an_error_for_people_keeps_its_sentences_and_another_one_its_kind_and_traceback():
    error = SettingsError("Too many steps.", fix="Choose fewer.")
    assert processes.failure_of(error, "See the log.") == ("Too many steps.", "Choose fewer.", str(error))
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as other:
        failure = processes.failure_of(other, "See the log.")
    assert failure[:2] == ("ZeroDivisionError: by nothing", "See the log.")
    assert failure.log.startswith("Traceback")
    assert len(processes.failure_of(ValueError("x" * 9999), "").message) == processes.MAX_MESSAGE


def test_giving_way_lowers_the_priority_and_sets_torchs_threads():
    code = """
import os, torch
from wtflow.jobs.processes import give_way
before = os.nice(0)
give_way(3, 1)
assert torch.get_num_threads() == 1
give_way(0, 0)
assert torch.get_num_threads() == os.cpu_count()
assert os.nice(0) == min(19, before + 3)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
