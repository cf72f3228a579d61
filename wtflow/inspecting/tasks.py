"""Inspections as processes: started, stopped, resumed, deleted, and how they stand. Imports no torch."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import psutil

from wtflow.errors import DatasetError, RunBusyError, SettingsError, WTFlowError
from wtflow.jobs import processes
from wtflow.jobs.processes import Started
from wtflow.records.core import RunStatus
from wtflow.records.inspect import Inspection, InspectSettings
from wtflow.store import inspections, layout
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

MOST_AT_ONCE = 4
"""More processes than cores of a small machine only wait for each other; one that watches a folder mostly sleeps."""
NEVER_STARTED_S = 60.0
"""An inspection that waits for longer was left by a program that ended before it started the process."""


def start(
    store: RunStore,
    detector: str,
    sources: Sequence[str | Path],
    *,
    uploads: Sequence[tuple[str, bytes]] = (),
    settings: InspectSettings | None = None,
    threshold: float | None = None,
    out: str | Path = "",
) -> Inspection:
    """Begin an inspection in a process of its own.

    detector: id of a finished run, or path of a detector's file. sources: folders and image files. uploads: (name,
    contents) of images that are kept with the inspection. threshold: None for the one in force. out: folder that
    tables are written to as well. Raises SettingsError without images, DatasetError for a source that is not there,
    RunBusyError for too many at once, RunNotFoundError, StoreError.
    """
    if not sources and not uploads:
        raise SettingsError("There is nothing to inspect.", fix="Give a folder, or images.")
    with locked(store):
        n_alive = sum(one.status.is_active for one in look_all(store))
        if n_alive >= MOST_AT_ONCE:
            raise RunBusyError(f"{n_alive} inspections are already running.", fix="Wait for one to end, or stop it.")
        made = create(store, detector, sources, uploads=uploads, settings=settings, threshold=threshold, out=out)
        _launch(store, made)
    return look(store, made.inspection_id)


def create(
    store: RunStore,
    detector: str,
    sources: Sequence[str | Path],
    *,
    uploads: Sequence[tuple[str, bytes]] = (),
    settings: InspectSettings | None = None,
    threshold: float | None = None,
    out: str | Path = "",
) -> Inspection:
    """The inspection alone, queued, with absolute paths. Raises as `start`."""
    paths = [str(Path(one).absolute()) for one in sources]
    if absent := [path for path in paths if not os.path.lexists(path)]:
        raise DatasetError(f"{absent[0]} does not exist.", fix="Check the path.")
    if layout.is_run_id(detector):
        name = store.config(detector).category
    else:
        detector = str(Path(detector).absolute())
        name = Path(detector).stem
    return inspections.create(
        store,
        name,
        detector,
        paths,
        out=str(Path(out).absolute()) if out else "",
        settings=settings,
        threshold=threshold,
        uploads=uploads,
    )


def resume(store: RunStore, inspection_id: str) -> None:
    """Go on where an inspection ended; images that are done and unchanged are not scored again.
    Raises RunBusyError while it is active, RunNotFoundError, DamagedRunError, StoreError.
    """
    with locked(store):
        found = look(store, inspection_id)
        if found.status.is_active:
            raise RunBusyError(
                f"Inspection {inspection_id} is already {found.status.state}.", fix="Watch it, or stop it."
            )
        found = inspections.read_inspection(store, inspection_id)
        inspections.clear_stop(store, inspection_id)
        inspections.write_progress(store, inspections.waiting_again(found))
        _launch(store, found)


def stop(store: RunStore, inspection_id: str) -> None:
    """Ask an inspection to stop; what it has scored stays. `look` says `stopped` once its process is gone."""
    if look(store, inspection_id).status.is_active:
        inspections.request_stop(store, inspection_id)


def delete(store: RunStore, inspection_id: str) -> None:
    """Remove an inspection with its rows, maps and pictures; the inspected images stay. Raises RunBusyError while it is
    active, RunNotFoundError, StoreError.
    """
    with locked(store):
        if look(store, inspection_id).status.is_active:
            raise RunBusyError(f"Inspection {inspection_id} is active.", fix="Stop it first, then delete it.")
        inspections.delete(store, inspection_id)


def look(store: RunStore, inspection_id: str) -> Inspection:
    """An inspection as it is now: its written status corrected by what its process is doing. Of a damaged one `problem`
    says why. Cheap, so call it at every poll; it also ends a process that was asked to stop and does not. Raises
    RunNotFoundError.
    """
    processes.reap()
    inspections.folder_of(store, inspection_id)
    found = inspections.read_or_problem(store, inspection_id)
    if found.problem or not found.status.is_active:
        return found
    process, asked = _process_of(found.status), inspections.stop_requested_at(store, inspection_id)
    if process is not None:
        if asked is None:
            return found
        processes.escalate(process, time.time() - asked)
        return replace(found, status=replace(found.status, state="stopping", seconds_left=None, message="Stopping."))
    found = inspections.read_or_problem(store, inspection_id)  # it may have written its last status between the looks
    if found.problem or not found.status.is_active or _process_of(found.status) is not None:
        return found
    if found.status.state == "queued" and time.time() - found.status.heartbeat < NEVER_STARTED_S:
        return found
    if asked is not None:
        return _ended(found, "stopped", "Stopped. What it has scored is kept.", "")
    message, first = processes.why_it_ended(found.status.pid, store.home)
    return _ended(found, "lost", message, " ".join(filter(None, (first, "Resume goes on with the images left."))))


def look_all(store: RunStore) -> list[Inspection]:
    """All inspections, newest first, as they are now. Raises StoreError."""
    found = []
    for inspection_id in inspections.ids(store):
        try:
            found.append(look(store, inspection_id))
        except WTFlowError:
            continue  # deleted meanwhile
    return found


def to_continue(
    store: RunStore,
    detector: str,
    sources: Sequence[str | Path],
    fingerprint: str,
    threshold: float,
    out: str | Path = "",
) -> Inspection | None:
    """The inspection that the same call goes on with: the newest of these sources by this detector at this threshold,
    with the same folder for its tables. Without such a folder, one that has finished is not gone on with, unless it
    watched. None where there is none.
    """
    paths, where = tuple(str(Path(one).absolute()) for one in sources), str(Path(out).absolute()) if out else ""
    for one in look_all(store):
        if one.facts is None or one.status.is_active or one.problem:
            continue
        same = (one.sources, one.out, one.facts.fingerprint, one.facts.decision.value)
        if same == (paths, where, fingerprint, threshold) and _same_detector(one.detector, detector):
            return one if where or one.settings.watch or one.status.state != "finished" else None
    return None


def _same_detector(one: str, other: str) -> bool:
    return one == other or one == str(Path(other).absolute())


def claim(store: RunStore, inspection_id: str) -> Inspection:
    """Take an inspection for this process, which then scores it. Waits until a launcher has written its status.
    Raises RunBusyError when another process has it, RunNotFoundError, StoreError.
    """
    with locked(store):
        found, (pid, created) = inspections.read_inspection(store, inspection_id), processes.this_process()
        if found.status.is_active and found.status.pid not in (None, pid) and _process_of(found.status) is not None:
            raise RunBusyError(
                f"Inspection {inspection_id} is running in process {found.status.pid}.", fix="Wait for it, or stop it."
            )
        status = RunStatus(state="running", stage="start", pid=pid, pid_created=created, heartbeat=time.time())
        claimed = replace(found, status=status)
        inspections.write_progress(store, claimed)
    return claimed


def _launch(store: RunStore, inspection: Inspection) -> None:
    inspection_id = inspection.inspection_id

    def note(started: Started) -> None:
        starting = RunStatus(state="running", stage="start", heartbeat=time.time(), message="Starting.")
        status = replace(starting, pid=started.pid, pid_created=started.created)
        inspections.write_progress(store, replace(inspection, status=status))

    log = inspections.folder_of(store, inspection_id) / layout.LOG
    processes.launch("wtflow.inspecting.worker", [inspection_id], log, store.home, note)


def _process_of(status: RunStatus) -> psutil.Process | None:
    return None if status.pid is None else processes.find(status.pid, status.pid_created)


def _ended(found: Inspection, state: Literal["stopped", "lost"], message: str, fix: str) -> Inspection:
    status = replace(found.status, state=state, seconds_left=None, message=message, fix=fix)
    return replace(found, status=status, counts=replace(found.counts, per_second=None))
