"""The life of a worker process, of a training or a study: launched, found, stopped, reaped. Imports no torch.

How a process is stopped: first it is asked, by a stop file that the worker looks for while it works. If it has not
ended after some seconds, it is terminated, then killed. `end` does this and waits; a program that polls calls
`escalate` at every poll instead.
"""

import contextlib
import errno
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, cast

import psutil

from wtflow.errors import WTFlowError
from wtflow.machine import systems
from wtflow.machine.environment import worker_environment
from wtflow.machine.started import is_same, started_at
from wtflow.permission import changes
from wtflow.store.files import explained

TERMINATE_AFTER_S: Final = 5.0
KILL_AFTER_S: Final = 8.0
"""Seconds after the request at which `escalate` terminates a process, and kills it."""
SET_BACK_S: Final = 60.0
"""From so far in the future on, no other computer's clock explains when a stop was asked for."""
GRACE_S: Final = 5.0
"""Seconds after the request at which `end` kills a process."""
POLL_S: Final = 0.05
MAX_MESSAGE: Final = 500
"""Characters of an error's message that a status file holds."""

LEAST_ROOM: Final = 256 * 1024
"""Bytes free below which a disk counts as full: a run's status, log and loss need about a tenth of it."""
FREE_SPACE: Final = "Free some space, or clear the feature cache (python -m wtflow cache --clear)."

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes that this one launched, by number, kept so that `reap` can collect them when they end."""
_EXIT_CODES: dict[int, int] = {}
"""How those that ended did so, the latest `MOST_EXIT_CODES`."""
MOST_EXIT_CODES: Final = 200


class Started(NamedTuple):
    """Number and start (see `machine.started`). Together they identify a process; numbers alone are reused."""

    pid: int
    created: float


ENDED_WITHOUT_ROOM: Final = 3
"""Exit code of a worker that failed and found no room on the disk to write why."""
ENDED_WITH_PARENT: Final = 4
PARENT: Final = "WTFLOW_PARENT"
"""Variable with the number of the process that a worker does not outlive."""
PARENT_EVERY_S: Final = 0.5


class Failure(NamedTuple):
    """An exception as a status file shows it, and the text for the log."""

    message: str
    fix: str
    log: str


# -- by the launcher ---------------------------------------------------------------------------------------------------


@changes("start processes here")
def launch(
    module: str,
    arguments: Sequence[str],
    log: Path,
    home: Path,
    note: Callable[[Started], None] = lambda started: None,
    more: Mapping[str, str] | None = None,
) -> Started:
    """Run `python -m module arguments` for the store at `home`, with its output appended to `log`; `more` is added to
    its environment.

    It has its own session, so it goes on when the browser or the app is closed. `note` writes down what was started;
    a process that could not be written down is killed, since nobody would find it. Raises StoreError, DiskFullError,
    and what `note` raises.
    """
    with explained(log), log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=worker_environment(home) | dict(more or {}),
            cwd=home,
            **systems.on_its_own(),
        )
    _EXIT_CODES.pop(child.pid, None)  # of an earlier process with this number
    started = Started(child.pid, started_at(psutil.Process(child.pid)))
    try:
        note(started)
    except BaseException:
        child.kill()
        child.wait()
        raise
    _CHILDREN[child.pid] = cast("subprocess.Popen[bytes]", child)
    return started


def find(pid: int, created: float | None) -> psutil.Process | None:
    """The process with this number and start time if it is alive, else None.

    Neither another process that has the number now nor a zombie counts: a zombie whose parent is another program would
    never go away. Where a status file has no start time, `created` is None and the number decides.
    """
    reap()
    try:
        process = psutil.Process(pid)
        if created is not None and not is_same(process, created):
            return None
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
        if (child := _CHILDREN.get(pid)) is not None:
            _forget(pid, child.wait())  # it ended just now; its other threads may need a moment more
    except psutil.NoSuchProcess:
        pass
    return None


def reap() -> None:
    """Collect children that have ended, so that none stays a zombie. Cheap, so call it at every poll."""
    for pid, child in list(_CHILDREN.items()):
        if child.poll() is not None:
            _forget(pid, child.returncode)


def _forget(pid: int, exit_code: int) -> None:
    _CHILDREN.pop(pid, None)
    _EXIT_CODES[pid] = exit_code
    while len(_EXIT_CODES) > MOST_EXIT_CODES:
        _EXIT_CODES.pop(next(iter(_EXIT_CODES)))


def why_it_ended(pid: int | None, home: Path) -> tuple[str, str]:
    """What is known about a process that ended without a last status: a sentence, and what to do first; that is empty
    where nothing stands in the way of starting it again. home: the store that it wrote to.
    """
    code = None if pid is None else _EXIT_CODES.get(pid)
    room = why_no_room(home)
    if code == ENDED_WITHOUT_ROOM:
        return "No space was left on the disk, not even for a message.", room[1] if room else ""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        by = " by the system, which does so when memory runs out, or by somebody" if name == "SIGKILL" else ""
        return f"The process ended without a message: it was killed{by} ({name}).", ""
    if room is not None:
        return f"The process ended without a message, perhaps for want of space. {room[0]}", room[1]
    return "The process ended without a message (killed, the disk was full, or the computer was restarted).", ""


def why_no_room(home: Path) -> tuple[str, str] | None:
    """Why nothing can be written in the store at `home`, a sentence and what to do; None where there is room."""
    if not os.access(home, os.W_OK):
        return f"{home} may not be written to.", "Set WTFLOW_HOME to a folder you may write to."
    with contextlib.suppress(OSError):
        if (free := shutil.disk_usage(home).free) < LEAST_ROOM:
            return f"The disk of {home} is full ({free // 1024} KiB are free).", FREE_SPACE
    return None


# -- stopping ----------------------------------------------------------------------------------------------------------


def escalate(process: psutil.Process, waited_s: float) -> None:
    """Take the next step with a process that was asked to stop `waited_s` seconds ago: nothing, terminate or kill.
    Asked far in the future: the clock was set back since, and it is not known how long ago it was.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        if waited_s > KILL_AFTER_S or waited_s < -SET_BACK_S:
            process.kill()
        elif waited_s > TERMINATE_AFTER_S:
            process.terminate()


