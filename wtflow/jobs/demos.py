"""The demo images of a store, drawn by a process of their own: begun once, however many ask. Imports no torch.

Two files lie in the hidden folder `.demo` of the store: `status.json` (how far the process is, or why it failed) and
`log.txt`. Once everything that was asked for is drawn, the status is removed; after a failure it stays.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wtflow.datasets.demo.write import DEMO_CATEGORIES, is_demo_complete
from wtflow.errors import DamagedRunError
from wtflow.jobs import processes
from wtflow.jobs.studies import TaskState, is_alive, running_now
from wtflow.permission import changes
from wtflow.store.files import explained, read_json, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

FOLDER = ".demo"


def demo_root(store: RunStore) -> Path:
    """Where the demo images of a store lie once they are drawn."""
    return store.home / "demo"


def demo_state(store: RunStore, categories: Sequence[str] = DEMO_CATEGORIES) -> TaskState:
    """Whether these categories are drawn, being drawn, failed or absent. Opens no image."""
    status = _read_status(store)
    is_there = is_alive(status)
    if not is_there:
        status = _read_status(store)  # it may have written its last status between the two looks
    if is_demo_complete(demo_root(store), categories):
        return TaskState("ready", share=1.0)
    if status.get("state") == "failed":
        return TaskState("failed", message=str(status.get("message", "")), fix=str(status.get("fix", "")))
    if is_there:
        began = float(status.get("began", time.time()))
        return TaskState("running", share=float(status.get("share", 0.0)), seconds=time.time() - began)
    if status.get("state") != "running":
        return TaskState("absent")
    pid = status.get("pid")
    message, first = processes.why_it_ended(pid if isinstance(pid, int) else None, store.home)
    return TaskState("failed", message=message, fix=" ".join(part for part in (first, "Draw the demo again.") if part))


@changes("start processes here")
def draw_demo(store: RunStore, categories: Sequence[str] = DEMO_CATEGORIES) -> None:
    """Start the process, unless these categories are drawn or one is drawing. What failed before is tried again.

    The one that is there may draw others: whoever waits sees it end, and asks again. Raises StoreError, DiskFullError,
    RunBusyError.
    """
    with locked(store):
        if is_alive(_read_status(store)) or is_demo_complete(demo_root(store), categories):
            return
        folder = store.home / FOLDER
        with explained(folder):
            folder.mkdir(exist_ok=True)
            log_of(store).unlink(missing_ok=True)
        processes.launch(
            "wtflow.jobs.demo_worker",
            categories,
            log_of(store),
            store.home,
            lambda started: write_status(store, running_now(started)),
        )


def log_of(store: RunStore) -> Path:
    return store.home / FOLDER / "log.txt"


def write_status(store: RunStore, status: dict[str, Any]) -> None:
    """Replace the status. Raises StoreError, DiskFullError."""
    write_json(_status_of(store), status)


def clear_status(store: RunStore) -> None:
    """Nothing is asked for any more."""
    with locked(store):
        _status_of(store).unlink(missing_ok=True)


def _status_of(store: RunStore) -> Path:
    return store.home / FOLDER / "status.json"


def _read_status(store: RunStore) -> dict[str, Any]:
    """The status as written; empty where there is none, or none that can be read."""
    try:
        return read_json(_status_of(store))
    except DamagedRunError:
        return {}
