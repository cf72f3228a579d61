"""What tells that a run has changed, cheap enough to be asked of thousands.

A file that appears, goes or is replaced changes the time of its folder, and everything that the app writes into the
folder of a run does so: one question a run finds nearly every change. A file that is overwritten in place, and what
lies deeper, is found by `files_stamp`, which costs ten times as much.
"""

import contextlib
import hashlib
import os
from collections.abc import Container, Iterable
from pathlib import Path
from stat import S_ISDIR
from typing import NamedTuple

from wtflow.store import layout

_CHECKPOINTS = str(Path(layout.CHECKPOINT).parent)
_PLACES = (_CHECKPOINTS, layout.FRESH, f"{layout.FRESH}/{_CHECKPOINTS}")
"""Folders of a run that hold what a line of the list is made of."""
_FILES = frozenset(
    {
        *(layout.CONFIG, layout.PLACE, layout.STATUS, layout.NOTES, layout.BEFORE, layout.COMPLETE),
        *(name for name in layout.RESULTS if name != layout.PICTURES),
        Path(layout.CHECKPOINT).name,
    }
)


FolderStamp = tuple[int, int, int]
"""When its entries changed, when anything about it did, and its number on the disk."""


class FilesStamp(NamedTuple):
    """key: differs when a file that a line is made of was written again, came or went. newest_ns: when the newest of
    them changed, on the clock of the disk.
    """

    key: str
    newest_ns: int


def folder_stamps(home: Path, known: Container[str] = ()) -> dict[str, FolderStamp]:
    """Run -> what differs when an entry of its folder came, went or was replaced. Empty where there is no store.
    known: names that are those of runs.
    """
    try:
        with os.scandir(home) as entries:
            names = [one.name for one in entries]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return folder_stamps_of(home, [name for name in names if name in known or layout.is_run_id(name)])


def folder_stamps_of(home: Path, names: Iterable[str]) -> dict[str, FolderStamp]:
    """The same for these entries; those that are no folders are left out."""
    found: dict[str, FolderStamp] = {}
    is_near = os.stat in os.supports_dir_fd  # a path from the folder of the runs costs less than a whole one
    stat, is_folder = os.stat, S_ISDIR
    try:
        at = os.open(home, os.O_RDONLY) if is_near else None
    except OSError:
        return found
    try:
        for name in names:
            try:
                one = stat(name, dir_fd=at) if is_near else stat(home / name)
            except OSError:
                continue
            if is_folder(one.st_mode):
                found[name] = one.st_mtime_ns, one.st_ctime_ns, one.st_ino
    finally:
        if at is not None:
            os.close(at)
    return found


def text_of(stamp: FolderStamp) -> str:
    return ".".join(map(str, stamp))


def stamp_in(text: str) -> FolderStamp:
    """The stamp that `text_of` wrote."""
    written, changed, number = text.split(".")
    return int(written), int(changed), int(number)


def files_stamp(folder: Path) -> FilesStamp:
    """Of the files in the folder of a run that its line in a list is made of."""
    found: list[tuple[str, int, int, int, int]] = []
    top = _stamps_in(str(folder), "", found)
    for place in _PLACES:
        if place.partition("/")[0] in top:
            _stamps_in(f"{folder}/{place}", place, found)
    found.sort()
    newest = max((max(one[1], one[2]) for one in found), default=0)
    return FilesStamp(hashlib.blake2b(repr(found).encode(), digest_size=12).hexdigest(), newest)


def _stamps_in(folder: str, place: str, found: list[tuple[str, int, int, int, int]]) -> set[str]:
    """Add the stamps of a folder's files to those found, and return the names of all its entries."""
    names = set()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            names.add(entry.name)
            if entry.name in _FILES:
                with contextlib.suppress(OSError):  # a link that leads nowhere
                    one = entry.stat()
                    found.append((f"{place}/{entry.name}", one.st_mtime_ns, one.st_ctime_ns, one.st_size, one.st_ino))
    return names
