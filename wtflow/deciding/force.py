"""The threshold that everything about a run starts with, and the other places where it may start."""

import time
from dataclasses import replace
from typing import Any

from wtflow.deciding.evidence import evidence_of
from wtflow.deciding.intervals import needed_on_average
from wtflow.deciding.rules import DEFAULT_SHARE, at_most_false_alarms
from wtflow.numbers import percent
from wtflow.records.decision import Decision, ThresholdChoice
from wtflow.results import RunResults, threshold_choices
from wtflow.store.decisions import read_decision
from wtflow.store.runs import RunStore

SCORED_AGAIN = (
    "To start at a share of false alarms, its normals would have to be scored by flows that had not learned from them;"
    " scoring a run again trains none."
)
"""Why a run that was scored again does not start where the run that was trained may."""


def threshold_in_force(store: RunStore, results: RunResults) -> Decision:
    """The threshold that was kept for a run, else the one that it starts from.
    Raises DamagedRunError where one may have been kept and cannot be read.
    """
    return read_decision(store, results.run_id) or _as_decision(results, own_starts(results)[0])


def starts(store: RunStore, results: RunResults) -> tuple[ThresholdChoice, ...]:
    """Where the threshold of a run may start: at the kept one first, then where runs start by themselves. Never empty.
    Raises DamagedRunError as `threshold_in_force`.
    """
    kept = read_decision(store, results.run_id)
    return (*([] if kept is None else [_kept(kept)]), *own_starts(results))


def own_starts(results: RunResults) -> tuple[ThresholdChoice, ...]:
    """Where a run may start by itself, the default first: at most `DEFAULT_SHARE` false alarms where it has enough
    normals with scores of detectors that did not learn from them, kept aside or left out in turn, else as runs of
    earlier versions.
    """
    others, evidence = threshold_choices(results), evidence_of(results)
    if len(evidence.normals) >= needed_on_average(DEFAULT_SHARE):
        ruling = at_most_false_alarms(evidence, DEFAULT_SHARE)
        label = f"At most {percent(DEFAULT_SHARE)} false alarms"
        return (ThresholdChoice("false_alarms", label, ruling.value, ruling.words), *others)
    if results.normals is None and results.metrics.get("scored_from"):
        first = replace(others[0], explanation=f"{others[0].explanation} {SCORED_AGAIN}")
        return (first, *others[1:])
    return others


def decision_at(store: RunStore, results: RunResults, value: float | None) -> Decision:
    """The threshold in force, or for a value the decision that names it: the kept one, where a run starts, or set by
    hand. Raises DamagedRunError as `threshold_in_force`.
    """
    kept = read_decision(store, results.run_id)
    if kept is not None and value in (None, kept.value):
        return kept
    own = own_starts(results)
    if value is None:
        return _as_decision(results, own[0])
    found = next((start for start in own if start.value == value), None)
    return Decision(value, "by_hand", "Set by hand.", time.time()) if found is None else _as_decision(results, found)


def threshold_facts(store: RunStore, results: RunResults, decision: Decision) -> dict[str, Any]:
    """A threshold as exports name it. `kept` is the day on which somebody kept it; None where nobody has."""
    is_kept = read_decision(store, results.run_id) == decision
    return {
        "value": decision.value,
        "rule": decision.rule,
        "words": decision.words,
        "kept": day_of(decision) if is_kept else None,
        "comment": decision.comment,
    }


def day_of(decision: Decision) -> str:
    """The day of a decision in UTC, such as 2026-11-29."""
    return time.strftime("%Y-%m-%d", time.gmtime(decision.date))


def decision_words(store: RunStore, results: RunResults, decision: Decision) -> str:
    """Where a threshold comes from, and when it was kept with which comment, in sentences."""
    return _kept_words(decision) if read_decision(store, results.run_id) == decision else decision.words


def _kept_words(kept: Decision) -> str:
    comment = f" Comment: {kept.comment}" if kept.comment else ""
    return f"Kept on {day_of(kept)}: {kept.words}{comment}"


def _kept(kept: Decision) -> ThresholdChoice:
    return ThresholdChoice("kept", "Kept for this run", kept.value, _kept_words(kept))


def _as_decision(results: RunResults, start: ThresholdChoice) -> Decision:
    return Decision(start.value, start.key, start.words, results.config.created)
