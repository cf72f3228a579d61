"""The thresholds that people kept for a run, in its decision.json: the one in force and all before it.

Every write is one small change to the newest contents of the file, under the store's lock, and replaces it in one step.
A damaged file is never overwritten, and never taken for a run without a decision: a line that rejects parts must not
fall back to another threshold in silence.
"""

import math
from collections.abc import Callable
from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from wtflow.errors import DamagedRunError, SettingsError
from wtflow.records.decision import Decision
from wtflow.store import layout
from wtflow.store.files import explained, write_json
from wtflow.store.lock import locked
from wtflow.store.notes import clean_comment
from wtflow.store.runs import RunStore

_VERSION = 1
MOST_KEPT = 200
"""Decisions in the history of a run; the oldest go first."""


class _StoredDecision(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    value: FiniteFloat
    rule: str
    words: str
    date: FiniteFloat
    comment: str = ""


class _StoredDecisions(BaseModel):
    """`history`: oldest first. `is_in_force`: the last one of them counts; else the run starts as if it had none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: int
    is_in_force: bool
    history: list[_StoredDecision]


def read_decision(store: RunStore, run_id: str) -> Decision | None:
    """The threshold that was kept for a run; None where there is none in force.
    Raises RunNotFoundError, DamagedRunError, StoreError.
    """
    stored = _read(store, run_id)
    return _decision(stored.history[-1]) if stored.is_in_force and stored.history else None


def decision_history(store: RunStore, run_id: str) -> tuple[Decision, ...]:
    """Every threshold that was kept for a run, the newest first. Raises as `read_decision`."""
    return tuple(_decision(one) for one in reversed(_read(store, run_id).history))


def keep_decision(store: RunStore, run_id: str, decision: Decision) -> None:
    """Keep a threshold for a run: from now on every page, report and export starts with it.
    Raises SettingsError for a value that is not finite or a comment that is too long, DamagedRunError without writing,
    RunBusyError, DiskFullError, StoreError.
    """
    if not math.isfinite(decision.value):
        raise SettingsError(f"A threshold of {decision.value} is not a number.", fix="Give one such as 1.25.")
    kept = _StoredDecision.model_validate(asdict(decision) | {"comment": clean_comment(decision.comment)})

    def change(stored: _StoredDecisions) -> _StoredDecisions:
        return _StoredDecisions(schema_version=_VERSION, is_in_force=True, history=[*stored.history, kept][-MOST_KEPT:])

    _change(store, run_id, change)


def release_decision(store: RunStore, run_id: str) -> None:
    """Let a run start as if no threshold had been kept; the history stays. Raises as `keep_decision`."""
    _change(store, run_id, lambda stored: stored.model_copy(update={"is_in_force": False}))


def _change(store: RunStore, run_id: str, change: Callable[[_StoredDecisions], _StoredDecisions]) -> None:
    with locked(store):  # deleting a run takes the same lock, so a deleted folder does not come back
        write_json(store.folder(run_id) / layout.DECISION, change(_read(store, run_id)).model_dump(mode="json"))


def _read(store: RunStore, run_id: str) -> _StoredDecisions:
    path = store.folder(run_id) / layout.DECISION
    with explained(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return _StoredDecisions(schema_version=_VERSION, is_in_force=False, history=[])
    try:
        stored = _StoredDecisions.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise _damaged(
            run_id, f"{'.'.join(str(part) for part in first['loc'])[:80]}: {first['msg']}".lstrip(": ")
        ) from error
    if stored.schema_version != _VERSION:
        raise _damaged(run_id, f"it has schema {stored.schema_version}, and this version reads {_VERSION}")
    return stored


def _damaged(run_id: str, why: str) -> DamagedRunError:
    return DamagedRunError(
        f"The kept threshold of {run_id} cannot be read: {layout.DECISION} is damaged ({why}).",
        fix="Restore the file, or move it out of the run's folder and keep a threshold again; it is plain text.",
    )


def _decision(stored: _StoredDecision) -> Decision:
    return Decision(**stored.model_dump())
