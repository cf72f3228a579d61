"""Sweeps on disk, one folder each below `sweeps/` of the store. Nothing here starts or stops a process.

sweeps/NAME/
    manifest.json    categories, seeds, settings, and the run of every cell that was begun; replaced atomically under
                     the store's lock
    status.json      how it stands, as its coordinator writes it; replaced atomically
    log.txt          the coordinator's output
    stop             present = please stop
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wtflow.config import OLD_DEFAULTS, Settings
from wtflow.errors import DamagedRunError, DatasetError, RunNotFoundError, SettingsError, StoreError
from wtflow.permission import changes
from wtflow.records.sweep import Combination, Sweep, SweepCategory, SweepStatus, Way
from wtflow.store import layout
from wtflow.store.dataset_names import spelt_alike, why_no_name
from wtflow.store.files import explained, is_moved, read_json, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

FOLDER = "sweeps"
MANIFEST, STATUS = "manifest.json", "status.json"
SCHEMA = 1

_CATEGORIES = TypeAdapter(tuple[SweepCategory, ...])
_STATUS = TypeAdapter(SweepStatus)
_WAY = TypeAdapter(Way)
_SEEDS = TypeAdapter(tuple[int, ...])
_RUNS = TypeAdapter(dict[str, str])


def folder_of(store: RunStore, name: str) -> Path:
    """The folder of a sweep. Raises RunNotFoundError, for text that is no name as well."""
    if not why_no_name(name):
        folder = store.home / FOLDER / name
        if (folder / MANIFEST).is_file():
            return folder
    known = names(store)
    raise RunNotFoundError(
        f"There is no sweep {str(name)[:80]!r} in {store.home}.",
        fix=f"Sweeps there are: {', '.join(known[:20])}." if known else "Start one: python -m wtflow sweep ROOT.",
    )


def names(store: RunStore) -> list[str]:
    """All sweeps, the newest first. Raises StoreError."""
    home = store.home / FOLDER
    with explained(home):
        if not home.is_dir():
            return []
        shown = (path for path in home.iterdir() if not path.name.startswith("."))  # hidden: being made
        found = [path for path in shown if (path / MANIFEST).is_file()]
        return [path.name for path in sorted(found, key=lambda path: (_made(path), path.name), reverse=True)]


def runs_of_all(store: RunStore) -> frozenset[str]:
    """Ids of the runs that any sweep has begun; one that cannot be read counts as having none. Raises StoreError."""
    found: set[str] = set()
    for name in names(store):
        with contextlib.suppress(DamagedRunError, RunNotFoundError):
            found.update(read(store, name).runs.values())
    return frozenset(found)


def free_name(store: RunStore, stem: str) -> str:
    """The first of `stem-1`, `stem-2` and so on that no sweep has; `sweep` where the stem is no name."""
    stem = "sweep" if why_no_name(stem) or len(stem) > 40 else stem
    taken, n = names(store), 1
    while spelt_alike(f"{stem}-{n}", taken):
        n += 1
    return f"{stem}-{n}"


@changes("start or stop trainings")
def create(store: RunStore, sweep: Sweep) -> None:
    """Write a new sweep. Raises SettingsError for a name that is none or taken."""
    if why := why_no_name(sweep.name):
        raise SettingsError(
            f"{sweep.name[:80]!r} cannot name a sweep: {why}.", fix="Give letters, digits, hyphens or underscores."
        )
    with locked(store):
        if taken := spelt_alike(sweep.name, names(store)):
            raise SettingsError(
                f"There is a sweep {taken!r} already.", fix="Name another, or extend this one with its own name."
            )
        folder = store.home / FOLDER / sweep.name
        making = folder.with_name(f".making-{sweep.name}-{os.getpid()}")
        try:  # in a hidden folder first: killed on the way, nothing of it stays
            _write(making, sweep)
            if not is_moved(making, folder):
                _write(folder, sweep)  # a folder of this name is there, and holds no sweep
        finally:
            shutil.rmtree(making, ignore_errors=True)


def read(store: RunStore, name: str) -> Sweep:
    """A sweep as it is now. Raises RunNotFoundError, DamagedRunError."""
    path = folder_of(store, name) / MANIFEST
    values = read_json(path)
    try:
        if values.get("schema_version") != SCHEMA:
            raise ValueError(f"it has schema {values.get('schema_version')}, and this version reads {SCHEMA}")
        return Sweep(
            name=name,
            created=float(values["created"]),
            preset=str(values["preset"]),
            fixed=dict(values["fixed"]),
            vary={key: tuple(map(_plain, found)) for key, found in values["vary"].items()},
            seeds=_SEEDS.validate_python(values["seeds"]),
            categories=_CATEGORIES.validate_python(values["categories"]),
            combinations=tuple(
                Combination(
                    {key: _plain(value) for key, value in one["varied"].items()},
                    Settings(**(OLD_DEFAULTS | one["settings"])),
                )
                for one in values["combinations"]
            ),
            way=_WAY.validate_python(values["way"]),
            runs={key: run for key, run in _RUNS.validate_python(values["runs"]).items() if layout.is_run_id(run)},
            serial=int(values["serial"]),
        )
    except (ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedRunError(
            f"{MANIFEST} of the sweep {name} cannot be read ({str(error).splitlines()[0]}).",
            fix=f"Restore {path}; its runs are untouched.",
        ) from error


@changes("start or stop trainings")
def change(store: RunStore, name: str, changed: Callable[[Sweep], Sweep]) -> Sweep:
    """Make one change to what a sweep consists of, and return the newest state. Raises as `read`."""
    with locked(store):
        old = read(store, name)
        fresh = changed(old)
        if fresh != old:
            fresh = replace(fresh, serial=old.serial + 1)
            _write(store.home / FOLDER / name, fresh)
    return fresh


def note_run(store: RunStore, name: str, key: str, run_id: str) -> None:
    """Write down which run was begun for a cell. The caller holds the store's lock."""
    old = read(store, name)
    _write(store.home / FOLDER / name, replace(old, runs={**old.runs, key: run_id}))


