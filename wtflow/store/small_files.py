"""Small pictures drawn of a run's images, each a JPEG of its own in `derived/small-<fingerprint>/`. Safe to delete.

The fingerprint covers the run's own files, the rest of the name what else a picture is drawn from, so a file is right
or absent. Several processes may fill one folder at once: each file appears whole.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Any

from wtflow.errors import StoreError
from wtflow.permission import in_passing
from wtflow.store import derived, layout
from wtflow.store.files import write_atomic
from wtflow.store.runs import RunStore

PREFIX = "small-"
_DRAWN_FROM = (layout.METRICS, layout.PICTURES, layout.TRUTH)
"""Result files that pictures show, next to those that every derived file depends on: the colour range, what was scored,
and the outlines.
"""
_END_OF_JPEG = b"\xff\xd9"


def folder_of(store: RunStore, run_id: str, params: dict[str, Any]) -> Path:
    """Where the small pictures of a run as it is now lie, whether or not there are any. params: plain values that they
    depend on besides the run's files. Raises RunNotFoundError.
    """
    stamps = []
    for name in _DRAWN_FROM:
        path = store.result_path(run_id, name)
        stat = path.stat() if path.is_file() else None
        stamps.append([stat.st_size, stat.st_mtime_ns] if stat else None)
    key = derived.fingerprint(store, run_id, params | {"drawn_from": stamps})
    return store.folder(run_id) / layout.DERIVED / f"{PREFIX}{key}"


def read_small(path: Path) -> bytes | None:
    """The picture, or None where it is absent or cut off."""
    try:
        encoded = path.read_bytes()
    except OSError:
        return None
    return encoded if encoded.endswith(_END_OF_JPEG) else None


@in_passing()
def keep_small(path: Path, encoded: bytes) -> bool:
    """Write a picture; False where the disk does not take it, which costs speed alone. The first one of a fingerprint
    removes those of all others.
    """
    try:
        if not path.parents[2].is_dir():  # the run has been deleted, and its folder must not come back
            return False
        is_first = not path.parent.is_dir()
        write_atomic(path, lambda file: file.write(encoded), is_flushed=False)
    except (StoreError, OSError):
        return False
    if is_first:
        for other in small_folders(path.parents[2]):
            if other != path.parent:
                shutil.rmtree(other, ignore_errors=True)
    return True


def small_folders(run_folder: Path) -> list[Path]:
    """The folders of small pictures in the folder of a run."""
    with contextlib.suppress(OSError):
        return [path for path in (run_folder / layout.DERIVED).glob(f"{PREFIX}*") if path.is_dir()]
    return []
