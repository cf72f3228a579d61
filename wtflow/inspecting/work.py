"""An inspection from its first image to its tables, in this process. Imports torch.

It can be killed at any moment: whoever runs it again goes on with the images that are left.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from wtflow import numbers
from wtflow.detector.looks import with_looks
from wtflow.detector.opened import open_any
from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import score_images
from wtflow.errors import DatasetError, StoreError
from wtflow.inspecting import tasks
from wtflow.inspecting.aftermath import Aftermath, refuse_folder
from wtflow.inspecting.drift import FEWEST
from wtflow.inspecting.runtimes.pick import settle_runtime
from wtflow.inspecting.scorer import Scorer
from wtflow.inspecting.session import EachRow, Session, Tell, portions_of
from wtflow.inspecting.sources import Item
from wtflow.inspecting.tables import write_tables
from wtflow.inspecting.watched import LOOK_EVERY_S, Watched
from wtflow.inspecting.webhook import Webhook, watch_settings
from wtflow.jobs import processes
from wtflow.machine.progress import StopRequestedError
from wtflow.records.core import IMAGE_SUFFIXES, RunStatus
from wtflow.records.decision import Decision
from wtflow.records.inspect import DetectorFacts, Inspected, Inspection
from wtflow.store import inspections, layout
from wtflow.store.runs import RunStore

MOST_OF_A_LOOK = 0.2
"""Share of the time that looking at folders may take: huge ones are looked at less often."""


def inspect_here(
    store: RunStore,
    inspection_id: str,
    tell: Tell = lambda inspection: None,
    each: EachRow = lambda row: None,
    opened: OpenedDetector | None = None,
) -> Inspection:
    """The inspection as it ended, `finished` or `stopped`; goes on where an earlier process ended.

    `tell` gets every new status, and may raise StopRequestedError, as a stop file does; `each` gets every new row.
    opened: its detector, where it is open already. Raises RunBusyError when another process has it, and WTFlowError
    where nothing can be scored; the status then is `failed` and says why.
    """
    claimed = tasks.claim(store, inspection_id)
    try:
        return _work(store, claimed, tell, each, opened or open_any(store, claimed.detector))
    except Exception as error:
        failure = processes.failure_of(error, "The log has the details.")
        ended = RunStatus(state="failed", heartbeat=time.time(), message=failure.message, fix=failure.fix)
        latest = inspections.read_inspection(store, inspection_id)
        inspections.write_progress(store, replace(latest, status=ended))
        raise


def _work(store: RunStore, claimed: Inspection, tell: Tell, each: EachRow, opened: OpenedDetector) -> Inspection:
    inspection = _with_facts(claimed, opened)
    inspections.write_plan(store, inspection)
    if inspection.facts is None:
        raise StoreError("The detector is not known.", fix="Start a new inspection.")
    if inspection.settings.defective_to:
        refuse_folder(Path(inspection.settings.defective_to), inspection.sources)
    scorer = Scorer(opened, inspection.facts, keeps_pictures=inspection.settings.keep_pictures)
    aftermath = Aftermath(inspection.settings, _webhook(store, inspection))
    began = time.monotonic()
    with Session(store, inspection, scorer, aftermath, tell, each) as session:
        try:
            if inspection.settings.watch:
                watch(session, opened)
            else:
                score_all(session)
            measure_normals(session, opened)
            state, message = "finished", words_of(session, time.monotonic() - began)
        except StopRequestedError:
            state, message = "stopped", "Stopped. What it has scored is kept."
    session.stage = "tables"
    write_tables(store, session.inspection, Path(inspection.out) if inspection.out else session.folder)
    session.write_status(
        RunStatus(
            state=state,
            stage="score",
            step=len(session.known),
            total=session.n_found,
            percent=100.0 if state == "finished" else 100 * len(session.known) / max(session.n_found, 1),
            heartbeat=time.time(),
            message=message,
        )
    )
    with contextlib.suppress(StopRequestedError):  # it has ended already
        tell(session.inspection)
    return session.inspection


def score_all(session: Session) -> None:
    """Score every image of the sources once. Raises StopRequestedError, and DatasetError for a source that is not
    there.
    """
    listing = session.listing()
    if not listing.items and not session.known:
        raise DatasetError(
            f"{', '.join(session.inspection.sources)[:300]} holds no images.",
            fix=f"Check the path; images end with {', '.join(IMAGE_SUFFIXES)}.",
        )
    session.inspection = replace(session.inspection, notes=listing.notes)
    session.report(is_now=True)
    session.keep_renamed(listing.items)
    session.finish_handled(listing.items)
    if left := [item for item in listing.items if not session.is_done(item)]:
        settle_runtime(session, left)
    session.score(portions_of(listing.items, session.scorer.n_each))


def watch(session: Session, opened: OpenedDetector, sleep: Callable[[float], None] = time.sleep) -> None:
    """Score images as they come, until StopRequestedError. Raises DatasetError for a source that is not there now."""
    watched, is_settled = Watched(session.is_done), False
    session.listing()

    def keep(row: Inspected) -> bool:
        return not row.problem or watched.is_broken(row.image)

    while True:
        began = time.monotonic()
        ready = look(session, watched)
        if ready and not is_settled:
            settle_runtime(session, ready)
            is_settled = True
        session.stage = "score" if ready else "watch"
        session.report(is_now=bool(ready))
        session.score(portions_of(ready, session.scorer.n_each), keep)
        if not ready:
            measure_normals(session, opened)
        took = time.monotonic() - began
        sleep(max(LOOK_EVERY_S - took, 0.0 if ready else took / MOST_OF_A_LOOK * (1 - MOST_OF_A_LOOK), 0.05))


def measure_normals(session: Session, opened: OpenedDetector) -> None:
    """Keep what normal images look like with an inspection that has images enough to tell of camera and light. Raises
    StopRequestedError.
    """
    inspection_id, counts = session.inspection.inspection_id, session.counts()
    path = session.folder / inspections.NORMALS
    if path.is_file() or counts.n_done - counts.n_broken < FEWEST:
        return
    session.stage = "normals"
    if layout.is_run_id(session.inspection.detector):
        opened = with_looks(session.store, session.inspection.detector, opened, lambda done, total: session.report())
    if opened.normal_looks is not None:
        inspections.write_normals(session.store, inspection_id, opened.normal_looks)


def look(session: Session, watched: Watched) -> list[Item]:
    """One look at the sources: what is complete and not yet scored. A folder that is away for a while, as on a network
    drive, stops nothing.
    """
    try:
        listing = session.listing()
    except DatasetError as error:
        session.inspection = replace(session.inspection, notes=(str(error),))
        return []
    session.inspection = replace(session.inspection, notes=listing.notes)
    session.keep_renamed(listing.items)
    session.finish_handled(listing.items)
    return watched.look(listing.items)


def words_of(session: Session, seconds: float) -> str:
    """What was found, in a sentence."""
    counts = session.counts()
    broken = f", {counts.n_broken:,} could not be read" if counts.n_broken else ""
    return (
        f"{numbers.count(counts.n_done, 'image')}: {counts.n_defective:,} defective{broken}."
        f" It took {numbers.duration(seconds)}."
    )


def facts_of(opened: OpenedDetector, decision: Decision) -> DetectorFacts:
    """What rows and maps need to be read without the detector. Scores one empty image."""
    found = score_images(opened, np.zeros((1, *opened.shape, 3), np.float32))
    settings, (low, high) = opened.settings, opened.facts["color_range"]
    return DetectorFacts(
        name=opened.name,
        fingerprint=opened.fingerprint,
        decision=decision,
        shape=opened.shape,
        map_shape=(found.maps.shape[1], found.maps.shape[2]),
        n_features=found.means.shape[1],
        score_kind=settings.score,
        top_fraction=settings.top_fraction,
        color_range=(float(low), float(high)),
        background=settings.background,
    )


def given(threshold: float) -> Decision:
    """A threshold that a person gave for one inspection."""
    return Decision(threshold, "given", "Given for this inspection.", time.time())


def _with_facts(inspection: Inspection, opened: OpenedDetector) -> Inspection:
    """The threshold stays the one that an inspection began with. Raises StoreError for another detector."""
    before = inspection.facts
    if before is None:
        decision = opened.threshold if inspection.threshold is None else given(inspection.threshold)
        return replace(inspection, facts=facts_of(opened, decision))
    if before.fingerprint != opened.fingerprint:
        raise StoreError(
            f"The detector {before.name} has changed since inspection {inspection.inspection_id} began.",
            fix="Start a new inspection: scores of two detectors do not belong in one table.",
        )
    return inspection


def _webhook(store: RunStore, inspection: Inspection) -> Webhook | None:
    if not inspection.settings.watch:
        return None
    settings = watch_settings(store.home)
    about = {"inspection": inspection.inspection_id, "detector": inspection.name}
    return Webhook(settings, about) if settings.webhook else None
