"""The life of a worker process, of a training or a study: launched, found, stopped, reaped. Imports no torch.

How a process is stopped: first it is asked, by a stop file that the worker looks for while it works. If it has not
ended after some seconds, it is terminated, then killed. `end` does this and waits; a program that polls calls
`escalate` at every poll instead.
"""

import contextlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from wtflow.errors import WTFlowError
from wtflow.machine.environment import worker_environment
from wtflow.store.files import explained

TERMINATE_AFTER_S: Final = 5.0
KILL_AFTER_S: Final = 8.0
"""Seconds after the request at which `escalate` terminates a process, and kills it."""
GRACE_S: Final = 5.0
"""Seconds after the request at which `end` kills a process."""
POLL_S: Final = 0.05
MAX_MESSAGE: Final = 500
"""Characters of an error's message that a status file holds."""

_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Processes that this one launched, by number, kept so that `reap` can collect them when they end."""


class Started(NamedTuple):
    """Number and start time (seconds since the epoch). Together they identify a process; numbers alone are reused."""

    pid: int
    created: float


class Failure(NamedTuple):
    """An exception as a status file shows it, and the text for the log."""

    message: str
    fix: str
    log: str


# -- by the launcher ---------------------------------------------------------------------------------------------------


def launch(module: str, arguments: Sequence[str], log: Path, home: Path) -> Started:
    """Run `python -m module arguments` for the store at `home`, with its output appended to `log`.

    It has its own session, so it goes on when the browser or the app is closed. Raises StoreError, DiskFullError.
    """
    with explained(log), log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=worker_environment(home),
            start_new_session=True,
            cwd=home,
        )
    _CHILDREN[child.pid] = child
    return Started(child.pid, psutil.Process(child.pid).create_time())


def find(pid: int, created: float | None) -> psutil.Process | None:
    """The process with this number and start time if it is alive, else None.

    Neither another process that has the number now nor a zombie counts: a zombie whose parent is another program would
    never go away. Where a status file has no start time, `created` is None and the number decides.
    """
    reap()
    try:
        process = psutil.Process(pid)
        if created is not None and abs(process.create_time() - created) > 1.0:
            return None
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
        if (child := _CHILDREN.pop(pid, None)) is not None:
            child.wait()  # it ended just now; its other threads may need a moment more
    except psutil.NoSuchProcess:
        pass
    return None


def reap() -> None:
    """Collect children that have ended, so that none stays a zombie. Cheap, so call it at every poll."""
    for pid, child in list(_CHILDREN.items()):
        if child.poll() is not None:
            _CHILDREN.pop(pid, None)


# -- stopping ----------------------------------------------------------------------------------------------------------


def escalate(process: psutil.Process, waited_s: float) -> None:
    """Take the next step with a process that was asked to stop `waited_s` seconds ago: nothing, terminate or kill."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if waited_s > KILL_AFTER_S:
            process.kill()
        elif waited_s > TERMINATE_AFTER_S:
            process.terminate()


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
    return Started(os.getpid(), psutil.Process().create_time())


def give_way(niceness: int, threads: int) -> None:
    """Lower the priority of this process and set torch's threads (0: one per core), so that pages stay quick."""
    import torch

    if hasattr(os, "nice"):
        os.nice(niceness)
    torch.set_num_threads(threads or os.cpu_count() or 1)


def failure_of(error: Exception, details: str) -> Failure:
    """The message and fix of an error meant for people; for any other error its type, with the traceback in the log.

    details: where to find more about such another error, a sentence; it is shown as the fix.
    """
    if isinstance(error, WTFlowError):
        return Failure(error.message[:MAX_MESSAGE], error.fix, str(error))
    trace = "".join(traceback.format_exception(error))
    return Failure(f"{type(error).__name__}: {error}"[:MAX_MESSAGE], details, trace)
