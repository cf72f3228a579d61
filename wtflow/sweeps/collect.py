"""What the finished runs of a sweep found, read from the store. NumPy and pandas only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtflow.errors import WTFlowError
from wtflow.records.sweep import Cell, Sweep
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class Found:
    """A finished run of a sweep."""

    cell: Cell
    metrics: Mapping[str, float | None]
    seconds: float | None
    """Of all stages but computing features."""
    memory_mib: float | None
    fingerprint: str
    """Of its images."""
    scores: pd.Series
    """Image scores of the test images, by their ids in rising order."""
    labels: np.ndarray
    """(N,) bool, in the same order."""


def collect(store: RunStore, sweep: Sweep) -> dict[str, Found]:
    """Key of a cell -> its finished run. Runs that are not finished, deleted or damaged are left out."""
    found = {}
    for cell in sweep.cells:
        try:
            if not cell.run_id or store.status(cell.run_id).state != "finished":
                continue
            facts, table = store.metrics(cell.run_id), store.scores(cell.run_id)
            data = store.data(cell.run_id) or {}
        except WTFlowError:
            continue
        test = table[table.split == "test"].sort_values("sample_id")
        found[cell.key] = Found(
            cell,
            facts["metrics"],
            _seconds(facts.get("seconds")),
            facts.get("peak_rss_mib"),
            str(data.get("fingerprint", "")),
            test.set_index("sample_id").score,
            test.is_defective.to_numpy(bool),
        )
    return found


def data_fingerprint(found: Mapping[str, Found]) -> str:
    """12 hex digits over the images of all runs, and the names of their categories."""
    parts = sorted({(one.cell.category.name, one.fingerprint) for one in found.values()})
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _seconds(stages: Any) -> float | None:
    if not isinstance(stages, dict) or not all(isinstance(value, int | float) for value in stages.values()):
        return None
    return float(sum(value for name, value in stages.items() if name != "features"))
