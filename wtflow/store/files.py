"""Files written so that a crash leaves either the old or the new one, and errors of the disk in plain sentences."""

import contextlib
import errno
import json
import os
import uuid
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np

from wtflow.errors import DamagedRunError, DiskFullError, ReadOnlyError, StoreError
from wtflow.machine import systems
from wtflow.permission import need_train


@contextlib.contextmanager
def explained(path: Path) -> Generator[None, None, None]:
    """Turn the system's errors about `path` into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space left while writing {path.name} in {path.parent}.",
                fix=(
                    "Free some space, clear the feature cache (python -m wtflow cache --clear), or set WTFLOW_HOME to"
                    " another disk; then resume."
                ),
            ) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            reason = "permission denied" if isinstance(error, PermissionError) else "the disk is read-only"
            raise ReadOnlyError(
                f"{path} cannot be written: {reason}.", fix="Set WTFLOW_HOME to a folder you may write to."
            ) from error
        raise StoreError(
            f"{path} cannot be read or written ({error.strerror}).",
            fix="Check the disk and the folder, then try again.",
        ) from error


def write_atomic(
    path: Path, write: Callable[[BinaryIO], Any], *, is_flushed: bool = True, is_private: bool = False
) -> None:
    """Let `write` fill a new file next to `path`, flush it to the disk, and rename it to `path` in one step. Without
    flushing, which waits for the disk, a power cut may leave a file that is cut off: for what can be made again.
    is_private: no other user of this computer may read it, from its first byte on (Windows: the folder's rights hold).
    """
    need_train("change anything")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            with _opened(fresh, is_private=is_private) as file:
                write(file)
                file.flush()
                if is_flushed:
                    os.fsync(file.fileno())
            systems.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)


def _opened(path: Path, *, is_private: bool) -> BinaryIO:
    """A new file, open for writing."""
    if not is_private:
        return path.open("wb")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # Windows translates line ends otherwise
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def is_moved(folder: Path, final: Path) -> bool:
    """Give a finished folder its name in one step; False where another one has that name, and nothing is changed.
    Raises StoreError, DiskFullError.
    """
    with explained(final):
        try:
            folder.rename(final)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            return False
    return True


def write_json(path: Path, value: Any, *, is_private: bool = False) -> None:
    """Write a JSON object atomically; not-a-number is refused, since other programs cannot read it."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_atomic(path, lambda file: file.write(text.encode()), is_private=is_private)


def write_array(path: Path, values: np.ndarray) -> None:
    """Write a .npy file atomically."""
    # Given a real file, NumPy bypasses Python when it writes, and an error of the disk arrives without its reason.
    write_atomic(path, lambda file: np.save(SimpleNamespace(write=file.write), values, allow_pickle=False))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, is_compressed: bool = False) -> None:
    """Write named arrays as one .npz file atomically."""
    named: dict[str, Any] = dict(arrays)
    save = np.savez_compressed if is_compressed else np.savez
    write_atomic(path, lambda file: save(file, **named))


def read_records(
    folder: Path, read: Callable[[Path], dict[str, Any]], damaged: Callable[[DamagedRunError], None] | None
) -> list[dict[str, Any]]:
    """What `read` makes of each JSON file in a folder that may be absent, the last `kept` first.

    damaged: is told of each file that is not valid, which is then left out; without it the first one is raised as
    DamagedRunError.
    """
    found = []
    for path in folder.glob("*.json") if folder.is_dir() else ():
        try:
            found.append(read(path))
        except DamagedRunError as error:
            if damaged is None:
                raise
            damaged(error)
    return sorted(found, key=lambda record: record["kept"], reverse=True)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises DamagedRunError when the file is absent, cut off, or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DamagedRunError(
            f"{path.name} is missing in {path.parent.name}.", fix="Delete the run, or restore the file."
        ) from error
    except (ValueError, RecursionError, OSError) as error:
        raise DamagedRunError(
            f"{path.name} in {path.parent.name} cannot be read ({error}).", fix="Delete the run, or restore the file."
        ) from error
    if not isinstance(value, dict):
        raise DamagedRunError(
            f"{path.name} in {path.parent.name} is not a JSON object.", fix="Delete the run, or restore the file."
        )
    return value
