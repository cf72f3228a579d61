"""One process's work on one inspection: which images are still to score, their rows written, how far it is told.

Images that are done and unchanged are never scored twice. One that was renamed keeps its row under its new name.
Imports torch.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from wtflow.inspecting.aftermath import Aftermath, was_handled
from wtflow.inspecting.scorer import Scored, Scorer
from wtflow.inspecting.sources import Item, Listing, list_images
from wtflow.machine.progress import StopRequestedError
from wtflow.records.core import RunStatus
from wtflow.records.inspect import Counts, Inspected, Inspection
from wtflow.store import inspections
from wtflow.store.inspected_reading import each_latest, read_rows
from wtflow.store.inspected_rows import RowWriter
from wtflow.store.runs import RunStore

STATUS_EVERY_S = 0.5
RATE_OVER_S = 20.0
"""Images a second are those of about so many last seconds."""

Tell = Callable[[Inspection], None]
"""Is told of every new status."""
EachRow = Callable[[Inspected], None]
"""Is told of every new row."""


class Preparing(NamedTuple):
    """What is done before images are scored, at the stage "runtime"."""

    message: str = ""
    percent: float = 0.0


class _Known(NamedTuple):
    """An image that has a row."""

    stamp: tuple[int, ...]
    is_defective: bool
    is_broken: bool
    is_handled: bool
    """What becomes of a defective image was done."""


class Session:
    """Use it in a with block."""

    def __init__(
        self,
        store: RunStore,
        inspection: Inspection,
        scorer: Scorer,
        aftermath: Aftermath,
        tell: Tell,
        each: EachRow,
    ) -> None:
        self.store, self.inspection, self.scorer, self.aftermath = store, inspection, scorer, aftermath
        self.tell, self.each = tell, each
        self.folder = inspections.folder_of(store, inspection.inspection_id)
        self.writer = RowWriter(self.folder, scorer.facts, keeps_maps=inspection.settings.keep_maps)
        self.known = {row.image: _known(row) for row in each_latest(self.folder)}
        self.n_found = len(self.known)
        self.stage, self.preparing, self._said, self._began = "score", Preparing(), 0.0, time.monotonic()
        self._pace: list[tuple[float, int]] = [(self._began, 0)]
        self._n_here = 0

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self.aftermath.close(self.writer)
        self.writer.close()

    def listing(self) -> Listing:
        """The images of the sources now. Raises DatasetError for a source that is not there."""
        plan, sources = self.inspection, [Path(one) for one in self.inspection.sources]
        without = [Path(plan.out, name) for name in ("maps", "overlays") if plan.out]
        without += [Path(one) for one in (plan.out, plan.settings.defective_to) if one and not _holds_one(one, sources)]
        if not any(self.store.home in (source, *source.parents) for source in sources):
            without.append(self.store.home)
        found = list_images(sources, without)
        self.n_found = len(self.known.keys() | {item.image for item in found.items})
        return found

    def is_done(self, item: Item) -> bool:
        """Whether the image has a row of the file as it is now; one that could not be found is looked for again."""
        known = self.known.get(item.image)
        return known is not None and bool(known.stamp) and known.stamp[:2] == item.stamp[:2]

    def keep_renamed(self, items: Sequence[Item]) -> None:
        """Give images their old rows that were only renamed since. items: all that there are now."""
        new = {item.stamp: item for item in items if item.image not in self.known and len(item.stamp) == 3}
        if not new:
            return
        there = {item.image for item in items}
        gone = {known.stamp: image for image, known in self.known.items() if known.stamp in new and image not in there}
        if not gone:
            return
        rows = {row.image: row for row in read_rows(self.folder)}
        for stamp, image in gone.items():
            item, old = new[stamp], rows[image]
            self.writer.rename(old, replace(old, image=item.image, path=str(item.path)))
            self.known[item.image] = self.known.pop(image)

    def finish_handled(self, items: Sequence[Item]) -> None:
        """Do what was left to do with defective images when an earlier process ended."""
        left = [item for item in items if self.is_done(item) and self._is_left(item.image)]
        if left:
            rows = {row.image: row for row in read_rows(self.folder)}
            for item in left:
                self._handle(rows[item.image])

    def score(self, portions: Sequence[Sequence[Item]], keep: Callable[[Inspected], bool] = lambda row: True) -> None:
        """Score what is not done of these portions, in order, and write it. keep: False drops a row, which is then to
        be scored again. Raises StopRequestedError when the inspection should end.
        """
        wanted = [portion for portion in portions if not all(self.is_done(item) for item in portion)]
        done = {item.image for portion in wanted for item in portion if self.is_done(item)}
        with contextlib.closing(self.scorer.score(wanted)) as found:
            for scored in found:
                self._write(scored, lambda row: row.image not in done and keep(row))
                self.report()

    def report(self, *, is_now: bool = False) -> None:
        """Write how far it is, twice a second at most. Raises StopRequestedError when the inspection should end."""
        now = time.monotonic()
        if not is_now and now - self._said < STATUS_EVERY_S:
            return
        self._said = now
        self.aftermath.write_notes(self.writer)
        self.write_status(self._status())
        self.tell(self.inspection)
        if inspections.stop_requested_at(self.store, self.inspection.inspection_id) is not None:
            raise StopRequestedError

    def prepare(self, message: str, percent: float = 0.0) -> None:
        """Report what is done before images are scored. Raises StopRequestedError as `report`."""
        is_new = message != self.preparing.message
        self.stage, self.preparing = "runtime", Preparing(message, percent)
        self.report(is_now=is_new)

    def write_status(self, status: RunStatus, *notes: str) -> None:
        """Replace the status. Raises StoreError."""
        kept = tuple(dict.fromkeys((*self.inspection.notes, *self.aftermath.notes, *notes)))
        self.inspection = replace(self.inspection, status=status, counts=self.counts(), notes=kept)
        inspections.write_progress(self.store, self.inspection)

    def counts(self) -> Counts:
        known = self.known.values()
        return Counts(
            n_found=max(self.n_found, len(self.known)),
            n_done=len(self.known),
            n_defective=sum(one.is_defective for one in known),
            n_broken=sum(one.is_broken for one in known),
            per_second=self._per_second(),
        )

    # -- inside --------------------------------------------------------------------------------------------------------

    def _write(self, scored: Scored, keep: Callable[[Inspected], bool]) -> None:
        sound = [row for row in scored.rows if not row.problem]
        kept = [i for i, row in enumerate(sound) if keep(row)]
        rows = [row for row in scored.rows if keep(row)]
        if not rows:
            return
        pictures = [scored.pictures[i] for i in kept] if scored.pictures else []
        for row in self.writer.append(rows, scored.maps[kept], scored.means[kept], pictures):
            self.known[row.image] = _known(row)
            self._handle(row)
            self.each(row)
        self._n_here += len(rows)
        self._pace.append((time.monotonic(), self._n_here))
        while len(self._pace) > 2 and self._pace[1][0] < time.monotonic() - RATE_OVER_S:
            self._pace.pop(0)

    def _handle(self, row: Inspected) -> None:
        self.aftermath.handle(row, self.writer)
        self.known[row.image] = self.known[row.image]._replace(is_handled=True)

    def _is_left(self, image: str) -> bool:
        return self.known[image].is_defective and not self.known[image].is_handled and self.aftermath.moves

    def _per_second(self) -> float | None:
        (began, before), (now, done) = self._pace[0], self._pace[-1]
        return round((done - before) / (now - began), 3) if done > before and now > began else None

    def _status(self) -> RunStatus:
        process, counts = self.inspection.status, self.counts()
        left = None
        if self.stage == "score" and counts.per_second:
            left = round((counts.n_found - counts.n_done) / counts.per_second, 1)
        return RunStatus(
            state="running",
            stage=self.stage,
            step=counts.n_done,
            total=counts.n_found,
            percent=round(self.preparing.percent or 100 * counts.n_done / max(counts.n_found, 1), 1),
            seconds_left=left,
            pid=process.pid,
            pid_created=process.pid_created,
            heartbeat=time.time(),
            message=self.preparing.message,
        )


def portions_of(items: Sequence[Item], n_each: int) -> list[Sequence[Item]]:
    """Items in groups of n_each. Groups depend on all items, not on those that are left: images of a group go through
    the network together, and the last digits of a score may depend on who else does. So a table comes out the same
    however often the work was interrupted.
    """
    return [items[i : i + n_each] for i in range(0, len(items), n_each)]


def _known(row: Inspected) -> _Known:
    return _Known(row.stamp, row.verdict == "defective", bool(row.problem), was_handled(row))


def _holds_one(folder: str, sources: Sequence[Path]) -> bool:
    return any(Path(folder) in (source, *source.parents) for source in sources)
