"""The SQLite file of the index: opened, made anew where it is damaged, and replaced by memory where it cannot be used.

Each version of the app has tables of its own in the file, so that two versions on one folder of runs do not undo each
other's work. On a network drive, where the shared memory of SQLite's write-ahead log (WAL) does not reach the other
computers, every computer has a file of its own with a plain journal.
"""

import contextlib
import platform
import re
import sqlite3
import sys
import time
from pathlib import Path

from wtflow.store import layout
from wtflow.store.index.network import network_kind

FORMAT = 1
"""Raise it when tables or their contents change between two releases."""
BUSY_S = 2.0
"""How long a writer waits for another one before it goes on in memory."""
AGAIN_AFTER_S = 60.0
"""How long after a failure the file is tried again."""
KEPT_S = 14 * 86_400.0
"""Tables that no version has used for so long are dropped."""
VERSION: str = sys.modules["wtflow"].__version__  # the package above, which may import this room only lazily
TOKEN = re.sub(r"\W", "_", f"{FORMAT}_{VERSION}")
LINES, SUMMARIES, SIZES = f"lines_{TOKEN}", f"summaries_{TOKEN}", f"sizes_{TOKEN}"
_SUFFIXES = ("", "-wal", "-shm", "-journal")
_NO_STORE = "no store"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_TABLES = f"""
CREATE TABLE IF NOT EXISTS {LINES} (
    run_id TEXT PRIMARY KEY, folder TEXT, files TEXT, is_loose INTEGER, is_active INTEGER, state TEXT, category TEXT,
    title TEXT, root TEXT, created REAL, name TEXT, star INTEGER, archived INTEGER, seconds REAL, find TEXT,
    facts TEXT);
CREATE INDEX IF NOT EXISTS active_{TOKEN} ON {LINES} (run_id) WHERE is_active;
CREATE INDEX IF NOT EXISTS states_{TOKEN} ON {LINES} (state);
CREATE TABLE IF NOT EXISTS {SUMMARIES} (run_id TEXT PRIMARY KEY, summary TEXT);
CREATE TABLE IF NOT EXISTS {SIZES} (
    run_id TEXT PRIMARY KEY, stamp TEXT, measured REAL, total INTEGER, parts TEXT);
CREATE TABLE IF NOT EXISTS versions (token TEXT PRIMARY KEY, used REAL);
"""
_OF_THE_CONNECTION = """
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE IF NOT EXISTS live (run_id TEXT PRIMARY KEY, state TEXT);
"""


class IndexFile:
    """The connection to the index of one folder of runs. Not for several threads at once."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.why_in_memory = ""
        """Why the index is kept in memory instead of a file, in a sentence; empty where it is not."""
        self.network = network_kind(home)
        name = layout.RUNS_INDEX
        if self.network:
            host = re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:60] or "computer"
            name = f"{Path(name).stem}-{host}{Path(name).suffix}"
        self.path = home / name
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._again_at = 0.0
        self.n_opened = 0
        """Differs for each connection."""

    @property
    def words(self) -> str:
        """Where the index is, in a sentence."""
        if self.why_in_memory:
            return f"The index of runs is kept in memory: {self.why_in_memory}"
        if self.network:
            return (
                f"The runs lie on a network drive ({self.network}), so this computer keeps an index of its own,"
                f" {self.path.name}."
            )
        return f"The index of runs is {self.path.name}; it is safe to delete."

    def connection(self) -> sqlite3.Connection:
        """The connection as it is, with all tables."""
        return self.opened() if self._connection is None else self._connection

    def opened(self) -> sqlite3.Connection:
        """A connection with all tables: a file that was deleted or replaced is opened again, and one that could not be
        used is tried again after a while.
        """
        if self._connection is not None:
            is_kept = time.monotonic() < self._again_at if self.why_in_memory else self._opened == _identity(self.path)
            if is_kept:
                return self._connection
        self.close()
        self.why_in_memory = ""
        if not self.home.is_dir():
            opened = self.use_memory(sqlite3.OperationalError(_NO_STORE))
            self._again_at = 0.0
            return opened
        for _ in range(2):
            try:
                return self._open()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    return self.use_memory(error)
                self.throw_away()
        return self.use_memory(sqlite3.DatabaseError("it is damaged as soon as it is made"))

    def throw_away(self) -> None:
        """Remove a file that is damaged or no index; it is made again."""
        self.close()
        for suffix in reversed(_SUFFIXES):
            with contextlib.suppress(OSError):
                Path(f"{self.path}{suffix}").unlink()

    def use_memory(self, error: sqlite3.Error) -> sqlite3.Connection:
        """Go on in memory for a while, with what the file holds as far as it can be read."""
        before, self._connection = self._connection, None
        fresh = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        if before is not None:
            with contextlib.suppress(sqlite3.Error):
                before.rollback()
                before.backup(fresh)
            with contextlib.suppress(sqlite3.Error):
                before.close()
        fresh.executescript(_TABLES + _OF_THE_CONNECTION)
        self._connection, self._opened = fresh, None
        self.n_opened += 1
        self.why_in_memory = _why(error)
        self._again_at = time.monotonic() + AGAIN_AFTER_S
        return fresh

    def _open(self) -> sqlite3.Connection:
        opened = sqlite3.connect(self.path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
        try:
            opened.execute(f"PRAGMA journal_mode={'TRUNCATE' if self.network else 'WAL'}")
            opened.execute("PRAGMA synchronous=NORMAL")
            opened.execute("PRAGMA cache_size=-65536")
            opened.executescript(_TABLES + _OF_THE_CONNECTION)
            _note_use(opened)
        except BaseException:
            opened.close()
            raise
        self._connection, self._opened = opened, _identity(self.path)
        self.n_opened += 1
        return opened

    def close(self) -> None:
        """End the connection; the next use opens another one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether a file is no index, or a damaged one, rather than one that cannot be written now."""
    code = getattr(error, "sqlite_errorcode", None)
    is_foreign = code == sqlite3.SQLITE_ERROR and "no such" in str(error)  # its tables are not those of this version
    return is_foreign or (code is not None and (code & 0xFF) in _DAMAGED)


def _note_use(connection: sqlite3.Connection) -> None:
    """Write down that this version uses its tables, once a day, and drop those that none has used for weeks."""
    now = time.time()
    used = connection.execute("SELECT used FROM versions WHERE token = ?", (TOKEN,)).fetchone()
    if used is not None and abs(now - used[0]) < 86_400:
        return
    with connection:
        connection.execute("INSERT OR REPLACE INTO versions VALUES (?, ?)", (TOKEN, now))
        old = connection.execute("SELECT token FROM versions WHERE used < ?", (now - KEPT_S,)).fetchall()
        for (token,) in old:
            for kind in ("lines", "summaries", "sizes"):
                connection.execute(f'DROP TABLE IF EXISTS "{kind}_{token}"')
            connection.execute("DELETE FROM versions WHERE token = ?", (token,))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _why(error: sqlite3.Error) -> str:
    words = str(error)
    if words == _NO_STORE:
        return "there is no folder of runs yet."
    if "readonly" in words or "unable to open" in words:
        return "nothing can be written in the folder of the runs. Every start reads all runs anew."
    if "locked" in words or "busy" in words:
        return "another program keeps the index locked."
    if "full" in words:
        return "the disk is full."
    return f"the index cannot be used ({words})."
