"""Making room: what could be deleted, with the reasons to keep the rest, and its deletion once a person has agreed.

A plan is a list. It is made again when it is carried out, and refused where the list of a person is no longer true:
a run that is now the best, noted, in use or active stays.
"""

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from wtflow.errors import ChangedMeanwhileError, StoreError, WTFlowError
from wtflow.jobs import listing, studies, trainings
from wtflow.numbers import count
from wtflow.permission import changes
from wtflow.records.core import RunSummary
from wtflow.records.run_list import RunQuery
from wtflow.records.space import Cleared, Kept, Plan, Reason, Spare
from wtflow.store import inspections, layout, sweeps
from wtflow.store.dataset_versions import title_of
from wtflow.store.decisions import decision_history
from wtflow.store.exported import exports_of
from wtflow.store.files import explained
from wtflow.store.index import sizes
from wtflow.store.index.look import index_of
from wtflow.store.lock import locked
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore

Progress = Callable[[int, int], None]
WHY: dict[Reason, str] = {
    "notes": "has notes, tags, a name or a star",
    "threshold": "has a threshold that was kept",
    "archived": "is archived",
    "inspections": "inspected new images",
    "exports": "was exported as a detector",
    "what-ifs": "holds painted or tried images",
    "sweep": "is part of a sweep, whose table would lose it",
}


def plan_derived(store: RunStore) -> Plan:
    """Delete what was computed from finished runs: it is computed again when a page needs it."""
    index = index_of(store)
    index.look()
    active, spare, kept, known = set(index.active()), [], [], sizes.known(index)
    for run in index.find(RunQuery(sort="-run", archived="also"), {}).runs:
        n_bytes = _size(store, run.run_id, known)["derived"]
        if not n_bytes:
            continue
        if run.run_id in active:
            kept.append(_kept(run, "is in training"))
        elif studies.is_computing(store, run.run_id):
            kept.append(_kept(run, "something is being computed from it"))
        else:
            spare.append(Spare(run.run_id, _title(run), n_bytes))
    return Plan("derived", tuple(spare), tuple(kept))


def plan_all_but_best(
    store: RunStore, n_best: int = 1, metric: str = "image_auroc", even: Iterable[Reason] = ()
) -> Plan:
    """Delete all finished runs but the best of each category in each folder of images, by a metric of which more is
    better. even: reasons that do not count. Raises SettingsError for a metric that no run has.
    """
    view, ignored, known = listing.look(store), tuple(even), sizes.known(index_of(store))
    runs = view.find(RunQuery(sort=f"-{metric}", archived="also")).runs
    inspected = {inspections.read_or_problem(store, one).detector for one in inspections.ids(store)}
    swept = sweeps.runs_of_all(store)
    groups: dict[tuple[str, str], list[RunSummary]] = defaultdict(list)
    kept: list[Kept] = []
    for run in runs:
        if run.problem or run.status is None:
            kept.append(_kept(run, "is damaged, so nothing is known of it"))
        elif run.status.state != "finished":
            kept.append(_kept(run, f"is {run.status.state}"))
        elif not isinstance(run.metrics.get(metric), int | float):
            kept.append(_kept(run, f"has no {metric}"))
        else:
            groups[run.root, run.category].append(run)
    spare: list[Spare] = []
    for found in groups.values():
        best, rest = found[:n_best], found[n_best:]
        kept += [_kept(run, f"is number {place} of its category") for place, run in enumerate(best, 1)]
        for run in rest:
            reason = _reason(store, run, inspected, swept, ignored)
            if reason is not None:
                kept.append(Kept(run.run_id, _title(run), WHY[reason], reason))
                continue
            n_bytes = sum(_size(store, run.run_id, known).values())
            better = tuple(one.run_id for one in best)
            spare.append(Spare(run.run_id, _title(run), n_bytes, run.metrics[metric], better))
    return Plan("runs", tuple(spare), tuple(kept), n_best, metric, ignored)


