"""Computes one answer in a process: `python -m wtflow.jobs.study_worker RUN_ID NAME` (store: WTFLOW_HOME, or ./runs).

NAME is the stem of the answer's file; the request lies next to it. The process ends within a second or two after a
stop file appears.
"""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wtflow.errors import WTFlowError
from wtflow.jobs import processes, studies, trainings
from wtflow.machine.progress import StopRequestedError
from wtflow.store import derived, layout
from wtflow.store.runs import RunStore
from wtflow.studies.requests import request_from_json

STATUS_EVERY_S = 0.4
NICENESS = 5
"""Pages go first."""


def main(arguments: list[str]) -> int:
    """Exit codes: 0 computed or stopped, 1 failed, 2 wrong call."""
    if len(arguments) != 2 or "-" not in arguments[1]:
        sys.stderr.write(
            "Call it with a run id and the name of an answer: python -m wtflow.jobs.study_worker RUN_ID NAME\n"
        )
        return 2
    store, run_id = RunStore(), arguments[0]
    what, _, key = arguments[1].partition("-")
    try:
        path = derived.path_of(store, run_id, what, key)
        request = request_from_json(studies.request_file(path).read_text(encoding="utf-8"))
    except (WTFlowError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    status = studies.running_now(processes.this_process())
    if not studies.write_status(store, path, status):  # waits until the launcher has written its status
        return 0
    try:
        processes.give_way(NICENESS, threads_for(store))
        from wtflow.studies.compute import compute_answer

        compute_answer(store, run_id, request, _reporter(store, path, status))
    except StopRequestedError:
        pass
    except Exception as error:
        details = f"The details are in {layout.DERIVED}/{path.stem}.log in the run's folder."
        failure = processes.failure_of(error, details)
        sys.stderr.write(f"{failure.log}\n")
        studies.write_status(store, path, {"state": "failed", "message": failure.message, "fix": failure.fix})
        return 1
    studies.clear_status(store, path)
    return 0


def threads_for(store: RunStore) -> int:
    """One while a training runs, else one per core (0)."""
    is_training = any(
        s.status is not None and s.status.state in ("running", "stopping") for s in trainings.live_summaries(store)
    )
    return 1 if is_training else 0


def _reporter(store: RunStore, path: Path, status: dict[str, Any]) -> Callable[[float], None]:
    last = time.monotonic()

    def report(share: float) -> None:
        nonlocal last
        if time.monotonic() - last < STATUS_EVERY_S:
            return
        last = time.monotonic()
        if studies.is_stop_asked(path):
            raise StopRequestedError
        with contextlib.suppress(WTFlowError):  # a full disk costs the status, not the answer
            if not studies.write_status(store, path, status | {"share": round(float(share), 4)}):
                raise StopRequestedError

    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
