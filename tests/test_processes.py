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
from wtflow.machine import started

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


@pytest.mark.skipif(not started.IS_REWRITTEN, reason="this system keeps the start of a process as it was written down")
@pytest.mark.parametrize("step_s", [-3600.0, -2.5, 2.5, 86_400.0])
def test_a_process_is_known_after_the_clock_was_set(start, monkeypatch, step_s):
    """Linux tells the time at which it was started by its clock, and psutil reckons from it."""
    began, boot_time = start("import time; time.sleep(60)"), psutil.boot_time()
    of_0_4_0 = Started(began.pid, psutil.Process(began.pid).create_time())
    for module in (psutil, psutil._psplatform):
        monkeypatch.setattr(module, "boot_time", lambda: boot_time + step_s)
    assert processes.find(*began) is not None
    assert processes.find(began.pid, began.created + 5) is None
    monkeypatch.undo()
    assert processes.find(*of_0_4_0) is not None, "as earlier versions wrote it down"


def test_a_stop_that_was_asked_for_in_the_future_is_carried_out(start, tmp_path):
    began = start(IGNORES)
    wait_until(lambda: "ready" in (tmp_path / "log").read_text())
    processes.escalate(processes.find(*began), -2.0)
    assert processes.find(*began) is not None, "another computer's clock may be ahead"
    processes.escalate(processes.find(*began), -3600.0)
    wait_until(lambda: processes.find(*began) is None)


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
