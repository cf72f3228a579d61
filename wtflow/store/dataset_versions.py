"""Versions of data sets made here: published once, never changed, named by the root of the runs that use them."""

from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from wtflow.errors import DamagedDataSetError, DamagedRunError, DatasetError
from wtflow.records.intake import Version
from wtflow.store.datasets import (
    DATA,
    VERSION,
    VERSIONS,
    change_set,
    data_home,
    first_line,
    folder_of,
    numbers_in,
    open_set,
    remove_folder,
)
from wtflow.store.files import read_json, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

_VERSION = TypeAdapter(Version)


def version_root(store: RunStore, name: str, number: int) -> Path:
    """The root that a version is trained from; its one category is called as the data set is."""
    return data_home(store) / name / VERSIONS / str(number)


def version_numbers(store: RunStore, name: str) -> tuple[int, ...]:
    """The versions that there are, rising."""
    return numbers_in(folder_of(store, name))


def open_version(store: RunStore, name: str, number: int) -> Version:
    """A version as it was published. Raises DatasetError where there is none, DamagedDataSetError."""
    if number not in version_numbers(store, name):
        raise DatasetError(
            f"The data set {name} has no version {number}.", fix="Choose one of those that are listed, or publish it."
        )
    path = version_root(store, name, number) / VERSION
    try:
        return _VERSION.validate_python(read_json(path))
    except (DamagedRunError, ValidationError) as error:
        why = error.message if isinstance(error, DamagedRunError) else first_line(error)
        raise DamagedDataSetError(
            f"{VERSION} of version {number} of {name} cannot be read ({why.rstrip('.')}).",
            fix=f"Restore {path}, or delete this version and publish another.",
        ) from error


def newest_version(store: RunStore, name: str) -> Version | None:
    """The newest version, None before the first."""
    numbers = version_numbers(store, name)
    return open_version(store, name, numbers[-1]) if numbers else None


def write_version(folder: Path, version: Version) -> None:
    """Write down what a folder of a version holds."""
    write_json(folder / VERSION, asdict(version))


def remove_version(store: RunStore, name: str, number: int) -> None:
    """Delete a version; its number is never used again. Whoever calls looks first whether runs use it."""
    open_version(store, name, number)
    # The next number is written first: after that, no crash can bring the deleted one back.
    change_set(store, name, lambda old: replace(old, next_version=old.next_version), f"Version {number} was deleted.")
    with locked(store):
        remove_folder(version_root(store, name, number))


def version_of(root: str | Path) -> tuple[str, int] | None:
    """(name, number) of the version of a data set that a run's root is, by its path alone; None for any other."""
    parts = Path(root).parts
    if len(parts) < 4 or parts[-4] != DATA or parts[-2] != VERSIONS or not parts[-1].isdecimal():
        return None
    return parts[-3], int(parts[-1])


def own_set(store: RunStore, root: str | Path) -> str | None:
    """The data set of this store of which a root is a version; None for a folder of somebody else's."""
    version = version_of(root)
    return version[0] if version and Path(root) == version_root(store, *version) else None


def category_behind(store: RunStore, root: str | Path, category: str) -> str:
    """The category that the images of a root come from: that of the folder which its data set is a copy of, else
    `category`, the root's own; also where the data set is gone or damaged.
    """
    name = own_set(store, root)
    try:
        origin = "" if name is None else open_set(store, name).origin
    except DatasetError:
        return category
    return Path(origin).name or category


def title_of(root: str | Path, category: str) -> str:
    """A category for people: "pcb v3" where its root is a version of a data set made here, else its name alone."""
    found = version_of(root)
    return f"{category} v{found[1]}" if found is not None and found[0] == category else category
