"""A question to the list of runs, and its answer. Plain values."""

from dataclasses import dataclass
from typing import Literal

from wtflow.records.core import RunSummary

NEWEST_FIRST = "-created"
Archived = Literal["no", "also", "only"]


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, in which order, and how many of them."""

    search: str = ""
    """Words that a run must hold, all of them: in its id, category, name, tags, comment, label, settings or state.
    NAME=VALUE, and the same with !=, <, <=, >, >=, compares a setting or metric."""
    category: str | None = None
    states: tuple[str, ...] = ()
    """Any of these, as they are now; `damaged` is one. Empty: all."""
    sources: tuple[tuple[str, str], ...] | None = None
    """(root, category): any of these."""
    root: str | None = None
    """The folder of the images."""
    below: str | None = None
    """A folder that the folder of the images lies below."""
    ids: tuple[str, ...] | None = None
    sort: str = NEWEST_FIRST
    """A setting, a metric, or one of `category`, `created`, `name`, `run`, `seconds`, `star`, `state`; with a minus the
    highest comes first. Runs that have no such value come last both ways; of equal ones the newest comes first."""
    archived: Archived = "no"
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class RunPage:
    """The runs that were asked for, and of how many they are a part."""

    runs: tuple[RunSummary, ...]
    n_found: int
    """That fit, on all pages."""
    n_all: int
    """In the store, archived ones too."""
    n_archived: int
