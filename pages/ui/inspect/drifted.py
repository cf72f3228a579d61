"""Whether camera or light have changed, not the parts."""

from collections.abc import Sequence

from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore


def show_drift(store: RunStore, inspection: Inspection, rows: Sequence[Inspected]) -> None:
    """One sentence with its number, n and pictures; nothing where all is as in training."""


def drift_badge(store: RunStore, inspection: Inspection) -> None:
    """A word in the list."""
