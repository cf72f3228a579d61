"""Draws categories of the demo: `python -m wtflow.jobs.demo_worker CATEGORY...` (store: WTFLOW_HOME, or ./runs)."""

import contextlib
import os
import sys
import time
from typing import Any

from wtflow.datasets.demo.write import write_demo
from wtflow.errors import WTFlowError
from wtflow.jobs import demos, processes
from wtflow.jobs.studies import running_now
from wtflow.machine.progress import Progress
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

STATUS_EVERY_S = 0.4
NICENESS = 5
"""Pages go first."""


def main(categories: list[str]) -> int:
    """Exit codes: 0 drawn, 1 failed, with the reason in the status."""
    store, status = RunStore(), running_now(processes.this_process())
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        with locked(store):  # waits until the launcher has written its status
            demos.write_status(store, status)
        write_demo(demos.demo_root(store), _reporter(store, status), categories=categories)
        demos.clear_status(store)
    except Exception as error:
        failure = processes.failure_of(error, f"The details are in {demos.log_of(store)}.")
        sys.stderr.write(f"{failure.log}\n")
        demos.write_status(store, {"state": "failed", "message": failure.message, "fix": failure.fix})
        return 1
    return 0


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
