"""Results computed from a finished run, kept in its folder `derived/`: named arrays and a few plain values.
Safe to delete.

A file is named `<what>-<fingerprint>.npz`. The fingerprint covers the request and the run's own files, so a file is
right or absent. Images and masks are assumed to be those that the run was scored on.
"""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.errors import ReadOnlyError, StoreError
from wtflow.permission import in_passing
from wtflow.store import layout
from wtflow.store.files import write_arrays
from wtflow.store.runs import RunStore

LIMIT_BYTES = 1_000_000_000
"""Room for derived files per run; beyond it the files unused for longest are deleted."""

MARKED_EVERY_S = 3600
"""How exactly it is known when a file was used last: what goes first is what nobody asked for in hours."""

Arrays = dict[str, np.ndarray]
MOST_UNWRITTEN = 8
_UNWRITTEN: dict[Path, tuple[Arrays, dict[str, Any]]] = {}
"""Results for folders that may not be written to: kept in memory while this process lives, the latest few."""

_VALUES = "facts"
"""Under this name the plain values lie in the file, as JSON text."""


def fingerprint(store: RunStore, run_id: str, params: dict[str, Any]) -> str:
    """16 hex digits over the parameters and the run's results and checkpoint as they lie on disk.
    Raises RunNotFoundError.
    """
    stamps = []
    for name in (layout.CHECKPOINT, layout.SCORES, layout.MAPS):
        path = store.result_path(run_id, name)
        stat = path.stat() if path.is_file() else None
        stamps.append([stat.st_size, stat.st_mtime_ns] if stat else None)
    text = json.dumps({"params": params, "files": stamps}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def path_of(store: RunStore, run_id: str, what: str, key: str) -> Path:
    """Where the result `what` (a plain word) with fingerprint `key` lies, whether or not it exists."""
    if not what.isidentifier() or not (key.isalnum() and len(key) <= 64):
        raise StoreError(
            f"{what[:40]!r} with key {key[:40]!r} is not the name of a result.", fix="Use a name that the app made."
        )
    return store.folder(run_id) / layout.DERIVED / f"{what}-{key}.npz"


def read(path: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Arrays and values of a derived file, or None where it is absent or damaged; a damaged one is removed."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        values = json.loads(str(arrays.pop(_VALUES)))
    except FileNotFoundError:
        return _UNWRITTEN.get(path)
    except Exception:  # cut off, or not ours: NumPy and zip raise a dozen kinds of errors
        discard(path)
        return None
    with contextlib.suppress(OSError):
        _mark_as_used(path)
    return arrays, values


def _mark_as_used(path: Path) -> None:
    """Note the time of use, for `_make_room`. Seldom, because caches take what this changes for another file."""
    found, now = path.stat(), time.time_ns()
    if now - found.st_atime_ns > 1e9 * MARKED_EVERY_S:
        os.utime(path, ns=(now, found.st_mtime_ns))


def discard(path: Path) -> None:
    """Remove a derived file, so that it counts as absent."""
    with contextlib.suppress(OSError):
        path.unlink()


@in_passing()
def write(path: Path, arrays: Arrays, values: dict[str, Any]) -> None:
    """Write a derived file atomically, after making room for it; where the folder may not be written to, `read` finds
    it in memory. Raises DiskFullError, StoreError.
    """
    _make_room(path.parent, sum(array.nbytes for array in arrays.values()))
    text = json.dumps(values, allow_nan=False)
    try:
        write_arrays(path, arrays | {_VALUES: np.array(text)})
    except ReadOnlyError:
        _UNWRITTEN[path] = arrays, json.loads(text)
        while len(_UNWRITTEN) > MOST_UNWRITTEN:
            _UNWRITTEN.pop(next(iter(_UNWRITTEN)))


def _make_room(folder: Path, n_bytes: int) -> None:
    files = []
    for path in folder.glob("*.npz"):
        with contextlib.suppress(FileNotFoundError):  # another process may be making room, too
            files.append((path.stat().st_atime_ns, path.stat().st_size, path))
    used = sum(size for _, size, _ in files)
    for _, size, path in sorted(files, key=lambda item: item[0]):
        if used + n_bytes <= LIMIT_BYTES:
            return
        discard(path)
        used -= size
