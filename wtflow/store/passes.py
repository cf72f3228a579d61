"""One pass over a run: its results are written aside and take the place of the old ones all at once.

A pass writes into the folder `.fresh` of the run. When everything is there, one small file, `complete.json`, names what
the pass wrote. From that moment on the new results count, wherever the process ends: files that are still in `.fresh`
are read there (`ResultFiles.result_path`), and whoever comes next under the store's lock moves the rest (`settle`).
Until that moment the old results count, and nothing has touched them.

A new kind of result needs its name in `layout.RESULTS`, and a writer that writes to `result_path`. It may be a folder.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Any

from wtflow.errors import WTFlowError
from wtflow.store import layout
from wtflow.store.files import explained, write_json
from wtflow.store.result_files import names_in_pass
from wtflow.store.runs import RunStore


class FreshResults(RunStore):
    """The results of a pass that is not complete: read and written in `.fresh`."""

    def result_path(self, run_id: str, name: str) -> Path:
        return self.folder(run_id) / layout.FRESH / name


def begin(store: RunStore, run_id: str) -> FreshResults:
    """Where a new pass writes its results: empty. Raises StoreError, DiskFullError."""
    settle(store, run_id)
    fresh = store.folder(run_id) / layout.FRESH
    with explained(fresh):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
    return FreshResults(store.home)


def publish(fresh: FreshResults, run_id: str, metrics: dict[str, Any]) -> None:
    """Let the results of a pass take the place of the old ones. `metrics` is written last, with the names of all files
    under `files`. Raises StoreError, DiskFullError; then the old results still count.
    """
    folder = fresh.folder(run_id) / layout.FRESH
    names = [name for name in (*layout.TRAINED, *layout.RESULTS) if (folder / name).exists()]
    results = sorted({*names, layout.METRICS} - set(layout.TRAINED))
    fresh.write_metrics(run_id, metrics | {"files": results})
    write_json(folder / layout.COMPLETE, {"names": sorted({*names, layout.METRICS})})
    settle(fresh, run_id)


def settle(store: RunStore, run_id: str) -> None:
    """Move what a complete pass left in `.fresh` to its place. Does nothing where no pass is complete. Call it under
    the store's lock, or as the process that has the run. Raises StoreError.
    """
    folder = store.folder(run_id)
    fresh = folder / layout.FRESH
    names = names_in_pass(fresh)
    if names is None:
        return
    with explained(folder):
        for name in (*layout.TRAINED, *layout.RESULTS):
            if (fresh / name).exists():
                _remove(folder / name, only_folders=True)
                (folder / name).parent.mkdir(exist_ok=True)
                (fresh / name).replace(folder / name)
            elif name in layout.RESULTS and name not in names:
                _remove(folder / name)
        (folder / layout.BEFORE).unlink(missing_ok=True)
        (fresh / layout.COMPLETE).unlink()
        shutil.rmtree(fresh, ignore_errors=True)


def discard(store: RunStore, run_id: str) -> None:
    """Remove what a pass that ended early left. Call it while no process has the run."""
    with contextlib.suppress(WTFlowError, OSError):
        settle(store, run_id)
        shutil.rmtree(store.folder(run_id) / layout.FRESH, ignore_errors=True)


def _remove(path: Path, *, only_folders: bool = False) -> None:
    """Remove a file or folder; `only_folders`: a file stays, since it is replaced in one step."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif not only_folders:
        path.unlink(missing_ok=True)