@changes("stop processes here")
def end(started: Started, stop_file: Path) -> None:
    """Ask a process to stop and wait until it is gone; kill it after GRACE_S. Raises StoreError, DiskFullError."""
    with explained(stop_file):
        stop_file.touch()
    if _wait_for_end(started):
        return
    if (process := find(*started)) is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _wait_for_end(started)


def _wait_for_end(started: Started) -> bool:
    """True once the process is gone, False when it is still there after GRACE_S."""
    last = time.monotonic() + GRACE_S
    while find(*started) is not None:
        if time.monotonic() > last:
            return False
        time.sleep(POLL_S)
    return True


# -- by the worker -----------------------------------------------------------------------------------------------------


def this_process() -> Started:
    return Started(os.getpid(), started_at(psutil.Process()))


def this_host() -> str:
    """The name of this computer: a process number says nothing on another one that shares the folder."""
    return platform.node()


def end_with_parent() -> None:
    """End this process within a second after the one that PARENT names, where it names one: a task of a cluster that
    is killed takes its worker with it. What is written so far stays, as after a kill.
    """
    text = os.environ.get(PARENT, "")
    if not text.isdecimal():
        return
    parent = int(text)

    def watch() -> None:
        while os.getppid() == parent and psutil.pid_exists(parent):
            time.sleep(PARENT_EVERY_S)
        os._exit(ENDED_WITH_PARENT)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def give_way(niceness: int, threads: int | None) -> None:
    """Lower the priority of this process and set torch's threads (0: one per core; None: it needs no torch), so that
    pages stay quick.
    """
    systems.give_way(niceness)
    if threads is not None:
        import torch

        torch.set_num_threads(threads or os.cpu_count() or 1)


def failure_of(error: Exception, details: str) -> Failure:
    """The message and fix of an error meant for people; for any other error its type, with the traceback in the log.

    details: where to find more about such another error, a sentence; it is shown as the fix.
    """
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("No space was left on the disk.", f"{FREE_SPACE} Then resume.", str(error))
    if isinstance(error, WTFlowError):
        return Failure(error.message[:MAX_MESSAGE], error.fix, str(error))
    trace = "".join(traceback.format_exception(error))
    return Failure(f"{type(error).__name__}: {error}"[:MAX_MESSAGE], details, trace)
