"""A query of the list of runs as SQL."""

import json
import math
import re
import shlex
from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from wtflow.config import Settings
from wtflow.errors import SettingsError
from wtflow.records.run_list import RunQuery
from wtflow.store.index.lines import DAMAGED, one_value

STATE = "COALESCE(live.state, r.state)"
"""As it is now: written states are corrected by what `live` holds."""
NAMES = "Use a name such as created, image_auroc, seed or steps."
"""What to do about a name that is none."""
_COLUMNS = {
    "created": "r.created",
    "category": "r.title",
    "name": "r.name",
    "star": "r.star",
    "seconds": "r.seconds",
    "state": STATE,
    "run": "r.run_id",
    "archived": "r.archived",
}
"""What a run is sorted and compared by besides its settings and metrics."""
_COMPARED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(!=|<=|>=|=|<|>)(.+)")
_INCOMPLETE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(!=|<=|>=|=|<|>)")
_PARTS = re.compile(r"([0-9]{1,15})")
_WORDS_FOR = {"true": 1, "false": 0}

_USUAL = {name: one_value(value) for name, value in Settings().model_dump(mode="json").items()}
"""Setting -> its default, which the index does not repeat for each run."""


class Part(NamedTuple):
    """A piece of SQL with the values for its question marks."""

    sql: str
    values: tuple[Any, ...] = ()


def conditions(query: RunQuery) -> Part:
    """What a run must fulfil. Raises SettingsError for a name that is none."""
    parts = [*_asked_for(query), *(_condition(term) for term in terms_of(query.search))]
    parts += {"no": [Part("NOT r.archived")], "only": [Part("r.archived")], "also": []}[query.archived]
    return Part(
        " AND ".join(f"({part.sql})" for part in parts) or "1", tuple(value for part in parts for value in part.values)
    )


def in_order(rows: Iterable[tuple[str, Any]], sort: str) -> list[str]:
    """The runs of (run, value), newest first, sorted by the value. Those without one come last; equal ones keep their
    order.
    """
    if sort in ("run", "-run"):
        found = [run_id for run_id, _ in rows]
        return found if sort == "-run" else found[::-1]
    known, unknown = [], []
    for run_id, value in rows:
        if value is None or value == "":
            unknown.append(run_id)
        else:
            known.append((_key(value), run_id))
    known.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    return [run_id for _, run_id in known] + unknown


def _key(value: Any) -> tuple[int, Any]:
    """Numbers before text; text without regard to capitals, and with its numbers as numbers."""
    if isinstance(value, str):
        return 1, [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in _PARTS.split(value.casefold())]
    return 0, value


def names_in(query: RunQuery) -> list[str]:
    """Names of settings and metrics that the query compares or sorts by, besides the columns of the list."""
    compared = [match[1] for term in terms_of(query.search) if (match := _COMPARED.fullmatch(term))]
    named = [*compared, query.sort.removeprefix("-")]
    return [name for name in named if name not in _COLUMNS and name != "tag" and name not in Settings.model_fields]


def terms_of(search: str) -> list[str]:
    """The words of a search; quotes keep several together. What is still being typed, such as `seed=`, is left out."""
    reader = shlex.shlex(search, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.escape, reader.commenters, reader.quotes = True, "", "", '"'
    try:
        words = list(reader)
    except ValueError:  # a quote that is not closed yet
        words = search.replace('"', " ").split()
    return [word for word in words if word.strip() and not _INCOMPLETE.fullmatch(word)]


def value_of(name: str) -> Part:
    """The value of a run by its name. Raises SettingsError for text that is no name."""
    if name in _COLUMNS:
        return Part(_COLUMNS[name])
    if not name.isidentifier():
        raise SettingsError(f"{name[:60]!r} is no setting or metric.", fix=NAMES)
    found = Part("json_extract(r.facts, ?)", (f'$."{name}"',))
    if name not in Settings.model_fields:
        return found
    usual = f"IIF(r.state = '{DAMAGED}', NULL, ?)"  # the settings of a damaged run are not known
    return Part(f"COALESCE({found.sql}, {usual})", (*found.values, _USUAL[name]))


def _asked_for(query: RunQuery) -> list[Part]:
    parts = []
    if query.category is not None:
        parts.append(Part("r.category = ?", (_plain(query.category),)))
    if query.states:
        parts.append(Part(f"{STATE} IN (SELECT value FROM json_each(?))", (json.dumps(query.states),)))
    if query.sources is not None:
        pairs = json.dumps([_plain("\n".join(pair)) for pair in query.sources])
        parts.append(Part("r.root || char(10) || r.category IN (SELECT value FROM json_each(?))", (pairs,)))
    if query.root is not None:
        parts.append(Part("r.root = ?", (_plain(query.root),)))
    if query.below is not None:
        start = _plain(query.below).rstrip("/\\")
        parts.append(Part("substr(r.root, 1, ?) IN (?, ?)", (len(start) + 1, f"{start}/", f"{start}\\")))
    if query.ids is not None:
        parts.append(Part("r.run_id IN (SELECT value FROM json_each(?))", (json.dumps(query.ids),)))
    return parts


def _condition(term: str) -> Part:
    match = _COMPARED.fullmatch(term)
    if match is None:
        return Part(f"instr(r.find || ' ' || {STATE}, ?)", (_plain(term.casefold()),))
    name, sign, text = match.groups()
    if name == "tag":
        has = "EXISTS (SELECT 1 FROM json_each(r.facts, '$.tags') WHERE value = ? COLLATE NOCASE)"
        return Part(has if sign == "=" else f"NOT {has}", (_plain(text),))
    what, values = value_of(name)
    number = _number(text)
    if sign in ("=", "!="):
        same = f"CAST({what} AS TEXT) = ? COLLATE NOCASE" + (f" OR {what} = ?" if number is not None else "")
        found = (*values, _plain(text), *((*values, number) if number is not None else ()))
        return Part(same, found) if sign == "=" else Part(f"{what} IS NOT NULL AND NOT ({same})", (*values, *found))
    if number is None:
        raise SettingsError(f"{term[:60]!r} compares with no number.", fix=f"Give one such as {name}{sign}0.9.")
    if sign in ("<", ">"):
        number = math.nextafter(number, math.inf if sign == ">" else -math.inf)
    # Between two numbers lies no text, which SQLite takes for more than any number.
    ends = (number, math.inf) if sign[0] == ">" else (-math.inf, number)
    return Part(f"{what} BETWEEN ? AND ?", (*values, *ends))


def _number(text: str) -> float | None:
    if text.casefold() in _WORDS_FOR:
        return _WORDS_FOR[text.casefold()]
    try:
        return float(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
