"""Images that earlier versions kept with a run: a copy of the file, its map and a record. None is written any more."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.errors import DamagedRunError
from wtflow.permission import changes
from wtflow.store import layout
from wtflow.store.files import explained, read_json, read_records
from wtflow.store.runs import RunStore

_NUMBERS = ("score", "kept")


def list_tried(
    store: RunStore, run_id: str, damaged: Callable[[DamagedRunError], None] | None = None
) -> list[dict[str, Any]]:
    """Kept images, newest first: key, name, score, kept (seconds since the epoch), image and map (paths), nearest.

    damaged: as in `files.read_records`.
    """
    return read_records(store.folder(run_id) / layout.TRIED, _read_record, damaged)


def _read_record(path: Path) -> dict[str, Any]:
    record, place = read_json(path), "/".join(path.parts[-3:-1])
    texts = all(isinstance(record.get(name), str) for name in ("name", "image"))
    numbers = all(isinstance(record.get(name), int | float) and math.isfinite(record[name]) for name in _NUMBERS)
    if not texts or not numbers:
        raise DamagedRunError(
            f"{path.name} in {place} is not valid.", fix="Delete that file; it holds one tried image."
        )
    image = path.parent / Path(record["image"]).name
    return record | {"key": path.stem, "image": image, "map": path.with_suffix(".npy")}


def tried_map(record: dict[str, Any]) -> np.ndarray:
    """The pixel map of a kept image, float32 (S, S). Raises DamagedRunError when it cannot be read."""
    try:
        return np.load(record["map"], allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedRunError(
            f"The map of {record['name']} cannot be read ({error}).", fix="Remove the image and try it again."
        ) from error


@changes("delete answers")
def delete_tried(store: RunStore, run_id: str, keys: Sequence[str]) -> None:
    """Remove kept images by key, also when others are damaged. Unknown keys are skipped."""
    for record in list_tried(store, run_id, damaged=lambda error: None):
        if record["key"] in keys:
            for path in (record["map"], record["image"], record["map"].with_suffix(".json")):
                with explained(path):
                    path.unlink(missing_ok=True)
