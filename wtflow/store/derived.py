"""Results computed from a finished run, kept in its folder `derived/`: named arrays with a few plain facts. Safe to
delete.

A file is named `<what>-<fingerprint>.npz`; the fingerprint covers what was asked and the run's own files, so a file is
right or absent. Images and masks are taken to be those that the run was scored on.
"""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.errors import StoreError
from wtflow.store import layout
from wtflow.store.files import write_arrays
from wtflow.store.runs import RunStore

LIMIT_BYTES = 1_000_000_000
"""Room for derived files per run; beyond it those unused for longest go first."""

Arrays = dict[str, np.ndarray]


def fingerprint(store: RunStore, run_id: str, params: dict[str, Any]) -> str:
    """16 hex digits over the parameters and the run's results and checkpoint as they lie on disk. Raises
    RunNotFoundError.
    """
    folder = store.folder(run_id)
    stamps = []
    for name in (layout.CHECKPOINT, layout.SCORES, layout.MAPS):
        path = folder / name
        facts = path.stat() if path.is_file() else None
        stamps.append([facts.st_size, facts.st_mtime_ns] if facts else None)
    text = json.dumps({"params": params, "files": stamps}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def path_of(store: RunStore, run_id: str, what: str, key: str) -> Path:
    """Where the result `what` (a plain word) with fingerprint `key` lies, whether or not it is there."""
    if not what.isidentifier() or not (key.isalnum() and len(key) <= 64):
        raise StoreError(
            f"{what[:40]!r} with key {key[:40]!r} is no name of a result.", fix="Use the names that the app gives."
        )
    return store.folder(run_id) / layout.DERIVED / f"{what}-{key}.npz"


def read(path: Path) -> tuple[Arrays, dict[str, Any]] | None:
    """Arrays and facts of a derived file, or None where it is absent or not sound; one that is not sound is removed."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(str(arrays.pop("facts")))
    except FileNotFoundError:
        return None
    except Exception:  # cut off, or not ours: NumPy's and zip's readers have a dozen kinds of errors for that
        discard(path)
        return None
    with contextlib.suppress(OSError):  # marks it as used; the time of writing stays, since caches know a file by it
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    return arrays, facts


def discard(path: Path) -> None:
    """Remove a derived file, so that it counts as absent for everyone who looks."""
    with contextlib.suppress(OSError):
        path.unlink()


def write(path: Path, arrays: Arrays, facts: dict[str, Any]) -> None:
    """Write a derived file atomically, after making room for it. Raises DiskFullError, StoreError."""
    _make_room(path.parent, sum(values.nbytes for values in arrays.values()))
    write_arrays(path, arrays | {"facts": np.array(json.dumps(facts, allow_nan=False))})


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
