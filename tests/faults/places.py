"""Stores that faults are tried on: small, made once, copied. What counts as the same, and what as left behind."""

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout
from run_folders import tiny_settings, write_tiny_category

from faults.outcome import check
from wtflow.config import Settings
from wtflow.errors import WTFlowError
from wtflow.jobs import processes, trainings
from wtflow.records.core import RunStatus
from wtflow.scoring.detector import load_tensors
from wtflow.store import layout, leftovers
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

PATIENCE_S = 600.0
"""Longest wait for a state, on a machine with much else to do; what takes longer hangs."""
OLD_S = 2 * leftovers.OLD_AFTER_S
LOCK = ".lock"
INDEX = {f"{layout.RUNS_INDEX}{end}" for end in ("", "-wal", "-shm", "-journal")}
"""Made again from the folders whenever it is gone."""
OF_THE_STORE = INDEX | {
    layout.CACHE,
    layout.READINGS,
    layout.GRAPHS,
    layout.PACE,
    layout.OPENED,
    layout.LOCKS,
    LOCK,
    ".demo",
}
"""Hidden names that are there to stay."""
KEPT_EMPTY = {
    layout.CACHE,
    layout.READINGS,
    layout.GRAPHS,
    layout.DERIVED,
    layout.WHAT_IFS,
    "checkpoints",
    "corrections",
}
"""Folders that a store has whether or not anything lies in them."""


def images(folder: Path, *names: str) -> Path:
    """A folder with small categories."""
    for name in names or ("plate",):
        write_tiny_category(folder, name)
    return folder


def small(**changes: Any) -> Settings:
    """Settings of a training that is over in a second or two and writes checkpoints as it goes."""
    return tiny_settings(**{"iterations": 1000, "checkpoint_every_s": 0.5} | changes)


def wait_until_over(store: RunStore, run_id: str, patience_s: float = PATIENCE_S) -> RunStatus:
    """Poll as the pages do until a run is no longer active. Raises AssertionError for one that hangs."""
    end = time.monotonic() + patience_s
    while True:
        trainings.reconcile(store)
        status = trainings.live_status(store, run_id)
        if not status.is_active:
            return status
        check(time.monotonic() < end, f"still {status.state} at {status.stage} after {patience_s:.0f} s")
        time.sleep(0.005)


def figures(store: RunStore, run_id: str) -> str:
    """A digest of all that a training is for: its weights, maps and scores bit by bit, and its metrics."""
    digest = hashlib.sha256()
    for name, value in sorted(
        load_tensors(store.result_path(run_id, layout.CHECKPOINT), ("velocity.", "normaliser.")).items()
    ):
        digest.update(name.encode() + value.numpy().tobytes())
    digest.update(store.maps(run_id).tobytes())
    table = store.scores(run_id)
    digest.update(table.to_json(double_precision=15).encode())
    digest.update(table.score.to_numpy().tobytes())
    digest.update(repr(sorted(store.metrics(run_id)["metrics"].items())).encode())
    return digest.hexdigest()[:16]


def contents(folder: Path) -> dict[str, str]:
    """Path below a folder -> digest, of every file; empty folders end with a slash. Locks are not contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_dir():
            if not any(path.iterdir()) and path.name not in KEPT_EMPTY:
                found[f"{name}/"] = ""
        elif path.is_file() and path.name not in INDEX | {LOCK} and path.parent.name != layout.LOCKS:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return found


def copied(source: Path, target: Path) -> RunStore:
    """A store of one's own with the same contents."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return RunStore(target)


def tidied(store: RunStore) -> None:
    """Two hours later: the app has removed what killed processes left, as it does once an hour."""
    past = time.time() - OLD_S
    for path in store.home.rglob("*"):
        if path.parent.name == layout.CORRECTIONS or any(
            part.startswith(".") for part in path.relative_to(store.home).parts
        ):
            with contextlib.suppress(OSError):
                os.utime(path, (past, past), follow_symlinks=False)
    with locked(store):  # as `reconcile` does, without starting what waits
        leftovers.tidy(store)
        leftovers.tidy_runs(store, store.ids(), [one for one in store.ids() if _is_active(store, one)])


def _is_active(store: RunStore, run_id: str) -> bool:
    try:
        return trainings.live_status(store, run_id).is_active
    except WTFlowError:
        return True  # unknown


def half_written(store: RunStore) -> list[str]:
    """Hidden files and folders of a store that are no part of it: what was being written, made or deleted."""
    known = OF_THE_STORE
    found = []
    for path in store.home.rglob(".*"):
        parts = path.relative_to(store.home).parts
        if path.name in known or any(part.startswith(".") and part not in known for part in parts[:-1]):
            continue
        found.append("/".join(parts))
    return found


def is_locked(store: RunStore) -> bool:
    """Whether the store's lock is still held."""
    if not store.home.is_dir():
        return False
    lock = FileLock(store.home / LOCK)
    try:
        lock.acquire(timeout=5)
    except Timeout:
        return True
    lock.release()
    return False


def children(patience_s: float = 60.0) -> list[str]:
    """Processes that this one started and that are still there, zombies, too, once those had time to end that only
    leave: a worker writes its last word before it does.
    """
    end = time.monotonic() + patience_s
    while (found := _children()) and time.monotonic() < end:
        processes.reap()
        time.sleep(0.1)
    return found


def _children() -> list[str]:
    found = []
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found.append(f"process {one.pid} ({one.status()}): {' '.join(one.cmdline())[:80]}")
    return found


def left_in(store: RunStore) -> list[str]:
    """All that a round may have left in a store after the app has tidied up."""
    tidied(store)
    return half_written(store) + (["the store's lock is held"] if is_locked(store) else [])
