"""A run's own pictures in one file: a zip that stores them as they are, named by row of the score table.

One file, so that it is written, copied, linked and replaced like any other result; any program opens it.
"""

import functools
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

from wtflow.errors import DamagedRunError
from wtflow.store.files import write_atomic

_HEAD = struct.Struct("<26xHH")
"""Of an entry of a zip: 30 bytes that end with the lengths of its name and of what stands between name and data."""


def write_picture_file(path: Path, pictures: Iterable[tuple[int, bytes]]) -> None:
    """Write (row, encoded picture) one after the other, atomically. Raises DiskFullError, StoreError."""

    def write(file) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for row, encoded in pictures:
                archive.writestr(zipfile.ZipInfo(f"{row:06d}.webp"), encoded)

    write_atomic(path, write)


def read_picture(path: Path, row: int) -> bytes | None:
    """The encoded picture of a row; None where the file or the picture is not there. Raises DamagedRunError."""
    try:
        stat = path.stat()
        place = _places(path, (stat.st_mtime_ns, stat.st_size, stat.st_ino)).get(f"{row:06d}.webp")
        if place is None:
            return None
        first, n_bytes = place
        with path.open("rb") as file:
            file.seek(first)
            name, extra = _HEAD.unpack(file.read(_HEAD.size))
            file.seek(first + _HEAD.size + name + extra)
            found = file.read(n_bytes)
    except FileNotFoundError:
        return None
    except (OSError, zipfile.BadZipFile, struct.error) as error:
        raise DamagedRunError(
            f"{path.name} in {path.parent.name} cannot be read ({error}).",
            fix="Delete this file; then images are shown from where they lie, if they are unchanged.",
        ) from error
    return found


@functools.lru_cache(maxsize=8)
def _places(path: Path, stamp: tuple[int, ...]) -> dict[str, tuple[int, int]]:
    """Where each entry begins and how many bytes its picture has. `stamp` changes when the file is written again."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: (entry.header_offset, entry.file_size) for entry in archive.infolist()}
