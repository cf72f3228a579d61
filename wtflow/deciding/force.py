"""The threshold that everything about a run starts with."""

from wtflow.records.decision import Decision
from wtflow.results import RunResults, threshold_choices
from wtflow.store.decisions import read_decision
from wtflow.store.runs import RunStore


def threshold_in_force(store: RunStore, results: RunResults) -> Decision:
    """The threshold that was kept for a run, else the one that it starts from.
    Raises DamagedRunError where one may have been kept and cannot be read.
    """
    return read_decision(store, results.run_id) or default_start(results)


def default_start(results: RunResults) -> Decision:
    """Where the threshold of a run starts while nobody has kept one."""
    start = threshold_choices(results)[0]
    return Decision(start.value, start.key, f"{start.label}. {start.explanation}", results.config.created)
