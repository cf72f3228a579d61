"""The rows of an inspection on disk, with maps, mean features and small pictures: appended in order. They are read by
`inspected_reading`, also while more come.

What a row points at is written before the row. So after a crash a file may hold more than the rows know of, never
less; a row that was cut off, or whose map is not there, is dropped when the inspection goes on.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, Self

import numpy as np

from wtflow.records.inspect import DetectorFacts, Inspected, inspected_from_json
from wtflow.store.files import explained

ROWS, EVENTS = "scores.jsonl", "events.jsonl"
MAPS, MEANS, PICTURES = "maps.f16", "means.f32", "pictures.bin"
LARGEST_HALF: Final = 65504.0
"""What a larger value of a map is stored as."""


class RowWriter:
    """Appends rows to the folder of an inspection. One process at a time; `close` it, or use it in a with block."""

    def __init__(self, folder: Path, facts: DetectorFacts, *, keeps_maps: bool = True) -> None:
        self.folder, self.keeps_maps = folder, keeps_maps
        with explained(folder):
            self.n_maps = repair(folder, facts, keeps_maps=keeps_maps)
            self._files: dict[str, BinaryIO] = {
                name: (folder / name).open("ab") for name in (ROWS, EVENTS, MAPS, MEANS, PICTURES)
            }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def append(
        self, rows: Sequence[Inspected], maps: np.ndarray, means: np.ndarray, pictures: Sequence[bytes] = ()
    ) -> list[Inspected]:
        """Write rows, and return them with the places of what belongs to them.

        maps (M, h, w) and means (M, K): of the M rows without a problem, in their order. pictures: of the same rows,
        JPEG; () for none. Raises DiskFullError, StoreError.
        """
        placed, at = [], 0
        with explained(self.folder / ROWS):
            if self.keeps_maps:
                self._files[MAPS].write(np.minimum(maps, LARGEST_HALF).astype("<f2").tobytes())
            self._files[MEANS].write(means.astype("<f4").tobytes())
            for row in rows:
                if not row.problem:
                    row = replace(row, map_at=self.n_maps)
                    if pictures:
                        row = replace(row, picture=(self._files[PICTURES].tell(), len(pictures[at])))
                        self._files[PICTURES].write(pictures[at])
                    at, self.n_maps = at + 1, self.n_maps + 1
                placed.append(row)
            self._flush(MAPS, MEANS, PICTURES)
            self._files[ROWS].write(b"".join(_line(row.to_json()) for row in placed))
            self._flush(ROWS)
        return placed

    def note(self, image: str, text: str, path: str | None = None) -> None:
        """Add to the note of an image that was written, and change where it lies. Raises DiskFullError, StoreError."""
        with explained(self.folder / EVENTS):
            self._files[EVENTS].write(_line({"image": image, "note": text, "path": path}))
            self._flush(EVENTS)

    def rename(self, old: Inspected, new: Inspected) -> None:
        """Give a row another name; map, features and picture stay where they are. Raises DiskFullError, StoreError."""
        with explained(self.folder / ROWS):
            self._files[ROWS].write(_line(new.to_json()))
            self._flush(ROWS)
            self._files[EVENTS].write(_line({"image": old.image, "note": "", "path": None, "gone": old.at}))
            self._flush(EVENTS)

    def _flush(self, *names: str) -> None:
        for name in names:
            self._files[name].flush()


def repair(folder: Path, facts: DetectorFacts, *, keeps_maps: bool) -> int:
    """Bring the files of an inspection to a state that can be appended to; returns how many vectors of mean features
    (and maps, where they are kept) there are.

    From the first line that cannot be read, or whose map, features or picture are not there, rows are dropped: they
    are scored again. Raises OSError.
    """
    sizes = {MEANS: 4 * facts.n_features} | ({MAPS: map_bytes(facts)} if keeps_maps else {})
    n_there = min(length_of(folder / name) // size for name, size in sizes.items())
    n_bytes = length_of(folder / PICTURES)
    end, n, end_of_pictures = 0, 0, 0
    for end_of_line, row in each_line(folder / ROWS):
        if row is None or row.map_at >= n_there or sum(row.picture) > n_bytes:
            break
        end, n, end_of_pictures = end_of_line, max(n, row.map_at + 1), max(end_of_pictures, sum(row.picture))
    _cut(folder / ROWS, end)
    for name, size in sizes.items():
        _cut(folder / name, n * size)
    _cut(folder / PICTURES, end_of_pictures)
    _cut(folder / EVENTS, _end_of_last_line(folder / EVENTS))
    return n


# -- lines and lengths ------------------------------------------------------------------------------------------------


def each_line(path: Path) -> Iterator[tuple[int, Inspected | None]]:
    """(end of the line, its row) of each complete line; None for one that cannot be read."""
    end = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                try:
                    yield end, inspected_from_json(json.loads(line))
                except (ValueError, TypeError):
                    yield end, None
    except FileNotFoundError:
        return


def _line(values: dict) -> bytes:
    """ASCII alone: names whose bytes are no UTF-8 come back as they were."""
    return json.dumps(values, allow_nan=False).encode() + b"\n"


def map_bytes(facts: DetectorFacts) -> int:
    """Length of a map in its file."""
    return 2 * facts.map_shape[0] * facts.map_shape[1]


def length_of(path: Path) -> int:
    """Bytes in a file; 0 where it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _cut(path: Path, length: int) -> None:
    if length_of(path) > length:
        os.truncate(path, length)


def _end_of_last_line(path: Path) -> int:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    return content.rfind(b"\n") + 1
