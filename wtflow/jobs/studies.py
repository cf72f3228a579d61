"""Long answers, each computed by a separate process: start, watch, stop. The page that asked may be closed meanwhile.
Imports no torch.

While the process works, four files lie next to the place of the answer, `derived/<kind>-<key>.npz`: `.request.json`
(the request), `.status.json` (how far it is), `.log` and `.stop` (present = please stop). Once the answer is there they
are removed; after a failure they stay. A process may compute several answers in turn: the status of each names it, and
the log lies next to the first.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wtflow.errors import DamagedRunError, RunBusyError
from wtflow.jobs import processes
from wtflow.jobs.processes import Started
from wtflow.machine.progress import Share
from wtflow.permission import changes
from wtflow.store import layout
from wtflow.store.files import read_json, write_atomic, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path
from wtflow.studies.requests import Request

AHEAD = "--ahead"
MAX_AT_ONCE = 2
"""More processes than cores of a small machine only wait for each other."""


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far an answer is. `absent`: nobody has asked for it, or it was stopped."""

    state: Literal["absent", "running", "failed", "ready"]
    share: float = 0.0
    """Done so far, 0 to 1."""
    seconds: float = 0.0
    """Since the start."""
    message: str = ""
    fix: str = ""
    words: str = ""
    """What is being done, where the computation tells."""
    told_left: float | None = None
    """Seconds left, where the computation tells them."""

    @property
    def seconds_left(self) -> float | None:
        """As the computation tells, else at the pace so far; None before there is one."""
        if self.told_left is not None:
            return self.told_left
        return self.seconds * (1 - self.share) / self.share if self.share > 0.03 else None


def task_state(store: RunStore, run_id: str, request: Request) -> TaskState:
    """Whether the answer is ready, running, failed or absent. Raises RunNotFoundError for an unknown run."""
    return _state_of(answer_path(store, run_id, request))


def start_task(store: RunStore, run_id: str, request: Request) -> None:
    """Start the process unless the answer is ready or running. Raises RunBusyError when MAX_AT_ONCE run already."""
    start_tasks(store, run_id, [request])


@changes("start processes here")
def start_tasks(store: RunStore, run_id: str, requests: Sequence[Request], *, is_ahead: bool = False) -> None:
    """Start one process for those of the answers that are neither ready nor running; it computes them in this order.

    is_ahead: nobody waits for them yet. What such a process leaves undone counts as never begun. Raises RunBusyError
    when MAX_AT_ONCE run already.
    """
    with locked(store):
        wanted = {answer_path(store, run_id, request): request for request in requests}
        paths = [path for path in wanted if _state_of(path).state not in ("ready", "running")]
        if not paths:
            return
        busy = {_started(status) for status in map(_read_status, _all_answers(store)) if is_alive(status)}
        if len(busy) >= MAX_AT_ONCE:
            raise RunBusyError(f"{len(busy)} computations are already running.", fix="Wait for one to end, or stop it.")
        for path in paths:
            _clear(path)
            text = wanted[path].model_dump_json().encode()
            write_atomic(request_file(path), lambda file, text=text: file.write(text))

        def note(started: Started) -> None:
            for path in paths:
                write_json(_beside(path, "status.json"), running_now(started, is_ahead))

        ahead = [AHEAD] if is_ahead else []
        arguments = [*ahead, run_id, *(path.stem for path in paths)]
        processes.launch("wtflow.jobs.study_worker", arguments, _beside(paths[0], "log"), store.home, note)


@changes("stop processes here")
def stop_task(store: RunStore, run_id: str, request: Request) -> None:
    """Ask the process to end, and kill it after some seconds. Returns once it is gone. What it had still to compute
    for others counts as never begun, too.
    """
    path = answer_path(store, run_id, request)
    started = _started(_read_status(path))
    if started is not None and processes.find(*started) is not None:
        processes.end(started, _beside(path, "stop"))


@changes("start processes here")
def forget_failure(store: RunStore, run_id: str, request: Request) -> None:
    """Clear what a failed or stopped task left, so that it counts as absent. Does nothing to one that is running."""
    with locked(store):
        path = answer_path(store, run_id, request)
        if not is_alive(_read_status(path)):
            _clear(path)


def is_alive(status: dict[str, Any]) -> bool:
    """Whether the process that a status names as running is there."""
    started = _started(status)
    return started is not None and processes.find(*started) is not None


