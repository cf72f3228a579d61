"""Start, queue, stop, resume and delete runs, and find out how they ended. Any process may call;
a file lock keeps order.

The worker is a separate process (see `processes`). `lost` and `stopping` are not guessed: they follow from the process
and the stop file. A `stopped` that follows from them is written by `reconcile`.
"""

import contextlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import psutil

from wtflow.config import Settings
from wtflow.errors import DamagedRunError, RunBusyError, StoreError, WTFlowError
from wtflow.jobs import processes
from wtflow.jobs.estimate import Estimate, estimate
from wtflow.records.core import RunStatus, RunSummary, finished_status
from wtflow.records.reading import Reading
from wtflow.store import layout, passes
from wtflow.store.lock import locked
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

__all__ = [
    "Estimate",
    "delete",
    "estimate",
    "live_status",
    "live_summaries",
    "reconcile",
    "request_stop",
    "resume",
    "start",
]

SILENT_AFTER_S = 120.0
"""A live process that has not reported for this long is called silent, not lost: it can still be stopped, and the run
is not started a second time.
"""


def start(store: RunStore, root: Path, category: str, settings: Settings, reading: Reading | None = None) -> str:
    """Create a run and start it, or queue it behind others. Without a reading, the one kept for the data set counts.
    Raises RunBusyError when this category is already queued or running.
    """
    if (weights_file := settings.weights_file) is not None:  # the worker has another current folder
        settings = settings.changed({"weights": str(weights_file.absolute())})
    reading = reading_of(store, root, category) if reading is None else reading
    with locked(store):
        _refuse_twice(store, root, category)
        run_id = store.create(root, category, settings, reading)
        _advance(store)
    return run_id


def resume(store: RunStore, run_id: str) -> None:
    """Continue a stopped, failed or lost run from its last checkpoint, or write again what a finished run has lost.

    A finished run stays finished, with its results in place, until the new ones are complete. Raises RunBusyError when
    it is active, or its category is, and StoreError when it has finished and nothing is missing; then nothing changes.
    """
    with locked(store):
        config, status = store.config(run_id), _status_now(store, run_id)
        if status.is_active:
            raise RunBusyError(f"Run {run_id} is already {status.state}.", fix="Watch it on the train page.")
        if status.state == "finished" and not store.lack(run_id):
            raise StoreError(
                f"Run {run_id} has finished: there is nothing to resume.",
                fix=f"To score its images again: python -m wtflow evaluate {run_id}. To train again, start a new run.",
            )
        _refuse_twice(store, Path(config.root), config.category)
        if status.state == "finished":
            store.keep_finished(run_id, status)
        store.clear_stop(run_id)
        store.write_status(
            run_id,
            RunStatus(state="queued", percent=status.percent, heartbeat=time.time(), message="Waiting for its turn."),
        )
        _advance(store)


def request_stop(store: RunStore, run_id: str) -> None:
    """Ask a run to stop. Its status is `stopped` once its process is gone."""
    with locked(store):
        status = _status_now(store, run_id)
        if status.state == "queued":
            end_without_results(store, run_id, "stopped", "Taken out of the queue.")
        elif status.is_active:
            store.request_stop(run_id)


def delete(store: RunStore, run_id: str) -> None:
    """Remove a run for good. Raises RunBusyError while it is active."""
    with locked(store):
        summary = store.summary(run_id)
        if not summary.problem and _status_now(store, run_id).is_active:
            raise RunBusyError(f"Run {run_id} is active.", fix="Stop it first, then delete it.")
        store.delete(run_id)


def reconcile(store: RunStore) -> None:
    """Bring the store in line with the processes: end what was asked to stop, start what waits.
    Cheap, so call it at every poll.
    """
    processes.reap()
    if not store.home.is_dir():
        return
    with locked(store):
        for run_id in store.ids():
            with contextlib.suppress(WTFlowError):
                _escalate(store, run_id)
                _write_finished(store, run_id)
        _advance(store)


def live_status(store: RunStore, run_id: str) -> RunStatus:
    """The status of a run as it is now, `lost` when its process ended without a last status."""
    return _status_now(store, run_id)


def live_summaries(store: RunStore) -> list[RunSummary]:
    """All runs, newest first, with live states; a damaged run has the reason in `problem`."""
    summaries = []
    for summary in store.summaries():
        if summary.status is not None and summary.status.is_active:
            with contextlib.suppress(WTFlowError):
                summary = store.summary(summary.run_id, _status_now(store, summary.run_id))
        summaries.append(summary)
    return summaries


# -- inside the lock --------------------------------------------------------------------------------------------------


def claim(store: RunStore, run_id: str) -> None:
    """Take a run for this process. Waits until the launcher has written its status. Raises RunBusyError when another
    process has the run.
    """
    with locked(store):
        status, (pid, created) = store.status(run_id), processes.this_process()
        if status.state in ("running", "stopping") and status.pid != pid and _process(status) is not None:
            raise RunBusyError(
                f"Run {run_id} is being trained by process {status.pid}.", fix="Wait for it, or stop it."
            )
        store.write_status(
            run_id, replace(status, state="running", stage="start", pid=pid, pid_created=created, heartbeat=time.time())
        )


