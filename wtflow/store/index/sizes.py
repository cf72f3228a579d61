"""How much room each run takes, kept in the index and measured in steps, so that nobody waits for all of them."""

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from wtflow.store import layout
from wtflow.store.index import file
from wtflow.store.index.kept import transaction
from wtflow.store.index.look import RunIndex

PARTS = {
    "checkpoints": (str(Path(layout.CHECKPOINT).parent),),
    "maps": (layout.MAPS,),
    "pictures": (layout.PICTURES,),
    "derived": (layout.DERIVED,),
    "what-ifs": (layout.WHAT_IFS, layout.TRIED),
}
"""What the room of a run is told apart by: entries of its folder. All others are `other`."""
OTHER = "other"
_AT_ONCE = 50
_LEFT = (
    f"SELECT l.run_id, s.stamp, s.parts FROM {file.LINES} l LEFT JOIN {file.SIZES} s ON s.run_id = l.run_id"
    " WHERE s.measured IS NULL OR s.measured < ?"
)


def measure_some(index: RunIndex, since: float, seconds: float) -> tuple[int, int]:
    """Measure runs that were not measured since then, for about so long. Returns how many are measured, of how many.
    since: seconds since the epoch.
    """
    began = time.monotonic()
    while True:
        left = index.ask(lambda connection: connection.execute(_LEFT, (since,)).fetchall())
        total = index.ask(lambda connection: connection.execute(f"SELECT count(*) FROM {file.LINES}").fetchone()[0])
        if not left or time.monotonic() - began >= seconds:
            return total - len(left), total
        rows = []
        for run_id, stamp, parts in left[:_AT_ONCE]:
            folder = index.store.home / run_id
            now = _stamp(folder)
            found = json.loads(parts) if stamp == now and parts else measure(folder)
            rows.append((run_id, now, time.time(), sum(found.values()), json.dumps(found)))
        index.ask(lambda connection, rows=rows: _keep(connection, rows))


def totals(index: RunIndex) -> dict[str, int]:
    """Part -> bytes of all runs that were measured, the largest first."""
    found = dict.fromkeys((*PARTS, OTHER), 0)
    for parts in known(index).values():
        for name, n_bytes in parts.items():
            found[name] += n_bytes
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def known(index: RunIndex) -> dict[str, dict[str, int]]:
    """Run -> part -> bytes, as they were measured last."""
    sql = f"SELECT run_id, parts FROM {file.SIZES} WHERE run_id IN (SELECT run_id FROM {file.LINES})"
    rows = index.ask(lambda connection: connection.execute(sql).fetchall())
    return {run_id: json.loads(parts) for run_id, parts in rows}


def largest(index: RunIndex, n: int) -> list[tuple[str, int]]:
    """The runs that take most room, with their bytes."""
    sql = f"SELECT run_id, total FROM {file.SIZES} ORDER BY total DESC, run_id LIMIT ?"
    return index.ask(lambda connection: connection.execute(sql, (n,)).fetchall())


def _keep(connection: sqlite3.Connection, rows: list[tuple]) -> None:
    with transaction(connection):
        connection.executemany(f"INSERT OR REPLACE INTO {file.SIZES} VALUES (?, ?, ?, ?, ?)", rows)


def measure(folder: Path) -> dict[str, int]:
    """Part -> bytes of one run; what goes meanwhile counts nothing."""
    found = dict.fromkeys((*PARTS, OTHER), 0)
    part_of = {name: part for part, names in PARTS.items() for name in names}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found[part_of.get(entry.name, OTHER)] += _bytes_of(entry)
    return found


def _bytes_of(entry: "os.DirEntry[str]") -> int:
    """Of a file, or of everything below a folder. A link counts nothing: what it leads to lies elsewhere."""
    with contextlib.suppress(OSError):
        if entry.is_dir(follow_symlinks=False):
            with os.scandir(entry.path) as entries:
                return sum(map(_bytes_of, entries))
        if not entry.is_symlink():
            return entry.stat(follow_symlinks=False).st_size
    return 0


def _stamp(folder: Path) -> str:
    """Differs when an entry of the folder, or of a folder in it, came, went or was replaced."""
    return hashlib.blake2b(repr(sorted(_folder_times(str(folder)))).encode(), digest_size=12).hexdigest()


def _folder_times(folder: str) -> Iterable[tuple[str, int]]:
    with contextlib.suppress(OSError):
        yield folder, Path(folder).stat().st_mtime_ns
        with os.scandir(folder) as entries:
            below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for path in below:
            yield from _folder_times(path)
