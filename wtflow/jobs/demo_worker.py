"""Draws categories of the demo: `python -m wtflow.jobs.demo_worker CATEGORY...` (store: WTFLOW_HOME, or ./runs)."""

import contextlib
import sys
import time
from typing import Any

from wtflow.datasets.demo.write import write_demo
from wtflow.errors import WTFlowError
from wtflow.jobs import demos, processes
from wtflow.jobs.studies import running_now
from wtflow.machine import systems
from wtflow.machine.progress import Progress, say
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

STATUS_EVERY_S = 0.4
NICENESS = 5
"""Pages go first."""


def main(categories: list[str]) -> int:
    """Exit codes: 0 drawn, 1 failed, with the reason in the status, ENDED_WITHOUT_ROOM: failed, and the disk is so full
    that the reason could not be written.
    """
    store, status = RunStore(), running_now(processes.this_process())
    systems.give_way(NICENESS)
    try:
        with locked(store):  # waits until the launcher has written its status
            demos.write_status(store, status)
        write_demo(demos.demo_root(store), _reporter(store, status), categories=categories)
        demos.clear_status(store)
    except Exception as error:
        return _fail(store, processes.failure_of(error, f"The details are in {demos.log_of(store)}."))
    return 0


def _fail(store: RunStore, failure: processes.Failure) -> int:
    """Write why it failed, into the status first: there may be room for that only. Returns the exit code."""
    code = 1
    try:
        demos.write_status(store, {"state": "failed", "message": failure.message, "fix": failure.fix})
    except WTFlowError:
        code = processes.ENDED_WITHOUT_ROOM
    with contextlib.suppress(OSError):
        say(failure.log)
    return code


def _reporter(store: RunStore, status: dict[str, Any]) -> Progress:
    last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last < STATUS_EVERY_S:
            return
        last = time.monotonic()
        with contextlib.suppress(WTFlowError):  # a status that cannot be written costs no picture
            demos.write_status(store, status | {"share": round(done / max(total, 1), 4)})

    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
