"""How a run stands: its written status, corrected by what its process and the stop file tell. Changes nothing.

`lost` and `stopping` are not guessed: they follow from the process and the stop file, and are never written.
"""

import time
from dataclasses import replace

import psutil

from wtflow.jobs import processes
from wtflow.records.core import RunStatus, finished_status
from wtflow.store.runs import RunStore

LOST_ELSEWHERE_AFTER_S = 300.0
"""A process on another computer cannot be looked at: it counts as ended when it has not reported for this long. The
clocks of computers that share a folder therefore have to agree within a minute or so.
"""
SILENT_AFTER_S = 120.0
"""A live process that has not reported for this long is called silent, not lost: it can still be stopped, and the run
is not started a second time.
"""


def status_now(store: RunStore, run_id: str) -> RunStatus:
    """The written status corrected by what the process is doing."""
    status = store.status(run_id)
    if status.state == "queued" and (why := processes.why_no_room(store.home)) is not None:
        return replace(status, message=f"Waiting: {why[0]}", fix=why[1])
    if status.state == "queued" and status.sweep:
        return replace(status, message=f"Waiting for its place in the sweep {status.sweep}.")
    if status.state not in ("running", "stopping"):
        return status
    stop_asked = store.stop_requested_at(run_id)
    if not is_alive(status):
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
            message, first = _why_elsewhere(status) or processes.why_it_ended(status.pid, store.home)
            fix = " ".join(part for part in (first, "Resume continues from the last checkpoint.") if part)
            ended = replace(status, state="lost", seconds_left=None, message=message, fix=fix)
        return kept_finished(store, run_id, ended) or ended
    if stop_asked is not None:
        return replace(status, state="stopping", seconds_left=None, message="Stopping.")
    silent_s = time.time() - status.heartbeat
    if silent_s > SILENT_AFTER_S:
        return replace(status, message=f"No report for {silent_s:.0f} s, but the process is still there. Stop ends it.")
    return status


def kept_finished(store: RunStore, run_id: str, ended: RunStatus) -> RunStatus | None:
    """The status of a run that has complete results although its last pass ended like this; None where it has none."""
    before = store.finished_before(run_id)
    if before is not None:
        fix = ended.fix or "Resume tries again."
        return replace(before, message=f"{ended.message} The results of before are kept.", fix=fix)
    if store.files_of(run_id) is not None:  # everything was in place when the process ended
        return finished_status(ended.total, "Finished.")
    return None


def process_of(status: RunStatus) -> psutil.Process | None:
    """The worker's process if it is alive and on this computer."""
    return None if status.pid is None or is_elsewhere(status) else processes.find(status.pid, status.pid_created)


def is_elsewhere(status: RunStatus) -> bool:
    """Whether the worker's process is on another computer, which shares the folder of the store."""
    return bool(status.host) and status.host != processes.this_host()


def is_alive(status: RunStatus) -> bool:
    """Whether the worker's process is there; on another computer, whether it has reported lately."""
    if status.pid is not None and is_elsewhere(status):
        return time.time() - status.heartbeat < LOST_ELSEWHERE_AFTER_S
    return process_of(status) is not None


def _why_elsewhere(status: RunStatus) -> tuple[str, str] | None:
    if not is_elsewhere(status):
        return None
    silent_s = time.time() - status.heartbeat
    return f"{status.host} has not reported for {silent_s:.0f} s: its process has ended, or it cannot write here.", ""
