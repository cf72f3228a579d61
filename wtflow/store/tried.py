"""Images that a person dropped on a run, kept apart from its test images: a copy of the file, its map and a record."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.errors import DamagedRunError
from wtflow.records.core import IMAGE_SUFFIXES, Tried
from wtflow.store import layout
from wtflow.store.files import read_json, write_array, write_atomic, write_json
from wtflow.store.runs import RunStore


def save_tried(store: RunStore, run_id: str, tried: Tried, content: bytes) -> str:
    """Keep one tried image; the same content again replaces the first. Returns its key.

    The name that a person gave is only text in the record. Files are named by content.
    """
    if tried.pixel_map is None:
        raise ValueError(f"{tried.name} has no map: {tried.problem}")
    folder = store.folder(run_id) / layout.TRIED
    key = hashlib.sha256(content).hexdigest()[:16]
    suffix = Path(tried.name).suffix.lower()
    image_name = key + (suffix if suffix in IMAGE_SUFFIXES else ".bin")
    write_atomic(folder / image_name, lambda file: file.write(content))
    write_array(folder / f"{key}.npy", tried.pixel_map)
    nearest = [list(one) for one in tried.nearest]
    write_json(
        folder / f"{key}.json",
        {"name": tried.name, "score": tried.score, "image": image_name, "kept": time.time(), "nearest": nearest},
    )
    return key


def list_tried(store: RunStore, run_id: str) -> list[dict[str, Any]]:
    """Kept images, newest first: name, score, kept (seconds since the epoch), image and map (paths), nearest."""
    folder = store.folder(run_id) / layout.TRIED
    found = []
    for path in folder.glob("*.json") if folder.is_dir() else ():
        record = read_json(path)
        if not isinstance(record.get("image"), str) or not isinstance(record.get("kept"), int | float):
            raise DamagedRunError(
                f"{path.name} in {run_id}/{layout.TRIED} is not valid.",
                fix="Delete that file; it holds one tried image.",
            )
        found.append(
            record
            | {"key": path.stem, "image": folder / Path(record["image"]).name, "map": folder / f"{path.stem}.npy"}
        )
    return sorted(found, key=lambda record: record["kept"], reverse=True)


def tried_map(record: dict[str, Any]) -> np.ndarray:
    """The pixel map of a kept image, float32 (S, S). Raises DamagedRunError when it cannot be read."""
    try:
        return np.load(record["map"], allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedRunError(
            f"The map of {record['name']} cannot be read ({error}).", fix="Remove the image and try it again."
        ) from error


def delete_tried(store: RunStore, run_id: str, keys: Sequence[str]) -> None:
    """Remove kept images by key."""
    for record in list_tried(store, run_id):
        if record["key"] in keys:
            for path in (record["map"], record["image"], store.folder(run_id) / layout.TRIED / f"{record['key']}.json"):
                path.unlink(missing_ok=True)
