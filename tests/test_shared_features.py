"""Features are computed once, whichever process comes first; nobody waits for a dead one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sources import ROOT
from waiting import PATIENCE_S, wait_until

from wtflow.machine.progress import Counted, StopRequestedError
from wtflow.store.features import FeatureCache

KEY = "ab" * 16

COMPUTES = """
import sys, time
from pathlib import Path
import numpy as np
from wtflow.store.features import FeatureCache

home, name, hold = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "hold"
cache = FeatureCache(home)
def wait():
    (home / f"{name}.waits").touch()
with cache.one_at_a_time("ab" * 16, wait):
    (home / f"{name}.has_it").touch()
    if not cache.has("ab" * 16):
        while hold and not (home / "go").exists():
            time.sleep(0.02)
        with cache.writer("ab" * 16, (2, 1, 1, 3)) as writer:
            writer.append(np.full((2, 1, 1, 3), ord(name), np.float16))
        (home / f"{name}.computed").touch()
(home / f"{name}.done").touch()
"""


def begin(home: Path, name: str, hold: bool = False) -> subprocess.Popen:
    command = [sys.executable, "-c", COMPUTES, str(home), name, "hold" if hold else "quick"]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)})


def test_of_two_processes_one_computes_and_the_other_waits_and_reads(tmp_path):
    first = begin(tmp_path, "a", hold=True)
    wait_until(lambda: (tmp_path / "a.has_it").exists())
    second = begin(tmp_path, "b")
    wait_until(lambda: (tmp_path / "b.waits").exists())
    assert not (tmp_path / "b.has_it").exists()
    (tmp_path / "go").touch()
    assert first.wait(PATIENCE_S) == second.wait(PATIENCE_S) == 0
    assert (tmp_path / "a.computed").exists() and not (tmp_path / "b.computed").exists()
    assert np.unique(FeatureCache(tmp_path).open(KEY)) == ord("a")
    assert list(FeatureCache(tmp_path).locks.iterdir()) == [], "nothing is left behind"


def test_nobody_waits_for_a_process_that_was_killed_while_it_held_the_right(tmp_path):
    first = begin(tmp_path, "a", hold=True)
    wait_until(lambda: (tmp_path / "a.has_it").exists())
    second = begin(tmp_path, "b")
    wait_until(lambda: (tmp_path / "b.waits").exists())
    os.kill(first.pid, signal.SIGKILL)
    first.wait(PATIENCE_S)
    assert second.wait(PATIENCE_S) == 0
    assert (tmp_path / "b.computed").exists()


def test_who_waits_says_so_and_can_be_stopped(tmp_path):
    holder = begin(tmp_path, "a", hold=True)
    wait_until(lambda: (tmp_path / "a.has_it").exists())

    def stop() -> None:
        raise StopRequestedError

    with pytest.raises(StopRequestedError), FeatureCache(tmp_path).one_at_a_time(KEY, stop):
        raise AssertionError("two have the right at once")
    (tmp_path / "go").touch()
    assert holder.wait(PATIENCE_S) == 0
    assert Counted(3, "waiting") == 3 and Counted(3, "waiting").words == "waiting"


def test_work_that_fails_gives_the_right_back(tmp_path):
    cache = FeatureCache(tmp_path)
    with pytest.raises(ZeroDivisionError), cache.one_at_a_time(KEY, lambda: None):
        raise ZeroDivisionError
    with cache.one_at_a_time(KEY, lambda: pytest.fail("it waits for itself")):
        pass
