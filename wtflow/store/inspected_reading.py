"""Reading the rows of an inspection, with maps, mean features and pictures, while it runs or after."""

import contextlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from wtflow.records.inspect import DetectorFacts, Inspected, inspected_from_json
from wtflow.store.files import explained
from wtflow.store.inspected_rows import EVENTS, MAPS, MEANS, PICTURES, ROWS, each_line, length_of, map_bytes

MOST_OPEN: Final = 4
"""Inspections whose rows stay in memory, so that a poll reads new lines only."""


def each_row(folder: Path) -> Iterator[Inspected]:
    """The rows as they were written, one after the other; a line that cannot be read is left out."""
    return (row for _, row in each_line(folder / ROWS) if row is not None)


def each_latest(folder: Path) -> Iterator[Inspected]:
    """The same with what was noted on them later, without those that were renamed. Only notes stay in memory."""
    events: dict[str, _Event] = {}
    with contextlib.suppress(FileNotFoundError), (folder / EVENTS).open("rb") as file:
        for line in file:
            _add_event(events, line)
    return (kept for row in each_row(folder) if (kept := _with_event(row, events.get(row.image))) is not None)


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
    return tuple(length_of(folder / name) for name in (ROWS, EVENTS))


def read_map(folder: Path, facts: DetectorFacts, map_at: int) -> np.ndarray | None:
    """The raw map of a row, float32 (h, w); None where it is not kept."""
    found = _read_part(folder / MAPS, map_at, map_bytes(facts))
    return None if found is None else np.frombuffer(found, "<f2").astype(np.float32).reshape(facts.map_shape)


def read_means(folder: Path, facts: DetectorFacts, maps_at: Sequence[int]) -> np.ndarray:
    """Mean features (M, K) float32 of these rows by `map_at`; NaN where one is not there."""
    path, found = folder / MEANS, np.full((len(maps_at), facts.n_features), np.nan, np.float32)
    n = length_of(path) // (4 * facts.n_features)
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
        self.events: dict[str, _Event] = {}

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
        found = (_with_event(row, self.events.get(image)) for image, row in self.own.items())
        return tuple(row for row in found if row is not None)

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


class _Event(NamedTuple):
    """What was noted on an image after its row was written."""

    note: str = ""
    path: str | None = None
    """Where it lies now, if that changed."""
    gone: float | None = None
    """When the row was scored that has another name now."""


def _with_event(row: Inspected, event: _Event | None) -> Inspected | None:
    """The row with what was noted later; None where it has another name now."""
    if event is None:
        return row
    if event.gone == row.at:
        return None
    return replace(row, note=" ".join(filter(None, (row.note, event.note))), path=event.path or row.path)


def _add_event(found: dict[str, _Event], line: bytes) -> None:
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        event = json.loads(line)
        note, path, gone = found.get(event["image"], _Event())
        text = f"{note} {event['note']}".strip()
        found[str(event["image"])] = _Event(text, event.get("path") or path, event.get("gone") or gone)


def _read_part(path: Path, number: int, size: int) -> bytes | None:
    if number < 0:
        return None
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(number * size)
        found = file.read(size)
        return found if len(found) == size else None
    return None
