"""Data sets made here, below the folder `data` of the store: where their files lie, and their manifests.

data/NAME/
    manifest.json            every image with its label and where it came from; replaced atomically under the store's
                             lock
    originals/ID.EXT         the images as they came, copied or linked, never changed
    masks/ID.png             0 and 255, at the size of the image
    versions/N/NAME/         what runs read, in the MVTec AD layout: hard links, or copies
    versions/N/version.json  the images of this version, written once

Every write is one change to the newest manifest. Whoever passes the serial that they saw learns when somebody else
changed the same images meanwhile; nothing is lost in silence.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from wtflow.errors import ChangedMeanwhileError, DamagedDataSetError, DamagedRunError, DatasetError
from wtflow.numbers import count
from wtflow.permission import changes
from wtflow.records.core import IMAGE_SUFFIXES
from wtflow.records.intake import DataSet, Event, Item
from wtflow.store.dataset_names import check_set_name, check_type_name, spelt_alike
from wtflow.store.files import explained, is_moved, read_json, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

DATA = "data"
MANIFEST = "manifest.json"
ORIGINALS = "originals"
MASKS = "masks"
VERSIONS = "versions"
VERSION = "version.json"
SCHEMA = 1
MOST_EVENTS = 500
"""Lines of history that are kept, the newest ones."""
_HASH = re.compile("[0-9a-f]{64}")
_ITEMS = TypeAdapter(list[Item])


def data_home(store: RunStore) -> Path:
    """The folder below which all data sets of a store lie."""
    return store.home / DATA


def folder_of(store: RunStore, name: str) -> Path:
    """The folder of a data set. Raises DatasetError for a name that is none, or of which there is no set."""
    folder = data_home(store) / check_set_name(name)
    if not (folder / MANIFEST).is_file():
        raise DatasetError(
            f"There is no data set {name!r} in {data_home(store)}.",
            fix=f"Make it: python -m wtflow new {name} --good FOLDER.",
        )
    return folder


def original_of(store: RunStore, name: str, item: Item) -> Path:
    """Where the file of an image lies."""
    return data_home(store) / name / ORIGINALS / f"{item.id}{item.suffix}"


def mask_of(store: RunStore, name: str, item: Item) -> Path:
    """Where the mask of an image lies, or would lie."""
    return data_home(store) / name / MASKS / f"{item.id}.png"


def set_names(store: RunStore) -> tuple[str, ...]:
    """The data sets of a store, sorted."""
    home = data_home(store)
    with explained(home):
        if not home.is_dir():
            return ()
        shown = (path for path in home.iterdir() if not path.name.startswith("."))  # hidden: being made or deleted
        return tuple(sorted(path.name for path in shown if (path / MANIFEST).is_file()))


@changes("bring images")
def create_set(store: RunStore, name: str, *, seed: int = 0, test_share: float = 0.3, origin: str = "") -> DataSet:
    """An empty data set. origin: the folder that it is a copy of. Raises DatasetError for a name that is not valid or
    taken, also in other capitals, and for a share that is none.
    """
    name = check_set_name(name)
    _check_share(test_share)
    with locked(store):
        folder = data_home(store) / name
        if taken := spelt_alike(name, set_names(store)):
            raise DatasetError(
                f"There is a data set {taken!r} already.",
                fix=f"Add to it (python -m wtflow new {taken} --add), or choose another name.",
            )
        made = _with_event(DataSet(name, seed=seed, test_share=test_share, origin=origin, serial=1), "Made.")
        making = folder.with_name(f".making-{name}-{os.getpid()}")
        try:  # in a hidden folder first: killed on the way, nothing of it stays
            _fill(making, made)
            if not is_moved(making, folder):
                _fill(folder, made)  # a folder of this name is there, and holds no data set
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return made


def open_set(store: RunStore, name: str) -> DataSet:
    """A data set as it is now. Raises DatasetError where there is none, DamagedDataSetError."""
    folder = folder_of(store, name)
    path = folder / MANIFEST
    try:
        values = read_json(path)
        if values.get("schema_version") != SCHEMA:
            raise ValueError(f"it has schema {values.get('schema_version')}, and this version reads {SCHEMA}")
        found = DataSet(
            name=folder.name,
            items={item.id: _sound(item) for item in _ITEMS.validate_python(values["items"])},
            seed=int(values["seed"]),
            test_share=float(values["test_share"]),
            next_version=int(values["next_version"]),
            history=tuple(Event(float(one["date"]), str(one["words"])) for one in values["history"]),
            apart=frozenset((str(first), str(second)) for first, second in values["apart"]),
            serial=int(values["serial"]),
            origin=str(values.get("origin", "")),
        )
        _check_share(found.test_share)
    except (DamagedRunError, DatasetError, ValidationError, KeyError, TypeError, ValueError) as error:
        why = error.message if isinstance(error, DamagedRunError | DatasetError) else first_line(error)
        raise DamagedDataSetError(
            f"{MANIFEST} of the data set {name} cannot be read ({why.rstrip('.')}).",
            fix=f"It is never overwritten. Restore {path}; its images and versions are untouched.",
        ) from error
    newest = max(numbers_in(folder), default=0)
    return replace(found, next_version=max(found.next_version, newest + 1))


def change_set(
    store: RunStore,
    name: str,
    change: Callable[[DataSet], DataSet],
    words: str = "",
    *,
    seen: int | None = None,
    ids: Iterable[str] | None = None,
) -> DataSet:
    """Make one change to the newest state and return it. words: its line of history, none where they are empty.

    seen: the serial of the state that the change was decided on. Where one of these ids (None: any image) was changed
    since by somebody else, nothing is written. Raises ChangedMeanwhileError, DamagedDataSetError, DatasetError,
    DiskFullError.
    """
    with locked(store):
        old = open_set(store, name)
        if seen is not None and old.serial != seen:
            _refuse_late(old, seen, None if ids is None else set(ids))
        fresh = change(old)
        if fresh == old:
            return old
        serial = old.serial + 1
        items = {
            key: item if old.items.get(key) == item else replace(item, changed=serial)
            for key, item in fresh.items.items()
        }
        fresh = replace(fresh, items=items, serial=serial)
        fresh = _with_event(fresh, words) if words else fresh
        _write(data_home(store) / name, fresh)
    return fresh


def numbers_in(folder: Path) -> tuple[int, ...]:
    """The versions below the folder of a data set, rising."""
    versions = folder / VERSIONS
    with explained(versions):
        found = [path for path in versions.iterdir() if path.name.isdecimal()] if versions.is_dir() else []
    return tuple(sorted(int(path.name) for path in found if (path / VERSION).is_file()))


def delete_set(store: RunStore, name: str) -> None:
    """Remove a data set for good, with all its versions. Whoever calls looks first whether runs use it."""
    with locked(store):
        remove_folder(folder_of(store, name))


# -- inside ------------------------------------------------------------------------------------------------------------


def _refuse_late(old: DataSet, seen: int, ids: set[str] | None) -> None:
    late = [item for item in old.items.values() if item.changed > seen and (ids is None or item.id in ids)]
    gone = 0 if ids is None else len(ids - set(old.items))
    if late or gone or ids is None:
        n = len(late) + gone
        what = f"{count(n, 'image')} of {old.name}" if n else f"The data set {old.name}"
        raise ChangedMeanwhileError(
            f"{what} {'was' if n < 2 else 'were'} changed in another window meanwhile, so nothing was written.",
            fix="Look at the images as they are now, then say it again.",
        )


def _sound(item: Item) -> Item:
    """The same item. Raises ValueError, DatasetError where a field that names a file or folder could lead elsewhere."""
    if not (_HASH.fullmatch(item.sha256) and (not item.mask or _HASH.fullmatch(item.mask))):
        raise ValueError(f"{item.sha256[:40]!r} is no content hash")
    if item.suffix not in IMAGE_SUFFIXES:
        raise ValueError(f"{item.suffix[:20]!r} is no ending of an image")
    kept = item.kept_name
    if kept and (set(kept) & set("/\\\0") or kept.startswith(".") or not kept.lower().endswith(IMAGE_SUFFIXES)):
        raise ValueError(f"{item.kept_name[:80]!r} is no name of an image")
    if item.label == "defect":
        check_type_name(item.defect)
    elif item.defect:
        raise ValueError(f"{item.name[:80]!r} is {item.label} and has a type of defect")
    return item


def _fill(folder: Path, data: DataSet) -> None:
    with explained(folder):
        for part in (ORIGINALS, MASKS, VERSIONS):
            (folder / part).mkdir(parents=True, exist_ok=True)
    _write(folder, data)


def _write(folder: Path, data: DataSet) -> None:
    values: dict[str, Any] = {
        "schema_version": SCHEMA,
        "name": data.name,
        "serial": data.serial,
        "seed": data.seed,
        "test_share": data.test_share,
        "next_version": data.next_version,
        "origin": data.origin,
        "apart": sorted(map(list, data.apart)),
        "history": [asdict(event) for event in data.history],
        "items": [asdict(item) for item in data.items.values()],
    }
    write_json(folder / MANIFEST, values)


def _with_event(data: DataSet, words: str) -> DataSet:
    return replace(data, history=(*data.history, Event(time.time(), words))[-MOST_EVENTS:])


def _check_share(share: float) -> None:
    if not 0 <= share < 1:
        raise DatasetError(
            f"{share} is no share of good images to test on.", fix="Give a number from 0 to below 1, such as 0.3."
        )


@changes("delete data sets")
def remove_folder(folder: Path) -> None:
    """Delete a folder for good. It is renamed first, so that a half-deleted one is never listed."""
    grave = folder.with_name(f".deleted-{folder.name}-{os.getpid()}")
    with explained(folder):
        shutil.rmtree(grave, ignore_errors=True)
        folder.rename(grave)
        shutil.rmtree(grave)


def first_line(error: Exception) -> str:
    """What is wrong with values that were read, in a line."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg']}"
    return (str(error).splitlines() or [type(error).__name__])[0]
