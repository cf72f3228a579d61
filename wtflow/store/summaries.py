"""A run in a line, read from its own files. `store/index/` keeps these lines, so that lists need not read every run."""

import contextlib
from dataclasses import dataclass, field
from typing import Any

from wtflow.config import Settings
from wtflow.errors import WTFlowError
from wtflow.records.core import RunStatus, RunSummary
from wtflow.records.notes import RunNotes
from wtflow.records.pixel_images import pixel_images_of
from wtflow.store import layout
from wtflow.store.note_file import read_notes
from wtflow.store.run_status import Statuses

_LOOKED_AT_FIRST = (layout.SCORES, layout.MAPS)
"""Without them the results of a run cannot be opened."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run as lists know it: its summary, and what else it is found and sorted by."""

    summary: RunSummary
    settings: Settings | None = None
    """None for a damaged run."""
    notes: RunNotes = field(default_factory=RunNotes)


class Summaries(Statuses):
    """Reads the runs below one folder as lines of a list."""

    def line(self, run_id: str, status: RunStatus | None = None) -> RunLine:
        """One run in a line; for a damaged run `problem` is set, and nothing is raised.

        status: how it stands now, where that is known better than the written status tells.
        """
        try:
            config, status = self.config(run_id), status or self.status(run_id)
            facts: dict[str, Any] = {}
            if status.state == "finished":
                facts = self.metrics(run_id)
                self.check_results(run_id, facts, only=_LOOKED_AT_FIRST)
        except WTFlowError as error:
            return RunLine(RunSummary(run_id=run_id, problem=str(error)))
        notes = RunNotes()
        with contextlib.suppress(WTFlowError):  # who opens the notes is told that they are damaged
            notes = read_notes(self.folder(run_id))
        settings = config.settings
        summary = RunSummary(
            run_id=run_id,
            status=status,
            root=config.root,
            category=config.category,
            created=config.created,
            label=settings.label,
            is_untrained=settings.is_untrained,
            is_embedded=settings.is_embedded,
            seed=settings.seed,
            steps=settings.steps,
            name=notes.name,
            tags=notes.tags,
            star=notes.star,
            archived=notes.archived,
            is_rescored=bool(facts.get("scored_from")),
            seconds=_total(facts.get("seconds")),
            metrics=facts.get("metrics", {}),
            pixel_images=pixel_images_of(facts) if facts else None,
            lack=self._lack(run_id, facts, left_out=_LOOKED_AT_FIRST) if status.state == "finished" else "",
        )
        return RunLine(summary, settings, notes)

    def summary(self, run_id: str, status: RunStatus | None = None) -> RunSummary:
        """The summary alone, as `line` reads it."""
        return self.line(run_id, status).summary

    def summaries(self) -> list[RunSummary]:
        """All runs, newest first, each read from its folder: slow where there are thousands."""
        return [self.summary(run_id) for run_id in self.ids()]

    def lack(self, run_id: str) -> str:
        """The first file of a finished run that is missing, cut off or overwritten, in a sentence; empty where nothing
        is noticed.
        """
        try:
            return self._lack(run_id, self.metrics(run_id))
        except WTFlowError as error:
            return str(error)

    def _lack(self, run_id: str, metrics: dict[str, Any], left_out: tuple[str, ...] = ()) -> str:
        """left_out: files that were looked at already."""
        try:
            self.check_results(run_id, metrics, only=tuple(name for name in layout.RESULTS if name not in left_out))
            self.check_checkpoint(run_id)
        except WTFlowError as error:
            return str(error)
        return ""


def _total(seconds: Any) -> float | None:
    """The sum of the seconds per stage; None where they are not numbers, as in runs that did not measure them."""
    values = list(seconds.values()) if isinstance(seconds, dict) else []
    return float(sum(values)) if values and all(isinstance(value, int | float) for value in values) else None