def is_computing(store: RunStore, run_id: str) -> bool:
    """Whether a process computes something from the run now."""
    found = (store.home / run_id / layout.DERIVED).glob("*.status.json")
    return any(
        is_alive(_read_status(path.with_name(f"{path.name.removesuffix('.status.json')}.npz"))) for path in found
    )


# -- by the worker -----------------------------------------------------------------------------------------------------


def running_now(started: Started, is_ahead: bool = False) -> dict[str, Any]:
    """The status of a process that starts now."""
    pid, created = started
    status = {"state": "running", "share": 0.0, "began": time.time(), "pid": pid, "pid_created": created}
    return status | ({"is_ahead": True} if is_ahead else {})


def how_far(share: float) -> dict[str, Any]:
    """What a status says of progress: the share and, where the computation tells, in words and seconds left."""
    if not isinstance(share, Share):
        return {"share": round(float(share), 4)}
    return {"share": round(float(share), 4), "words": share.words, "left": share.seconds_left, "at": time.time()}


def write_status(store: RunStore, path: Path, status: dict[str, Any]) -> bool:
    """Replace the status file of an answer. False, and nothing is written, when the run has been deleted."""
    with locked(store):  # deleting a run takes the same lock, so a deleted folder does not come back
        if is_there := path.parent.is_dir():
            write_json(_beside(path, "status.json"), status)
    return is_there


def clear_status(store: RunStore, path: Path) -> None:
    """Remove the files of a task that is over: the answer is there, or it was stopped."""
    with locked(store):
        _clear(path)


def clear_running(store: RunStore, path: Path) -> None:
    """Remove the files of a task unless it failed."""
    with locked(store):
        if _read_status(path).get("state") == "running":
            _clear(path)


def write_log(store: RunStore, path: Path, text: str) -> None:
    """Write why a task failed where people look for it. Nothing is written when the run has been deleted."""
    with locked(store):
        if path.parent.is_dir():
            write_atomic(_beside(path, "log"), lambda file: file.write(text.encode()))


def is_stop_asked(path: Path) -> bool:
    return _beside(path, "stop").exists()


def request_file(path: Path) -> Path:
    return _beside(path, "request.json")


# -- inside ------------------------------------------------------------------------------------------------------------


def _state_of(path: Path) -> TaskState:
    processes.reap()
    status = _read_status(path)
    is_there = is_alive(status)
    if not is_there:
        status = _read_status(path)  # it may have written its last status between the two looks
    if path.is_file():
        return TaskState("ready", share=1.0)
    if status.get("state") == "failed":
        return TaskState("failed", message=str(status.get("message", "")), fix=str(status.get("fix", "")))
    if is_there:
        return TaskState(
            "running",
            share=float(status.get("share", 0.0)),
            seconds=time.time() - float(status.get("began", time.time())),
            words=str(status.get("words", "")),
            told_left=_left(status),
        )
    if status.get("state") != "running" or is_stop_asked(path) or status.get("is_ahead"):
        return TaskState("absent")
    started = _started(status)
    message, first = processes.why_it_ended(started.pid if started else None, path.parents[2])
    return TaskState("failed", message=message, fix=" ".join(part for part in (first, "Compute it again.") if part))


def _left(status: dict[str, Any]) -> float | None:
    """Seconds left by now: those told, less the time since then."""
    left, at = status.get("left"), status.get("at")
    if not isinstance(left, int | float) or not isinstance(at, int | float):
        return None
    return max(0.0, left - (time.time() - at))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.stem}.{suffix}")


def _clear(path: Path) -> None:
    for suffix in ("status.json", "request.json", "stop", "log"):
        _beside(path, suffix).unlink(missing_ok=True)


def _read_status(path: Path) -> dict[str, Any]:
    """The status as written; empty where there is none, or none that can be read."""
    try:
        return read_json(_beside(path, "status.json"))
    except DamagedRunError:
        return {}


def _all_answers(store: RunStore) -> list[Path]:
    """Paths of the answers, of all runs, that have a status file."""
    return [path for run_id in store.ids() for path in _answers_of(store, run_id)]


def _answers_of(store: RunStore, run_id: str) -> list[Path]:
    found = (store.home / run_id / layout.DERIVED).glob("*.status.json")
    return [path.with_name(path.name.removesuffix(".status.json") + ".npz") for path in found]


def _started(status: dict[str, Any]) -> Started | None:
    """The process that a status names as running, whether or not it is alive."""
    pid, created = status.get("pid"), status.get("pid_created")
    if status.get("state") != "running" or not isinstance(created, float):
        return None
    return Started(pid, created) if isinstance(pid, int) and 0 < pid < 2**31 else None
