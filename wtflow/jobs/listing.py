"""The list of runs as they are now: from the index, with the states of active runs by their processes.

One look compares the index with the folders; all questions to the view that it returns are answered from that look.
"""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wtflow.errors import WTFlowError
from wtflow.jobs.standing import status_now
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunPage, RunQuery
from wtflow.store.index.look import RunIndex, index_of
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class RunView:
    """The runs of a store at one moment. Files of the runs on a page are compared once more when it is asked for."""

    index: RunIndex
    live: dict[str, RunSummary]
    """Runs that were active by what is written, as they are now, newest first."""

    def find(self, query: RunQuery) -> RunPage:
        """The runs that fit. Raises SettingsError for a setting or metric that no run has."""
        return self.index.find(query, self.live)

    def get(self, run_id: str | None) -> RunSummary | None:
        """One run, archived or not; None where there is none of this id."""
        if run_id is None:
            return None
        found = self.find(RunQuery(ids=(run_id,), archived="also", limit=1)).runs
        return found[0] if found else None

    def get_all(self, run_ids: Iterable[str]) -> dict[str, RunSummary]:
        """These runs, archived or not, as far as they are there."""
        ids = tuple(run_ids)
        return {one.run_id: one for one in self.find(RunQuery(ids=ids, archived="also")).runs} if ids else {}

    @property
    def active(self) -> list[RunSummary]:
        """Runs that wait or go on, newest first."""
        return [one for one in self.live.values() if one.status is not None and one.status.is_active]


def look(store: RunStore, progress: Callable[[int, int], None] | None = None) -> RunView:
    """The runs as they are now. progress: (done, total) while many runs have to be read, as for a new index."""
    index_of(store).look(progress)
    return last_look(store)


def last_look(store: RunStore) -> RunView:
    """The runs as the last look of this process found them, such as that of `reconcile` just now."""
    index = index_of(store)
    return RunView(index, {run_id: _live(store, run_id) for run_id in index.active()})


def live_summary(store: RunStore, summary: RunSummary) -> RunSummary:
    """The summary of a run with its live state."""
    if summary.status is not None and summary.status.is_active:
        with contextlib.suppress(WTFlowError):
            return store.summary(summary.run_id, status_now(store, summary.run_id))
    return summary


def _live(store: RunStore, run_id: str) -> RunSummary:
    try:
        return store.summary(run_id, status_now(store, run_id))
    except WTFlowError:  # gone, or damaged since the look
        return store.summary(run_id)
