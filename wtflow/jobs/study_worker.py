"""The process that makes one answer: `python -m wtflow.jobs.study_worker RUN_ID NAME` (store: WTFLOW_HOME, or ./runs).

NAME is the stem of the answer's file; what was asked lies beside it. It ends within a second or two of a stop file
appearing.
"""

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wtflow.errors import WTFlowError
from wtflow.jobs import studies, trainings
from wtflow.machine.progress import StopRequestedError
from wtflow.store import derived, layout
from wtflow.store.runs import RunStore
from wtflow.studies.requests import request_from_json

STATUS_EVERY_S = 0.4
NICENESS = 5
"""Pages go first."""


def main(arguments: list[str]) -> int:
    """Exit codes: 0 made or stopped, 1 failed, 2 wrong call."""
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
    pid, created = trainings.process_facts()
    facts = {"state": "running", "share": 0.0, "began": time.time(), "pid": pid, "pid_created": created}
    if not studies.tell(store, path, facts):  # waits for the launcher's last word
        return 0
    try:
        give_way(store)
        from wtflow.studies.compute import compute_answer

        compute_answer(store, run_id, request, _reporter(store, path, facts))
    except StopRequestedError:
        pass
    except Exception as error:
        known = isinstance(error, WTFlowError)
        sys.stderr.write(f"{error}\n" if known else traceback.format_exc())
        message = error.message if known else f"{type(error).__name__}: {error}"
        fix = error.fix if known else f"The details are in {layout.DERIVED}/{path.stem}.log in the run's folder."
        studies.tell(store, path, {"state": "failed", "message": message[:500], "fix": fix})
        return 1
    studies.tell_done(store, path)
    return 0


def give_way(store: RunStore) -> None:
    """One thread while a training runs, else all; and a lower priority than the pages."""
    import torch

    if hasattr(os, "nice"):
        os.nice(NICENESS)
    is_training = any(
        s.status is not None and s.status.state in ("running", "stopping") for s in trainings.live_summaries(store)
    )
    torch.set_num_threads(1 if is_training else os.cpu_count() or 1)


def _reporter(store: RunStore, path: Path, facts: dict[str, Any]) -> Callable[[float], None]:
    last = time.monotonic()

    def report(share: float) -> None:
        nonlocal last
        if time.monotonic() - last < STATUS_EVERY_S:
            return
        last = time.monotonic()
        if studies.is_stop_asked(path):
            raise StopRequestedError
        with contextlib.suppress(WTFlowError):  # a full disk costs the status, not the answer
            if not studies.tell(store, path, facts | {"share": round(float(share), 4)}):
                raise StopRequestedError

    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
