"""Which runs the table shows: all where they are few, else the page that is looked at."""

import re
from dataclasses import dataclass

from pages.ui import state
from pages.ui.overview.rows import COLUMNS
from wtflow.errors import SettingsError
from wtflow.jobs.listing import RunView
from wtflow.records.core import RunSummary
from wtflow.records.run_list import Archived, RunQuery

WHOLE = 200
"""Up to so many runs the browser has them all, and sorts and filters them by itself."""
PER_PAGE = 100
_SORTED_BY = {"auroc": "image_auroc"}
"""Columns that the index knows by another name."""
_WAYS: tuple[Archived, ...] = ("no", "also", "only")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the table shows."""

    runs: tuple[RunSummary, ...]
    n_found: int
    n_all: int
    """In the store, archived ones too."""
    n_archived: int
    archived: Archived
    page: int
    """The number of this page, from 1; 0 where all runs are here."""
    find: str
    by: str
    fits: tuple[str, ...] = ()
    """Of all runs, those that hold the words of `find`."""
    problem: str = ""
    """Why the words cannot be looked for, in a sentence."""

    @property
    def n_pages(self) -> int:
        return max(1, -(-self.n_found // PER_PAGE))


def list_runs(view: RunView) -> Listed:
    """The runs that the address asks for."""
    find = state.get("find") or ""
    archived: Archived = next((way for way in _WAYS if way == state.get("archived")), "no")
    keys = [key for column in COLUMNS for key in (str(column["key"]), f"-{column['key']}")]
    by = state.choose("by", keys, "-created")
    sort = re.sub(r"[a-z_]+", lambda found: _SORTED_BY.get(found[0], found[0]), by)
    every = RunQuery(sort=sort, archived=archived, limit=WHOLE)
    whole = view.find(every)
    counts = whole.n_all, whole.n_archived, archived
    words = RunQuery(search=find, sort=sort, archived=archived, limit=PER_PAGE)
    try:
        if whole.n_found <= WHOLE:
            fits = tuple(one.run_id for one in view.find(RunQuery(search=find, archived=archived)).runs)
            return Listed(whole.runs, whole.n_found, *counts, 0, find, by, fits)
        found = view.find(words) if find else None
        n_found = found.n_found if found else whole.n_found
        number = int(min(max(state.get_number("page") or 1, 1), max(1, -(-n_found // PER_PAGE))))
        if number > 1:
            page = RunQuery(find, sort=sort, archived=archived, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
            found = view.find(page)
        runs = found.runs if found else whole.runs[:PER_PAGE]
        return Listed(runs, n_found, *counts, number, find, by)
    except SettingsError as error:
        is_whole = whole.n_found <= WHOLE
        runs = whole.runs if is_whole else ()
        return Listed(runs, len(runs), *counts, 0 if is_whole else 1, find, by, problem=str(error))
