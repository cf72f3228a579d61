"""Start, queue, stop, resume and delete runs, and find out how they ended. Any process may call;
a file lock keeps order.

The worker is a separate process (see `processes`). How a run stands follows from its status and its process (see
`standing`); a `stopped` or `finished` that follows is written by `reconcile`.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from wtflow.config import Settings
from wtflow.errors import (
    DamagedRunError,
    DiskFullError,
    ReadOnlyError,
    RunBusyError,
    RunNotFoundError,
    StoreError,
    WTFlowError,
)
from wtflow.features.fitting import fitted
from wtflow.jobs import listing, processes
from wtflow.jobs.estimate import Estimate, estimate
from wtflow.jobs.listing import live_summary
from wtflow.jobs.processes import Started
from wtflow.jobs.standing import is_alive, is_elsewhere, kept_finished, process_of, status_now
from wtflow.jobs.tidying import tidy_some
from wtflow.permission import in_passing
from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.reading import Reading
from wtflow.records.run_list import RunQuery
from wtflow.records.sizes import SizeChoice
from wtflow.store import layout, passes
from wtflow.store.index.look import Progress, index_of
from wtflow.store.leftovers import tidy_run
from wtflow.store.lock import locked
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

__all__ = [
    "Estimate",
    "delete",
    "estimate",
    "live_status",
    "live_summaries",
    "live_summary",
    "reconcile",
    "request_stop",
    "resume",
    "start",
]


def start(
    store: RunStore,
    root: Path,
    category: str,
    settings: Settings,
    reading: Reading | None = None,
    sized: SizeChoice | None = None,
) -> str:
    """Create a run and start it, or queue it behind others. Without a reading, the one kept for the data set counts.
    sized: how the image size of these settings was chosen; None where it was given.

    Its settings are made to fit the network that they name. Raises RunBusyError when this category is already queued or
    running, and BackboneError for a network or stage that does not exist.
    """
    settings = fitted(settings).settings
    if (weights_file := settings.weights_file) is not None:  # the worker has another current folder
        settings = settings.changed({"weights": str(weights_file.absolute())})
    reading = reading_of(store, root, category) if reading is None else reading
    index_of(store).look()  # where it has to read many runs, nobody waits for the lock meanwhile
    with locked(store):
        unfinished = _unfinished(store)
        _refuse_twice(store, unfinished, root, category)
        run_id = store.create(root, category, settings, reading, sized)
        _advance(store, [run_id, *unfinished])
    return run_id


def resume(store: RunStore, run_id: str) -> None:
    """Continue a stopped, failed or lost run from its last checkpoint, or write again what a finished run has lost.

    A finished run stays finished, with its results in place, until the new ones are complete. Raises RunBusyError when
    it is active, or its category is, and StoreError when it has finished and nothing is missing; then nothing changes.
    """
    with locked(store):
        config, status = store.config(run_id), status_now(store, run_id)
        if status.is_active:
            raise RunBusyError(f"Run {run_id} is already {status.state}.", fix="Watch it on the train page.")
        if status.state == "finished" and not store.lack(run_id):
            raise StoreError(
                f"Run {run_id} has finished: there is nothing to resume.",
                fix=f"To score its images again: python -m wtflow evaluate {run_id}. To train again, start a new run.",
            )
        unfinished = _unfinished(store)
        _refuse_twice(store, unfinished, Path(config.root), config.category)
        if status.state == "finished":
            store.keep_finished(run_id, status)
        store.clear_stop(run_id)
        store.write_status(
            run_id,
            RunStatus(state="queued", percent=status.percent, heartbeat=time.time(), message="Waiting for its turn."),
        )
        _advance(store, sorted({run_id, *unfinished}, reverse=True))


def request_stop(store: RunStore, run_id: str) -> None:
    """Ask a run to stop. Its status is `stopped` once its process is gone."""
    with locked(store):
        status = status_now(store, run_id)
        if status.state == "queued":
            end_without_results(store, run_id, "stopped", "Taken out of the queue.")
        elif status.is_active:
            store.request_stop(run_id)


def delete(store: RunStore, run_id: str) -> None:
    """Remove a run for good. Raises RunBusyError while it is active."""
    with locked(store):
        summary = store.summary(run_id)
        if not summary.problem and status_now(store, run_id).is_active:
            raise RunBusyError(f"Run {run_id} is active.", fix="Stop it first, then delete it.")
        store.delete(run_id)


@in_passing()
def reconcile(store: RunStore, progress: Progress | None = None) -> None:
    """Bring the store in line with the processes: end what was asked to stop, start what waits.
    Cheap, so call it at every poll. progress: (done, total) while many runs have to be read, as for a new index.

    Where nothing can be written, nothing changes: the disk is full, or the store may only be read. `live_status` then
    says why a run waits. Raises RunBusyError when another program keeps the store locked.
    """
    processes.reap()
    unfinished = _unfinished(store, progress)  # where many runs have to be read, nobody waits for the lock meanwhile
    if not store.home.is_dir():
        return
    with contextlib.suppress(DiskFullError, ReadOnlyError), locked(store):
        for run_id in unfinished:
            with contextlib.suppress(WTFlowError):
                escalate(store, run_id)
                _write_finished(store, run_id)
        _advance(store, unfinished)
        tidy_some(store, set(unfinished))


def live_status(store: RunStore, run_id: str) -> RunStatus:
    """The status of a run as it is now, `lost` when its process ended without a last status."""
    return status_now(store, run_id)


def live_summaries(store: RunStore) -> list[RunSummary]:
    """All runs, newest first, with live states; a damaged run has the reason in `problem`. Where there may be
    thousands, ask `listing.look` for those that are needed.
    """
    return list(listing.look(store).find(RunQuery(sort="-run", archived="also")).runs)


# -- inside the lock --------------------------------------------------------------------------------------------------


def claim(store: RunStore, run_id: str) -> None:
    """Take a run for this process. Waits until the launcher has written its status. Raises RunBusyError when another
    process has the run.
    """
    with locked(store):
        status, (pid, created), host = store.status(run_id), processes.this_process(), processes.this_host()
        is_other = (status.pid, status.host or host) != (pid, host)
        if status.state in ("running", "stopping") and is_other and is_alive(status):
            raise RunBusyError(
                f"Run {run_id} is being trained by process {status.pid}{f' on {status.host}' * is_elsewhere(status)}.",
                fix="Wait for it, or stop it.",
            )
        tidy_run(store, run_id)
        store.keep_reserve(run_id)
        store.write_status(
            run_id,
            replace(
                status,
                state="running",
                stage="start",
                pid=pid,
                pid_created=created,
                host=host,
                heartbeat=time.time(),
                message="",
                fix="",
            ),
        )


def end_without_results(
    store: RunStore, run_id: str, state: Literal["stopped", "failed"], message: str, fix: str = ""
) -> None:
    """Write how a pass ended that has no results of its own. A run that had finished before stays finished. What the
    pass wrote so far is removed first, and with it the room that was kept for this moment. Raises DiskFullError.
    """
    passes.discard(store, run_id)
    store.free_reserve(run_id)
    ended = RunStatus(state=state, heartbeat=time.time(), message=message, fix=fix)
    store.write_status(run_id, kept_finished(store, run_id, ended) or ended)
    store.forget_before(run_id)


def _write_finished(store: RunStore, run_id: str) -> None:
    """Write that a run is finished where its process ended before it could."""
    written = store.status(run_id).state
    if written in ("running", "stopping") and (now := status_now(store, run_id)).state == "finished":
        passes.discard(store, run_id)
        store.write_status(run_id, now)
        store.forget_before(run_id)


def escalate(store: RunStore, run_id: str) -> None:
    """Take the next step of a requested stop. Write `stopped` only once the process is gone."""
    asked = store.stop_requested_at(run_id)
    if asked is None:
        return
    status = store.status(run_id)
    if status.state not in ("running", "stopping"):
        return
    if is_elsewhere(status) and is_alive(status):
        return  # it sees the stop file itself
    process = process_of(status)
    if process is None:
        ended = status_now(store, run_id)
        if ended.state == "stopped":
            store.write_status(run_id, ended)
        return
    processes.escalate(process, time.time() - asked)


def _refuse_twice(store: RunStore, unfinished: Iterable[str], root: Path, category: str) -> None:
    """A second start of the same is a second click, but for the runs of a sweep, which differ in their settings."""
    for run_id in unfinished:
        with contextlib.suppress(DamagedRunError):
            config, status = store.config(run_id), status_now(store, run_id)
            is_same = (config.root, config.category) == (str(Path(root).absolute()), category)
            if is_same and status.is_active and not status.sweep:
                raise RunBusyError(
                    f"{category} is already being trained (run {run_id}).", fix="Wait for it, or stop it first."
                )


def _advance(store: RunStore, unfinished: Sequence[str]) -> None:
    """Start queued runs, oldest first, while fewer than the allowed number are running. Those of sweeps are neither
    started nor counted: their coordinator does that, and counts the others. unfinished: newest first.
    """
    states: dict[str, RunStatus] = {}
    for run_id in reversed(unfinished):
        with contextlib.suppress(DamagedRunError, RunNotFoundError):
            store.config(run_id)
            if not (status := status_now(store, run_id)).sweep:
                states[run_id] = status
    n_running = sum(status.state in ("running", "stopping") for status in states.values())
    waiting = [run_id for run_id, status in states.items() if status.state == "queued"]
    for run_id in waiting[: max(0, _max_running() - n_running)]:
        launch(store, run_id)


def _unfinished(store: RunStore, progress: Progress | None = None) -> list[str]:
    """Runs that wait or go on by what is written now, and those of which that cannot be told, newest first."""
    index = index_of(store)
    index.look(progress)
    return sorted((*index.active(), *index.damaged()), reverse=True)


def _max_running() -> int:
    """WTFLOW_MAX_RUNS, or 1: two trainings at once on few cores are slower than one after the other."""
    text = os.environ.get("WTFLOW_MAX_RUNS", "1")
    return max(1, int(text)) if text.isdigit() else 1


def launch(store: RunStore, run_id: str, more: Mapping[str, str] | None = None) -> None:
    before = store.status(run_id)

    def note(started: Started) -> None:
        starting = RunStatus(state="running", stage="start", heartbeat=time.time(), message="Starting.")
        known = replace(starting, pid=started.pid, pid_created=started.created, host=processes.this_host())
        store.write_status(run_id, replace(known, sweep=before.sweep))

    store.write_status(run_id, before)  # on a full disk this fails, and no process is started
    log = store.folder(run_id) / layout.LOG
    processes.launch("wtflow.jobs.train_worker", [run_id], log, store.home, note, more)