def stamp(store: RunStore, name: str) -> tuple[int, int]:
    """Changes whenever the manifest is written."""
    found = (folder_of(store, name) / MANIFEST).stat()
    return found.st_mtime_ns, found.st_ino


@changes("start or stop trainings")
def delete(store: RunStore, name: str) -> None:
    """Forget a sweep; its runs stay."""
    with locked(store):
        folder = folder_of(store, name)
        hidden = folder.with_name(f".deleted-{name}-{os.getpid()}")
        with explained(folder):
            folder.rename(hidden)  # gone in one step
            shutil.rmtree(hidden)


def read_status(store: RunStore, name: str) -> SweepStatus:
    """As it was written last; `new` before the first coordinator. Raises DamagedRunError."""
    path = folder_of(store, name) / STATUS
    if not path.is_file():
        return SweepStatus("new")
    try:
        return _STATUS.validate_python(read_json(path))
    except ValidationError as error:
        raise DamagedRunError(f"{STATUS} of the sweep {name} is not valid.", fix=f"Delete {path}.") from error


def write_status(store: RunStore, name: str, status: SweepStatus) -> None:
    write_json(folder_of(store, name) / STATUS, asdict(status))


@changes("start or stop trainings")
def request_stop(store: RunStore, name: str) -> None:
    path = folder_of(store, name) / layout.STOP
    with explained(path):
        path.touch()


@changes("start or stop trainings")
def clear_stop(store: RunStore, name: str) -> None:
    path = folder_of(store, name) / layout.STOP
    with explained(path):
        path.unlink(missing_ok=True)


def is_stop_asked(store: RunStore, name: str) -> bool:
    return (folder_of(store, name) / layout.STOP).exists()


def log_of(store: RunStore, name: str) -> Path:
    return folder_of(store, name) / layout.LOG


# -- inside ------------------------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """Lists of JSON as the tuples that settings hold."""
    return tuple(value) if isinstance(value, list) else value


def _made(folder: Path) -> float:
    try:
        return float(read_json(folder / MANIFEST).get("created", 0.0))
    except (StoreError, DatasetError, TypeError, ValueError):
        return 0.0


def _write(folder: Path, sweep: Sweep) -> None:
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / MANIFEST,
        {
            "schema_version": SCHEMA,
            "name": sweep.name,
            "created": sweep.created,
            "serial": sweep.serial,
            "preset": sweep.preset,
            "fixed": dict(sweep.fixed),
            "vary": {key: list(found) for key, found in sweep.vary.items()},
            "seeds": list(sweep.seeds),
            "categories": [asdict(one) | {"reading": one.reading.model_dump(mode="json")} for one in sweep.categories],
            "combinations": [
                {"varied": dict(one.varied), "settings": one.settings.model_dump(mode="json")}
                for one in sweep.combinations
            ],
            "way": asdict(sweep.way),
            "runs": dict(sweep.runs),
        },
    )
