"""The lines of an index in its file, and what this process knows of them."""

import contextlib
import sqlite3
from collections.abc import Collection, Generator
from pathlib import Path
from typing import NamedTuple

from wtflow.store.index import file, lines
from wtflow.store.index.stamps import FolderStamp, stamp_in


class Known(NamedTuple):
    """What tells whether a run changed since it was read."""

    folder: FolderStamp
    files: str


class KeptLines:
    """Reads and writes the lines of one folder of runs. Raises sqlite3.Error. Not for several threads at once."""

    def __init__(self, home: Path) -> None:
        self.file = file.IndexFile(home)
        self.known: dict[str, Known] = {}
        self.loose: set[str] = set()
        """Runs that are compared in full at every look."""
        self.n_written = 0
        """Differs after each change that this process made."""
        self._version: tuple[int, int] | None = None

    def read(self) -> dict[str, Known]:
        """Stamps of every run that the index holds; read again after another process wrote."""
        connection = self.file.connection()
        version = self.file.n_opened, connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            rows = connection.execute(f"SELECT run_id, folder, files, is_loose FROM {file.LINES}").fetchall()
            self.known = {run_id: Known(stamp_in(folder), files) for run_id, folder, files, _ in rows}
            self.loose = {run_id for run_id, _, _, is_loose in rows if is_loose}
            self._version = version
        return self.known

    def write(self, rows: list[tuple[tuple, tuple]], gone: Collection[str]) -> None:
        if not rows and not gone:
            return
        connection = self.file.connection()
        with transaction(connection):
            for table in (file.LINES, file.SUMMARIES, file.SIZES):
                connection.executemany(f"DELETE FROM {table} WHERE run_id = ?", [(run_id,) for run_id in gone])
            marks = ", ".join("?" * len(lines.COLUMNS))
            connection.executemany(f"INSERT OR REPLACE INTO {file.LINES} VALUES ({marks})", [row for row, _ in rows])
            connection.executemany(
                f"INSERT OR REPLACE INTO {file.SUMMARIES} VALUES (?, ?)", [whole for _, whole in rows]
            )
        self.n_written += 1
        for run_id in gone:
            self.known.pop(run_id, None)
        self.loose.difference_update(gone)
        for run_id, folder, files, is_loose, *_ in (row for row, _ in rows):
            self.known[run_id] = Known(stamp_in(folder), files)
            (self.loose.add if is_loose else self.loose.discard)(run_id)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection, None, None]:
    """All or nothing of what is written inside."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
