"""The rows of an inspection on disk, with maps, mean features and small pictures: appended in order, read while more
come.

What a row points at is written before the row. So after a crash a file may hold more than the rows know of, never
less; a row that was cut off, or whose map is not there, is dropped when the inspection goes on.
"""

import contextlib
import json
import os
import threading
from collections import OrderedDict
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
MOST_OPEN: Final = 4
"""Inspections whose rows stay in memory, so that a poll reads new lines only."""


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

    def _flush(self, *names: str) -> None:
        for name in names:
            self._files[name].flush()


def repair(folder: Path, facts: DetectorFacts, *, keeps_maps: bool) -> int:
    """Bring the files of an inspection to a state that can be appended to; returns how many vectors of mean features
    (and maps, where they are kept) there are.

    From the first line that cannot be read, or whose map, features or picture are not there, rows are dropped: they
    are scored again. Raises OSError.
    """
    sizes = {MEANS: 4 * facts.n_features} | ({MAPS: _map_bytes(facts)} if keeps_maps else {})
    n_there = min(_length(folder / name) // size for name, size in sizes.items())
    n_bytes = _length(folder / PICTURES)
    end, n, end_of_pictures = 0, 0, 0
    for end_of_line, row in _lines(folder / ROWS):
        if row is None or row.map_at >= n_there or sum(row.picture) > n_bytes:
            break
        end, n, end_of_pictures = end_of_line, max(n, row.map_at + 1), max(end_of_pictures, sum(row.picture))
    _cut(folder / ROWS, end)
    for name, size in sizes.items():
        _cut(folder / name, n * size)
    _cut(folder / PICTURES, end_of_pictures)
    _cut(folder / EVENTS, _end_of_last_line(folder / EVENTS))
    return n


def each_row(folder: Path) -> Iterator[Inspected]:
    """The rows as they were written, one after the other; a line that cannot be read is left out."""
    return (row for _, row in _lines(folder / ROWS) if row is not None)


def notes_of(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Image -> what was noted on it later, and where it lies now if that changed."""
    found: dict[str, tuple[str, str | None]] = {}
    with contextlib.suppress(FileNotFoundError), explained(folder), (folder / EVENTS).open("rb") as file:
        for line in file:
            _add_event(found, line)
    return found


def read_rows(folder: Path) -> tuple[Inspected, ...]:
    """The latest row of every image, in the order in which images were first scored, with what was noted later.

    What was read before stays in memory, so a poll reads new lines only. Raises StoreError.
    """
    with _LOCK:
        reading = _OPEN.pop(folder, None) or _Reading(folder)
        _OPEN[folder] = reading
        while len(_OPEN) > MOST_OPEN:
            _OPEN.popitem(last=False)
        return reading.rows()


def rows_stamp(folder: Path) -> tuple[int, ...]:
    """Differs when there are new rows or notes: lengths of the two files."""
    return tuple(_length(folder / name) for name in (ROWS, EVENTS))


def read_map(folder: Path, facts: DetectorFacts, map_at: int) -> np.ndarray | None:
    """The raw map of a row, float32 (h, w); None where it is not kept."""
    found = _read_part(folder / MAPS, map_at, _map_bytes(facts))
    return None if found is None else np.frombuffer(found, "<f2").astype(np.float32).reshape(facts.map_shape)


def read_means(folder: Path, facts: DetectorFacts, maps_at: Sequence[int]) -> np.ndarray:
    """Mean features (M, K) float32 of these rows by `map_at`; NaN where one is not there."""
    path, found = folder / MEANS, np.full((len(maps_at), facts.n_features), np.nan, np.float32)
    n = _length(path) // (4 * facts.n_features)
    if n:
        stored = np.memmap(path, "<f4", "r", shape=(n, facts.n_features))
        at = np.asarray(maps_at, int)
        there = (at >= 0) & (at < n)
        found[there] = stored[at[there]]
    return found


def read_picture_bytes(folder: Path, row: Inspected) -> bytes | None:
    """The small picture of a row, JPEG; None where none is kept."""
    first, n = row.picture
    if n <= 0 or first < 0:
        return None
    with contextlib.suppress(OSError), (folder / PICTURES).open("rb") as file:
        file.seek(first)
        found = file.read(n)
        return found if len(found) == n else None
    return None


# -- inside ------------------------------------------------------------------------------------------------------------


class _Reading:
    """Rows of one inspection that were read so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        self.at = {ROWS: 0, EVENTS: 0}
        self.own: dict[str, Inspected] = {}
        self.events: dict[str, tuple[str, str | None]] = {}

    def rows(self) -> tuple[Inspected, ...]:
        with explained(self.folder):
            lengths = dict(zip((ROWS, EVENTS), rows_stamp(self.folder), strict=True))
            if any(lengths[name] < self.at[name] for name in lengths):  # it was repaired, or is another by this name
                self._start()
            for line in self._new(ROWS):
                with contextlib.suppress(ValueError, TypeError):
                    row = inspected_from_json(json.loads(line))
                    self.own[row.image] = row
            for line in self._new(EVENTS):
                _add_event(self.events, line)
        return tuple(with_event(row, self.events.get(image)) for image, row in self.own.items())

    def _new(self, name: str) -> Iterator[bytes]:
        """Complete lines that were appended since."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(self.at[name])
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    self.at[name] += len(line)
                    yield line
        except FileNotFoundError:
            return


_LOCK = threading.Lock()
_OPEN: OrderedDict[Path, _Reading] = OrderedDict()


def with_event(row: Inspected, event: tuple[str, str | None] | None) -> Inspected:
    """The row with what was noted later."""
    if event is None:
        return row
    note, path = event
    return replace(row, note=" ".join(filter(None, (row.note, note))), path=path or row.path)


def _add_event(found: dict[str, tuple[str, str | None]], line: bytes) -> None:
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        event = json.loads(line)
        note, path = found.get(event["image"], ("", None))
        found[str(event["image"])] = (f"{note} {event['note']}".strip(), event.get("path") or path)


def _lines(path: Path) -> Iterator[tuple[int, Inspected | None]]:
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


def _map_bytes(facts: DetectorFacts) -> int:
    return 2 * facts.map_shape[0] * facts.map_shape[1]


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _cut(path: Path, length: int) -> None:
    if _length(path) > length:
        os.truncate(path, length)


def _end_of_last_line(path: Path) -> int:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    return content.rfind(b"\n") + 1


def _read_part(path: Path, number: int, size: int) -> bytes | None:
    if number < 0:
        return None
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(number * size)
        found = file.read(size)
        return found if len(found) == size else None
    return None
