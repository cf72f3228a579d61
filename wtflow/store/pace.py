"""What computations took on this machine, kept in the store's home: a few ratios by the name of a stage."""

import json
import math
from pathlib import Path
from typing import Final

from wtflow.errors import WTFlowError
from wtflow.store import layout
from wtflow.store.files import read_json, write_atomic
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

KEPT: Final = 5
"""Latest ratios of a stage that count: enough for a median that one busy minute does not move."""


def read_paces(store: RunStore) -> dict[str, float]:
    """Stage -> median of its latest ratios. Empty where nothing is kept, or nothing that can be read."""
    found = {}
    for name, values in _read(store.home / layout.PACE).items():
        ordered = sorted(values)
        found[name] = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    return found


def keep_paces(store: RunStore, ratios: dict[str, float]) -> None:
    """Add the ratio of each named stage to the latest. A store that cannot be written keeps none."""
    path = store.home / layout.PACE
    try:
        with locked(store):
            kept = _read(path)
            for name, ratio in ratios.items():
                if math.isfinite(ratio) and ratio > 0:
                    kept[name] = [*kept.get(name, []), round(ratio, 3)][-KEPT:]
            write_atomic(path, lambda file: file.write(json.dumps(kept).encode()), is_flushed=False)
    except WTFlowError:
        return  # an estimate is worth no error


def _read(path: Path) -> dict[str, list[float]]:
    try:
        found = read_json(path)
    except WTFlowError:
        return {}
    return {
        name: numbers
        for name, values in found.items()
        if isinstance(values, list)
        and (numbers := [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v) and v > 0])
    }
