"""What a killed process leaves in a store: half-written files, half-deleted and half-made runs.

All of it is hidden and read by nothing; here it is found and removed.

A file that is being written is never older than some minutes, and a folder in use belongs to a process that lives.
"""

import contextlib
import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import psutil

from wtflow.store import layout, passes
from wtflow.store.datasets import DATA, VERSIONS
from wtflow.store.inspections import FOLDER as INSPECTIONS
from wtflow.store.runs import RunStore
from wtflow.store.small_files import small_folders
from wtflow.store.sweeps import FOLDER as SWEEPS

OLD_AFTER_S = 3600.0

_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{8}")
"""As `files.write_atomic` and the feature cache name what they write: `.NAME.` and eight hexadecimal digits."""
_IN_WORK = re.compile(r"\.(?:keeping|(?:deleted|making)-.*)-(?P<pid>[0-9]+)")
"""As folders are named while they are made or deleted: runs, inspections, sweeps, data sets and their versions. The
number is that of the process.
"""


def tidy(store: RunStore) -> None:
    """Remove what killed processes left in the store's own folders. Call it under the store's lock; what cannot be
    removed stays.
    """
    for path in _in_work(store):
        match = _IN_WORK.fullmatch(path.name)
        if match and not _lives(int(match["pid"]), path):
            shutil.rmtree(path, ignore_errors=True)
    old = [path for path in (store.home / layout.CORRECTIONS).glob("*") if _is_old(path)]
    for folder in _folders(store):
        _remove_half_written(folder, OLD_AFTER_S)
    for folder in old:
        with contextlib.suppress(OSError):
            folder.rmdir()  # only an empty one: nothing was ever said there


def tidy_runs(store: RunStore, run_ids: Iterable[str], active: Collection[str]) -> None:
    """The same in the folders of these runs. `active`: runs whose processes live, or that wait for one."""
    places = (Path(layout.CHECKPOINT).parent, layout.DERIVED, layout.TRIED, layout.WHAT_IFS)
    for run_id in run_ids:
        folder = store.home / run_id
        for place in (folder, *(folder / place for place in places), *small_folders(folder)):
            _remove_half_written(place, OLD_AFTER_S)
        if run_id not in active:
            _remove_of_pass(store, run_id)


def tidy_run(store: RunStore, run_id: str) -> None:
    """Remove what a killed worker left in the folder of its run, before the next one begins. Call it under the store's
    lock: whoever else writes there, holds it.
    """
    folder = store.folder(run_id)
    for place in (folder, (folder / layout.CHECKPOINT).parent):
        _remove_half_written(place, 0.0)


def _in_work(store: RunStore) -> Iterator[Path]:
    """Hidden entries of every folder in which folders are made and deleted."""
    data = store.home / DATA
    for folder in (store.home, store.home / INSPECTIONS, store.home / SWEEPS, data, *data.glob(f"*/{VERSIONS}")):
        with contextlib.suppress(OSError):
            yield from list(folder.glob(".*"))


def _folders(store: RunStore) -> Iterator[Path]:
    """Where files are written in one step, besides the folders of runs."""
    yield from (store.home, store.home / layout.CACHE, store.home / layout.READINGS)
    for part in (DATA, INSPECTIONS, SWEEPS, layout.CORRECTIONS):
        found = [path for pattern in ("*", "*/*") for path in (store.home / part).glob(pattern)]
        yield from (path for path in found if path.name != VERSIONS and path.is_dir())


def _remove_half_written(folder: Path, older_than_s: float) -> None:
    with contextlib.suppress(OSError):
        for path in list(folder.glob(".*")):
            if _HALF_WRITTEN.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    if _is_old(path, older_than_s):
                        path.unlink()


def _is_old(path: Path, after_s: float = OLD_AFTER_S) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime >= after_s
    return False


def _remove_of_pass(store: RunStore, run_id: str) -> None:
    """Results of a pass that was complete take their place; those of another one go."""
    folder = store.home / run_id
    if (folder / layout.FRESH).is_dir():
        passes.discard(store, run_id)
    with contextlib.suppress(OSError):
        (folder / layout.RESERVE).unlink(missing_ok=True)


def _lives(pid: int, path: Path) -> bool:
    """Whether the process that made a folder may still be at work: one with its number lives and began before it."""
    try:
        return psutil.Process(pid).create_time() <= path.stat().st_mtime + 1.0
    except (psutil.NoSuchProcess, OSError):
        return False
    except psutil.AccessDenied:
        return True
