"""RunIndex: the list of runs, compared with their folders at every look.

A look asks the time of every run's folder, one question each, and reads the runs that changed. What such a question
does not find is asked in full: of runs that go on, of those that changed a moment ago, of the rows that are shown, and
in turn of a hundred others, so that a store of that size is always compared in full, and a larger one within some
looks.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from wtflow.errors import SettingsError
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunPage, RunQuery
from wtflow.store.index import file, lines, search
from wtflow.store.index.kept import KeptLines
from wtflow.store.index.stamps import files_stamp, folder_stamps, folder_stamps_of, text_of
from wtflow.store.runs import RunStore

IN_TURN = 128
"""Runs that each look compares in full, besides those that need it: about 10 ms."""
MOST_COMPARED = 256
"""The same for the rows that are shown."""
UNSURE_S = 2.0
"""A file that changed this shortly before it was read may change again without another time: clocks of disks tick in
hundredths of a second, those of network drives in seconds.
"""
BATCH = 200
"""Runs that are read before the index is written."""

Progress = Callable[[int, int], None]


class RunIndex:
    """The runs of one folder as a list. Threads take turns; each process has its own, on one file."""

    def __init__(self, home: Path) -> None:
        self.store = RunStore(home)
        self.kept = KeptLines(home)
        self.turns = threading.RLock()
        self._next = ""
        """The run after which the next turn begins."""

    @property
    def words(self) -> str:
        """Where the index is, in a sentence."""
        return self.kept.file.words

    # -- keeping up with the folders ----------------------------------------------------------------------------------

    def look(self, progress: Progress | None = None) -> None:
        """Bring the index in line with the folders. progress: (done, total) while many runs have to be read."""
        with self.turns:
            self._retried(lambda: self._look(progress), is_look=True)

    def refresh(self, run_ids: Iterable[str]) -> None:
        """Compare these runs in full, and read those that changed."""
        wanted = list(run_ids)
        with self.turns:
            self._retried(lambda: self._refresh(wanted))

    def _look(self, progress: Progress | None) -> None:
        self.kept.file.opened()
        known = self.kept.read()
        found = folder_stamps(self.store.home, known)
        if gone := known.keys() - found.keys():
            self.kept.write([], gone)
            known = self.kept.read()
        changed = [run_id for run_id, stamp in found.items() if run_id not in known or known[run_id].folder != stamp]
        doubtful = self.kept.loose | self._in_turn(sorted(found))
        doubtful.difference_update(changed)
        changed += [run_id for run_id in doubtful if self._differs(run_id)]
        self._read(changed, progress)

    def _refresh(self, run_ids: Iterable[str]) -> None:
        known = self.kept.read()
        wanted = [run_id for run_id in run_ids if run_id in known]
        found = folder_stamps_of(self.store.home, wanted)
        if gone := set(wanted) - found.keys():
            self.kept.write([], gone)
        self._read(
            [run_id for run_id, stamp in found.items() if known[run_id].folder != stamp or self._differs(run_id)], None
        )

    def _in_turn(self, run_ids: list[str]) -> set[str]:
        start = next((i for i, run_id in enumerate(run_ids) if run_id > self._next), 0)
        chosen = (run_ids[start:] + run_ids[:start])[:IN_TURN]
        self._next = chosen[-1] if chosen else ""
        return set(chosen)

    def _differs(self, run_id: str) -> bool:
        return self.kept.known[run_id].files != files_stamp(self.store.home / run_id).key

    def _read(self, run_ids: list[str], progress: Progress | None) -> None:
        """Read these runs from their folders, and keep their lines."""
        total = len(run_ids)
        for start in range(0, total, BATCH):
            if progress is not None and total > BATCH:
                progress(start, total)
            batch = run_ids[start : start + BATCH]
            if total > BATCH:  # another process may be reading the same runs
                known = self.kept.read()
                stamps = folder_stamps_of(self.store.home, batch)
                batch = [
                    run_id for run_id in batch if run_id not in known or known[run_id].folder != stamps.get(run_id)
                ]
            rows, gone = [], []
            for run_id in batch:
                row = self._line(run_id)
                if row is None:
                    gone.append(run_id)
                else:
                    rows.append(row)
            self.kept.write(rows, gone)

    def _line(self, run_id: str) -> tuple[tuple, tuple] | None:
        """The rows of a run as it is now; None where it is gone. Stamps are taken first: what changes while the run is
        read differs from them at the next look.
        """
        folder = self.store.home / run_id
        stamp = folder_stamps_of(self.store.home, [run_id]).get(run_id)
        if stamp is None:
            return None
        files, now = files_stamp(folder), time.time_ns()
        newest = max(files.newest_ns, *stamp[:2])
        is_unsure = newest > now - int(UNSURE_S * 1e9)
        line = self.store.line(run_id)
        is_loose = is_unsure or (folder / ".fresh").is_dir()
        return lines.columns_of(line, text_of(stamp), "" if is_unsure else files.key, is_loose=is_loose)

    # -- answers ------------------------------------------------------------------------------------------------------

    def find(self, query: RunQuery, live: Mapping[str, RunSummary]) -> RunPage:
        """The runs that fit, as the last look found them; those on the page are compared with their folders once more.

        live: how active runs stand now, as `active` lists them. Raises SettingsError for a name that no run has.
        """
        with self.turns:
            return self._retried(lambda: self._find_compared(query, live))

    def active(self) -> list[str]:
        """Runs that wait or go on by what is written, newest first."""
        return self._ids("is_active")

    def damaged(self) -> list[str]:
        """Runs whose status or settings cannot be read, newest first."""
        return self._ids(f"state = '{lines.DAMAGED}'")

    def categories(self, query: RunQuery, live: Mapping[str, RunSummary]) -> list[tuple[str, str]]:
        """(root, category) of the runs that fit, each once, that of the newest run first."""
        with self.turns:
            return self._retried(lambda: self._categories(query, live))

    def tags(self) -> list[str]:
        """Every tag of a run, the most used first; ties by name."""
        sql = f"SELECT value FROM {file.LINES}, json_each(facts, '$.tags') GROUP BY value ORDER BY count(*) DESC, value"
        return self._column(sql)

    def _ids(self, condition: str) -> list[str]:
        return self._column(f"SELECT run_id FROM {file.LINES} WHERE {condition} ORDER BY run_id DESC")

    def _column(self, sql: str) -> list[str]:
        return self.ask(lambda connection: [row[0] for row in connection.execute(sql)])

    def _categories(self, query: RunQuery, live: Mapping[str, RunSummary]) -> list[tuple[str, str]]:
        connection = self._with_live(live)
        where = search.conditions(query)
        sql = f"SELECT r.root, r.category FROM {_from(where.sql)} WHERE {where.sql} GROUP BY 1, 2"
        return list(connection.execute(f"{sql} ORDER BY max(r.run_id) DESC", where.values))

    def _find_compared(self, query: RunQuery, live: Mapping[str, RunSummary]) -> RunPage:
        compared: set[str] = set()
        while True:
            found = self._ids_that_fit(query, live)
            last = None if query.limit is None else query.offset + query.limit
            ids = found[query.offset : last]
            fresh, n_written = [run_id for run_id in ids[:MOST_COMPARED] if run_id not in compared], self.kept.n_written
            self._refresh(fresh)
            compared.update(fresh)
            if self.kept.n_written == n_written:  # else a run on the page changed, and may no longer belong there
                break
        connection = self.kept.file.connection()
        n_all, n_archived = connection.execute(f"SELECT count(*), total(archived) FROM {file.LINES}").fetchone()
        sql = f"SELECT run_id, summary FROM {file.SUMMARIES} WHERE run_id IN (SELECT value FROM json_each(?))"
        texts = dict(connection.execute(sql, (json.dumps(ids),)))
        runs = tuple(live.get(run_id) or lines.summary_in(texts[run_id]) for run_id in ids)
        return RunPage(runs, len(found), n_all, int(n_archived))

    def _ids_that_fit(self, query: RunQuery, live: Mapping[str, RunSummary]) -> list[str]:
        """In their order, on all pages."""
        connection = self._with_live(live)
        where, by = search.conditions(query), search.value_of(query.sort.removeprefix("-"))
        for name in search.names_in(query):
            self._check_name(connection, name)
        tables = _from(where.sql + by.sql)
        sql = f"SELECT r.run_id, {by.sql} FROM {tables} WHERE {where.sql} ORDER BY r.run_id DESC"
        rows = connection.execute(sql, by.values + where.values)
        return search.in_order(rows, query.sort)

    def _with_live(self, live: Mapping[str, RunSummary]) -> sqlite3.Connection:
        connection = self.kept.file.connection()
        connection.execute("DELETE FROM live")
        connection.executemany(
            "INSERT INTO live VALUES (?, ?)",
            [(run_id, one.status.state if one.status else lines.DAMAGED) for run_id, one in live.items()],
        )
        return connection

    def _check_name(self, connection: sqlite3.Connection, name: str) -> None:
        """Raises SettingsError where no run has a value of this name, although there are runs."""
        _, values = search.value_of(name)
        has = connection.execute(
            f"SELECT 1 FROM {file.LINES} r WHERE json_type(r.facts, ?) IS NOT NULL LIMIT 1", values[:1]
        ).fetchone()
        if has is None and connection.execute(f"SELECT 1 FROM {file.LINES} LIMIT 1").fetchone() is not None:
            raise SettingsError(f"No run has a setting or metric {name[:60]!r}.", fix=search.NAMES)

    # -- the file -----------------------------------------------------------------------------------------------------

    def ask(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `work` makes of the connection, once no other thread uses it."""
        with self.turns:
            return self._retried(lambda: work(self.kept.file.connection()))

    def _retried(self, work: Callable[[], Any], *, is_look: bool = False) -> Any:
        """Do the work again where the file turns out to be damaged, and in memory where it cannot be used."""
        is_again = False
        for _ in range(3):
            try:
                if is_again and not is_look:
                    self._look(None)
                return work()
            except sqlite3.Error as error:
                is_again = True
                if file.is_damage(error):
                    self.kept.file.throw_away()
                elif self.kept.file.why_in_memory:
                    raise
                else:
                    self.kept.file.use_memory(error)
        return work()


def _from(used: str) -> str:
    """The tables that this piece of SQL names."""
    live = " LEFT JOIN temp.live ON temp.live.run_id = r.run_id" * ("live." in used)
    return f"{file.LINES} r{live}"


_INDEXES: dict[Path, RunIndex] = {}
_MAKING = threading.Lock()


def index_of(store: RunStore) -> RunIndex:
    """The index of a store in this process."""
    with _MAKING:
        found = _INDEXES.get(store.home)
        if found is None:
            found = _INDEXES[store.home] = RunIndex(store.home)
        return found


def _let_go() -> None:
    """Close all connections. SQLite keeps its locks in the process: a child that is forked while one is open waits for
    locks that nobody holds.
    """
    for index in list(_INDEXES.values()):
        with index.turns:
            index.kept.file.close()


if hasattr(os, "register_at_fork"):  # starting a program does not come here
    os.register_at_fork(before=_let_go, after_in_child=_INDEXES.clear)
