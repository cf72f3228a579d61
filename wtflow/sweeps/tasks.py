"""Sweeps as processes: started, extended, stopped, resumed, and how they stand. Imports no torch."""

import time
from dataclasses import replace

import psutil

from wtflow.errors import RunBusyError, WTFlowError
from wtflow.jobs import processes, trainings
from wtflow.jobs.processes import Started
from wtflow.jobs.standing import LOST_ELSEWHERE_AFTER_S
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Sweep, SweepStatus, Way
from wtflow.store import sweeps
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

NEVER_BEGAN_S = 60.0


def start(store: RunStore, name: str, way: Way | None = None) -> None:
    """Have a coordinator compute what is not finished: runs that were stopped, failed or lost continue from their last
    checkpoint. way: how, from now on; None: as before. Raises RunBusyError while one is at work, RunNotFoundError,
    StoreError.
    """
    _refuse_twice(store, name)
    if way is not None:
        sweeps.change(store, name, lambda sweep: replace(sweep, way=way))
    with locked(store):
        _refuse_twice(store, name)
        sweeps.clear_stop(store, name)
        n_all = len(sweeps.read(store, name).cells)

        def note(started: Started) -> None:
            begun = SweepStatus("starting", started.pid, started.created, processes.this_host(), time.time(), n_all)
            sweeps.write_status(store, name, begun)

        processes.launch("wtflow.sweeps.coordinator", [name], sweeps.log_of(store, name), store.home, note)


def extend(store: RunStore, name: str, more: Sweep) -> None:
    """Take over what a plan added to a sweep; runs that were begun meanwhile stay. A coordinator at work notices."""
    sweeps.change(store, name, lambda now: replace(more, runs=now.runs, serial=now.serial, way=now.way))


def stop(store: RunStore, name: str) -> None:
    """Ask the coordinator to stop all runs of a sweep; where none is at work, stop those that go on by themselves."""
    if look(store, name).is_active:
        sweeps.request_stop(store, name)
        return
    for run_id in sweeps.read(store, name).runs.values():
        try:
            trainings.request_stop(store, run_id)
        except WTFlowError:
            continue  # deleted, or damaged


def look(store: RunStore, name: str) -> SweepStatus:
    """How a sweep stands: its written status corrected by what its coordinator is doing. Raises RunNotFoundError,
    DamagedRunError.
    """
    status = sweeps.read_status(store, name)
    if not status.is_active:
        return status
    if is_alive(status):
        return replace(status, state="stopping", seconds_left=None) if _is_stopping(store, name, status) else status
    status = sweeps.read_status(store, name)  # it may have written its last status between the looks
    if not status.is_active or is_alive(status):
        return status
    if status.state == "starting" and status.pid is None and time.time() - status.heartbeat < NEVER_BEGAN_S:
        return status
    return replace(
        status,
        state="lost",
        seconds_left=None,
        message="The coordinator ended without a message (killed, or the computer was restarted).",
        fix="Resume goes on: finished runs are not repeated, others continue from their last checkpoint.",
    )


def run_states(store: RunStore, sweep: Sweep) -> dict[str, RunStatus]:
    """Key of every cell whose run is there -> how that run stands. Runs that were deleted or are damaged are absent."""
    found = {}
    for cell in sweep.cells:
        if cell.run_id:
            try:
                found[cell.key] = trainings.live_status(store, cell.run_id)
            except WTFlowError:
                continue
    return found


def claim(store: RunStore, name: str) -> None:
    """Take a sweep for this process, which then coordinates it. Raises RunBusyError when another one does."""
    with locked(store):
        status, (pid, created), host = sweeps.read_status(store, name), processes.this_process(), processes.this_host()
        if status.is_active and (status.pid, status.host) != (pid, host) and is_alive(status):
            raise RunBusyError(f"The sweep {name} is running.", fix="Wait for it, or stop it.")
        begun = SweepStatus("running", pid, created, host, time.time(), n_all=status.n_all)
        sweeps.write_status(store, name, begun)


def is_alive(status: SweepStatus) -> bool:
    """Whether the coordinator is there; on another computer, whether it has reported lately."""
    if status.pid is None:
        return False
    if status.host and status.host != processes.this_host():
        return time.time() - status.heartbeat < LOST_ELSEWHERE_AFTER_S
    return process_of(status) is not None


def process_of(status: SweepStatus) -> psutil.Process | None:
    return None if status.pid is None else processes.find(status.pid, status.pid_created)


def _refuse_twice(store: RunStore, name: str) -> None:
    if look(store, name).is_active:
        raise RunBusyError(f"The sweep {name} is running.", fix=f"Watch it: python -m wtflow sweep --status {name}")


def _is_stopping(store: RunStore, name: str, status: SweepStatus) -> bool:
    return status.state == "stopping" or sweeps.is_stop_asked(store, name)
