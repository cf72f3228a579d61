"""Computes one answer in a process: `python -m wtflow.jobs.study_worker RUN_ID NAME` (store: WTFLOW_HOME, or ./runs).

NAME is the stem of the answer's file; the request lies next to it. The process ends within a second or two after a
stop file appears.
"""

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

from wtflow.errors import WTFlowError
from wtflow.jobs import processes, studies, trainings
from wtflow.machine.progress import Share, StopRequestedError
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
    started = processes.this_process()
    status = studies.running_now(started)
    if not studies.write_status(store, path, status):  # waits until the launcher has written its status
        return 0
    try:
        processes.give_way(NICENESS, threads_for(store))
        from wtflow.studies.compute import compute_answer
        from wtflow.studies.umap_clock import keep_start

        report = _Reporter(store, path, status, started.created)
        compute_answer(store, run_id, request, report)
        if request.kind == "umap" and report.start_s is not None:
            keep_start(store, report.start_s)
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


class _Reporter:
    """Writes how far the answer is, and ends the work once Stop was pressed or the run is gone."""

    def __init__(self, store: RunStore, path: Path, status: dict[str, Any], launched: float) -> None:
        self.store, self.path, self.status, self.launched = store, path, status, launched
        self.last, self.word = time.monotonic(), ""
        self.start_s: float | None = None
        """Seconds from the launch to the first share: Python, torch and the network were loaded."""

    def __call__(self, share: float) -> None:
        if self.start_s is None:
            self.start_s = time.time() - self.launched
        elif time.monotonic() - self.last < STATUS_EVERY_S and not self._is_silence_ahead(share):
            return
        self.last = time.monotonic()
        if studies.is_stop_asked(self.path):
            raise StopRequestedError
        with contextlib.suppress(WTFlowError):  # a full disk costs the status, not the answer
            if not studies.write_status(self.store, self.path, self.status | studies.how_far(share)):
                raise StopRequestedError

    def _is_silence_ahead(self, share: float) -> bool:
        """Whether a stage begins that may say nothing more for a while: its first word is another."""
        word = share.words.partition(" ")[0] if isinstance(share, Share) else ""
        is_new, self.word = word != self.word, word
        return is_new


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