def end_without_results(
    store: RunStore, run_id: str, state: Literal["stopped", "failed"], message: str, fix: str = ""
) -> None:
    """Write how a pass ended that has no results of its own. A run that had finished before stays finished."""
    ended = RunStatus(state=state, heartbeat=time.time(), message=message, fix=fix)
    store.write_status(run_id, _kept_finished(store, run_id, ended) or ended)
    store.forget_before(run_id)


def _kept_finished(store: RunStore, run_id: str, ended: RunStatus) -> RunStatus | None:
    """The status of a run that has complete results although its last pass ended like this; None where it has none."""
    before = store.finished_before(run_id)
    if before is not None:
        fix = ended.fix or "Resume tries again."
        return replace(before, message=f"{ended.message} The results of before are kept.", fix=fix)
    if store.files_of(run_id) is not None:  # everything was in place when the process ended
        return finished_status(ended.total, "Finished.")
    return None


def _write_finished(store: RunStore, run_id: str) -> None:
    """Write that a run is finished where its process ended before it could."""
    written = store.status(run_id).state
    if written in ("running", "stopping") and (now := _status_now(store, run_id)).state == "finished":
        passes.discard(store, run_id)
        store.write_status(run_id, now)
        store.forget_before(run_id)


def _status_now(store: RunStore, run_id: str) -> RunStatus:
    """The written status corrected by what the process is doing."""
    status = store.status(run_id)
    if status.state not in ("running", "stopping"):
        return status
    stop_asked = store.stop_requested_at(run_id)
    if _process(status) is None:
        status = store.status(run_id)  # it may have written its last status between the two looks
        if status.state not in ("running", "stopping"):
            return status
        if stop_asked is not None:
            ended = replace(
                status,
                state="stopped",
                seconds_left=None,
                message="Stopped. Resume continues from the last checkpoint.",
            )
        else:
            ended = replace(
                status,
                state="lost",
                seconds_left=None,
                message="The process ended without a message (killed, or the computer was restarted).",
                fix="Resume continues from the last checkpoint.",
            )
        return _kept_finished(store, run_id, ended) or ended
    if stop_asked is not None:
        return replace(status, state="stopping", seconds_left=None, message="Stopping.")
    silent_s = time.time() - status.heartbeat
    if silent_s > SILENT_AFTER_S:
        return replace(status, message=f"No report for {silent_s:.0f} s, but the process is still there. Stop ends it.")
    return status


def _escalate(store: RunStore, run_id: str) -> None:
    """Take the next step of a requested stop. Write `stopped` only once the process is gone."""
    asked = store.stop_requested_at(run_id)
    if asked is None:
        return
    status = store.status(run_id)
    if status.state not in ("running", "stopping"):
        return
    process = _process(status)
    if process is None:
        status_now = _status_now(store, run_id)
        if status_now.state == "stopped":
            store.write_status(run_id, status_now)
        return
    processes.escalate(process, time.time() - asked)


def _refuse_twice(store: RunStore, root: Path, category: str) -> None:
    for run_id in store.ids():
        with contextlib.suppress(DamagedRunError):
            config = store.config(run_id)
            if (config.root, config.category) == (str(Path(root).absolute()), category) and _status_now(
                store, run_id
            ).is_active:
                raise RunBusyError(
                    f"{category} is already being trained (run {run_id}).", fix="Wait for it, or stop it first."
                )


def _advance(store: RunStore) -> None:
    """Start queued runs, oldest first, while fewer than the allowed number are running."""
    states: dict[str, RunStatus] = {}
    for run_id in reversed(store.ids()):
        with contextlib.suppress(DamagedRunError):
            store.config(run_id)
            states[run_id] = _status_now(store, run_id)
    n_running = sum(status.state in ("running", "stopping") for status in states.values())
    waiting = [run_id for run_id, status in states.items() if status.state == "queued"]
    for run_id in waiting[: max(0, _max_running() - n_running)]:
        _launch(store, run_id)


def _max_running() -> int:
    """WTFLOW_MAX_RUNS, or 1: two trainings at once on few cores are slower than one after the other."""
    text = os.environ.get("WTFLOW_MAX_RUNS", "1")
    return max(1, int(text)) if text.isdigit() else 1


def _launch(store: RunStore, run_id: str) -> None:
    log = store.folder(run_id) / layout.LOG
    pid, created = processes.launch("wtflow.jobs.train_worker", [run_id], log, store.home)
    store.write_status(
        run_id,
        RunStatus(
            state="running", stage="start", pid=pid, pid_created=created, heartbeat=time.time(), message="Starting."
        ),
    )


def _process(status: RunStatus) -> psutil.Process | None:
    """The worker's process if it is alive."""
    return None if status.pid is None else processes.find(status.pid, status.pid_created)
