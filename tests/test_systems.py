"""What differs between operating systems. Windows is pretended here, up to where the system itself would answer."""

import builtins
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import sources
from waiting import wait_until

from wtflow.machine import memory, systems
from wtflow.store.files import write_json

SLEEP = "import time; time.sleep(600)"
CODE = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); {SLEEP}"


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")


def test_a_process_on_its_own_gets_no_ctrl_c_on_either_system(monkeypatch):
    assert systems.on_its_own() == {"start_new_session": True}
    monkeypatch.setattr(sys, "platform", "win32")
    flags = systems.on_its_own()["creationflags"]
    for name, value in (("CREATE_NEW_PROCESS_GROUP", 0x200), ("CREATE_NO_WINDOW", 0x8000000)):
        assert flags & getattr(subprocess, name, value) == getattr(subprocess, name, value) == value


@pytest.mark.parametrize("platform", [sys.platform, "win32"])
def test_a_killed_process_takes_its_children_along(monkeypatch, platform):
    process = subprocess.Popen([sys.executable, "-c", CODE], **systems.on_its_own())
    children = wait_until(lambda: psutil.Process(process.pid).children())
    monkeypatch.setattr(sys, "platform", platform)
    systems.kill_with_children(process)
    process.wait()
    monkeypatch.undo()
    wait_until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children))


def test_windows_lowers_the_priority_by_its_own_classes(windows, monkeypatch):
    asked = []
    monkeypatch.setattr(psutil.Process, "nice", lambda self, value: asked.append(value))
    monkeypatch.delattr(os, "nice")
    systems.give_way(5)
    systems.give_way(0)
    assert asked == [getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 0x4000)]


def refuse(monkeypatch, n_times):
    """Let the first replacements fail as they do on Windows while a reader has the file open."""
    left, before = [n_times], Path.replace

    def replace(self, target):
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "The process cannot access the file")
        return before(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    return left


def test_on_windows_a_file_that_is_open_is_replaced_once_it_is_closed(windows, monkeypatch, tmp_path):
    left = refuse(monkeypatch, 3)
    monkeypatch.setattr(systems, "REPLACE_POLL_S", 0)
    write_json(tmp_path / "status.json", {"a": 1})
    assert left == [0] and (tmp_path / "status.json").is_file()


def test_on_windows_a_file_that_stays_open_is_an_error_in_the_end(windows, monkeypatch, tmp_path):
    refuse(monkeypatch, 10**9)
    monkeypatch.setattr(systems, "REPLACE_PATIENCE_S", 0)
    monkeypatch.setattr(systems, "REPLACE_POLL_S", 0)
    with pytest.raises(PermissionError):
        systems.replace(tmp_path / "a", tmp_path / "b")


def test_elsewhere_nothing_is_waited_for(monkeypatch, tmp_path):
    left = refuse(monkeypatch, 5)
    with pytest.raises(PermissionError):
        systems.replace(tmp_path / "a", tmp_path / "b")
    assert left == [4]


def test_peak_memory_is_known_without_the_module_that_windows_lacks(windows, monkeypatch):
    before = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "resource":
            raise ModuleNotFoundError(name)
        return before(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(memory, "_STATUS", Path("none"))
    monkeypatch.setattr(psutil.Process, "memory_info", lambda self: SimpleNamespace(peak_wset=3 * 2**20))
    assert memory.peak_mib() == 3


ONE_SYSTEM_ONLY = re.compile(
    r"\bos\.(?:nice|killpg|getpgid|fork|getuid|geteuid|setsid|mkfifo|statvfs|fchmod|chown)\b"
    r"|\bsignal\.SIG(?:KILL|HUP|USR1|USR2|ALRM|CHLD)\b|\b(?:start_new_session|preexec_fn|creationflags)\s*="
    r"|^\s*(?:import|from) (?:resource|fcntl|pwd|grp|termios|msvcrt|winreg)\b",
    re.MULTILINE,
)


def test_calls_that_one_system_alone_has_stand_in_the_modules_for_them():
    found = {name for name, path in sources.SOURCES.items() if ONE_SYSTEM_ONLY.search(path.read_text(encoding="utf-8"))}
    assert found == {"wtflow/machine/memory.py", "wtflow/machine/systems.py"}
