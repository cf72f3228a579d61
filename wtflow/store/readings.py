"""How a person said that each data set is to be read: one JSON file per data set, beside the runs, because the folder
of images may be read-only.

Every write replaces the file in one step, under the store's lock.
"""

import hashlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from wtflow.errors import DamagedRunError, StoreError
from wtflow.permission import changes
from wtflow.records.reading import Reading
from wtflow.store import layout
from wtflow.store.files import explained, read_json, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore


class _Stored(BaseModel):
    """One file. `root` and `category` are for people who look into it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: str
    category: str
    reading: Reading


def reading_of(store: RunStore, root: Path, category: str) -> Reading:
    """What was said about a data set; as found where nobody said anything. Raises StoreError for a damaged file."""
    folder = store.home / layout.READINGS
    with explained(folder):
        if not folder.is_dir():  # nothing was ever said, so nothing about the images' disk has to be asked
            return Reading()
        path = _path(store, root, category)
        if not path.exists():
            return Reading()
    try:
        return _Stored.model_validate(read_json(path)).reading
    except (ValidationError, DamagedRunError) as error:
        raise StoreError(
            f"{path} cannot be read, so it is unknown how {category} is to be read.",
            fix="Restore the file, or delete it and say again how the data set is to be read.",
        ) from error


@changes("say how images are read")
def keep_reading(store: RunStore, root: Path, category: str, reading: Reading) -> None:
    """Remember what was said about a data set; as found removes the file.
    Raises RunBusyError, DiskFullError, StoreError.
    """
    path = _path(store, root, category)
    with locked(store), explained(path):
        if reading.is_as_found:
            path.unlink(missing_ok=True)
        else:
            write_json(path, _Stored(root=str(root), category=category, reading=reading).model_dump(mode="json"))


def _path(store: RunStore, root: Path, category: str) -> Path:
    """One folder of images has one file, by whichever link or relative path it was named."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(root / category))).hexdigest()[:16]
    return store.home / layout.READINGS / f"{layout.run_name(category, digest)}.json"