@changes("delete runs")
def carry_out(store: RunStore, plan: Plan, progress: Progress = lambda done, total: None) -> Cleared:
    """Delete what a plan lists. Raises ChangedMeanwhileError, before anything is deleted, where a run of the list is
    no longer one that may go.
    """
    now = (
        plan_derived(store) if plan.what == "derived" else plan_all_but_best(store, plan.n_best, plan.metric, plan.even)
    )
    may_go = {one.run_id for one in now.spare}
    there = {one.run_id for one in (*now.spare, *now.kept)}
    changed = [one.run_id for one in plan.spare if one.run_id not in may_go and one.run_id in there]
    if changed:
        raise ChangedMeanwhileError(
            f"{count(len(changed), 'run')} of the list changed meanwhile, {changed[0]} first. Nothing was deleted.",
            fix="Look at the list again.",
        )
    gone, refused, n_bytes = [], [], 0
    for i, one in enumerate(plan.spare):
        progress(i, len(plan.spare))
        if one.run_id not in may_go:
            continue  # somebody else has deleted it
        try:
            _clear(store, plan, one)
        except WTFlowError as error:
            refused.append(Kept(one.run_id, one.title, error.message))
            continue
        gone.append(one.run_id)
        n_bytes += one.n_bytes
    return Cleared(tuple(gone), n_bytes, tuple(refused))


def _clear(store: RunStore, plan: Plan, one: Spare) -> None:
    """Raises WTFlowError where the run may not go any more."""
    if plan.what == "derived":
        with locked(store):  # whoever has something computed takes the same lock to begin
            if studies.is_computing(store, one.run_id):
                raise StoreError("Something is being computed from it.", fix="Wait until it is done.")
            folder = _derived(store, one.run_id)
            with explained(folder), contextlib.suppress(FileNotFoundError):
                shutil.rmtree(folder)
        return
    if any(not (store.home / run_id).is_dir() for run_id in one.better):
        raise StoreError("A better run that was to stay is gone.", fix="Look at the list again.")
    if (reason := _reason(store, store.summary(one.run_id), (), (), plan.even)) is not None:
        raise StoreError(f"It {WHY[reason]} by now.", fix="Look at the list again.")
    trainings.delete(store, one.run_id)


def _reason(
    store: RunStore, run: RunSummary, inspected: Iterable[str], swept: Iterable[str], even: tuple[Reason, ...]
) -> Reason | None:
    """The first reason to keep a run that is not the best, of those that count."""
    folder = store.home / run.run_id
    reasons: dict[Reason, Callable[[], bool]] = {
        "archived": lambda: run.archived,
        "notes": lambda: _has_notes(store, run.run_id),
        "threshold": lambda: (folder / layout.DECISION).exists() and _has_decision(store, run.run_id),
        "inspections": lambda: run.run_id in inspected,
        "exports": lambda: bool(exports_of(store, run.run_id)),
        "what-ifs": lambda: any((folder / name).is_dir() for name in (layout.WHAT_IFS, layout.TRIED)),
        "sweep": lambda: run.run_id in swept,
    }
    return next((reason for reason, holds in reasons.items() if reason not in even and holds()), None)


def _has_notes(store: RunStore, run_id: str) -> bool:
    if not (store.home / run_id / layout.NOTES).exists():
        return False
    try:
        return not notes_of(store, run_id).is_empty
    except WTFlowError:
        return True  # somebody wrote them, and they cannot be read


def _has_decision(store: RunStore, run_id: str) -> bool:
    try:
        return bool(decision_history(store, run_id))
    except WTFlowError:
        return True


def _size(store: RunStore, run_id: str, known: dict[str, dict[str, int]]) -> dict[str, int]:
    """Part -> bytes, as they were measured last, else now."""
    return known.get(run_id) or sizes.measure(store.home / run_id)


def _derived(store: RunStore, run_id: str) -> Path:
    return store.home / run_id / layout.DERIVED


def _kept(run: RunSummary, why: str) -> Kept:
    return Kept(run.run_id, _title(run), why)


def _title(run: RunSummary) -> str:
    return run.name or (title_of(run.root, run.category) if run.root else run.run_id)
