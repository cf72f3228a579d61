"""Computes answers in a process: `python -m wtflow.jobs.study_worker [--ahead] RUN_ID NAME...` (store: WTFLOW_HOME, or
./runs).

A NAME is the stem of an answer's file; its request lies next to it. They are computed in turn. The process ends within
a second or two after a stop file appears next to any of them, or the run is deleted. --ahead: nobody waits for them, so
what takes long is left out while a training runs or waits.
"""

import contextlib
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import psutil

from wtflow.errors import WTFlowError
from wtflow.jobs import listing, processes, studies
from wtflow.machine.progress import Share, StopRequestedError
from wtflow.store import derived, layout
from wtflow.store.runs import RunStore
from wtflow.studies.requests import Request, request_from_json

STATUS_EVERY_S = 0.4
NICENESS, NICENESS_AHEAD = 5, 10
"""Pages go first, and what somebody waits for goes before what nobody does."""
LONG: Final = ("umap",)
"""Kinds that keep a core busy for a minute."""


def main(arguments: list[str]) -> int:
    """Exit codes: 0 computed or stopped, 1 failed, 2 wrong call."""
    is_ahead = arguments[:1] == [studies.AHEAD]
    run_id, *names = arguments[is_ahead:] or [""]
    if not names or not all("-" in name for name in names):
        sys.stderr.write(
            "Call it with a run id and names of answers: python -m wtflow.jobs.study_worker RUN_ID NAME...\n"
        )
        return 2
    store, tasks = RunStore(), {}
    try:
        for name in names:
            what, _, key = name.partition("-")
            path = derived.path_of(store, run_id, what, key)
            tasks[path] = request_from_json(studies.request_file(path).read_text(encoding="utf-8"))
    except (WTFlowError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        return work(store, run_id, tasks, is_ahead)
    except StopRequestedError:
        return 0
    finally:
        for path in tasks:
            studies.clear_running(store, path)


def work(store: RunStore, run_id: str, tasks: dict[Path, Request], is_ahead: bool) -> int:
    """Compute the answers, each to its path. Returns 0, or 1 where one failed. Raises StopRequestedError."""
    from wtflow.studies.compute import WITHOUT_NETWORK, compute_answer
    from wtflow.studies.umap_clock import keep_start

    started, launched = processes.this_process(), psutil.Process().create_time()
    status = studies.running_now(started, is_ahead)
    for path in tasks:
        if not studies.write_status(store, path, status):  # waits until the launcher has written its own
            raise StopRequestedError
    needs_torch = any(request.kind not in WITHOUT_NETWORK for request in tasks.values())
    processes.give_way(NICENESS_AHEAD if is_ahead else NICENESS, threads_for(store) if needs_torch else None)
    code, is_first = 0, True
    for path, request in tasks.items():
        if is_ahead and request.kind in LONG and _is_busy(store):
            continue
        report = _Reporter(store, path, tasks, status | {"began": time.time()}, launched)
        try:
            compute_answer(store, run_id, request, report)
        except StopRequestedError:
            raise
        except Exception as error:
            details = f"The details are in {layout.DERIVED}/{path.stem}.log in the run's folder."
            failure = processes.failure_of(error, details)
            sys.stderr.write(f"{failure.log}\n")
            if not is_first:  # what this process prints goes to the log of the first
                studies.write_log(store, path, failure.log)
            studies.write_status(store, path, {"state": "failed", "message": failure.message, "fix": failure.fix})
            code = 1
        else:
            if is_first and not is_ahead and needs_torch and report.start_s is not None:
                keep_start(store, report.start_s)
            studies.clear_status(store, path)
        is_first = False
    return code


def threads_for(store: RunStore) -> int:
    """One while a training runs, else one per core (0)."""
    active = listing.look(store).active
    return 1 if any(run.status is not None and run.status.state != "queued" for run in active) else 0


def _is_busy(store: RunStore) -> bool:
    """Whether a training runs or waits."""
    return bool(listing.look(store).active)


class _Reporter:
    """Writes how far an answer is, and ends the work once Stop was pressed for any of `paths` or the run is gone."""

    def __init__(
        self, store: RunStore, path: Path, paths: Collection[Path], status: dict[str, Any], launched: float
    ) -> None:
        self.store, self.path, self.paths, self.status, self.launched = store, path, paths, status, launched
        self.last, self.word = time.monotonic(), ""
        self.start_s: float | None = None
        """Seconds from the launch to the first share: Python, torch and the network were loaded."""

    def __call__(self, share: float) -> None:
        if self.start_s is None:
            self.start_s = time.time() - self.launched
        elif time.monotonic() - self.last < STATUS_EVERY_S and not self._is_silence_ahead(share):
            return
        self.last = time.monotonic()
        if any(map(studies.is_stop_asked, self.paths)):
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
