"""Images given as bytes, scored by a finished run as *Inspect* scores them; and how earlier versions kept them."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wtflow.datasets.images import load_image_bytes
from wtflow.detector.opened import open_run
from wtflow.detector.score import pixel_maps, score_images
from wtflow.errors import WTFlowError
from wtflow.records.core import IMAGE_SUFFIXES
from wtflow.store import layout
from wtflow.store.files import write_array, write_atomic, write_json
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class Tried:
    """One image; with `problem` set, nothing else is."""

    name: str
    score: float = float("nan")
    pixel_map: np.ndarray | None = None
    image: np.ndarray | None = None
    problem: str = ""
    whole_score: float = float("nan")


def try_images(store: RunStore, run_id: str, files: list[tuple[str, bytes]]) -> list[Tried]:
    """Score and map of each image. One that cannot be read does not stop the others."""
    opened = open_run(store, run_id)
    tried = []
    for name, content in files:
        try:
            image = load_image_bytes(content, name, opened.shape, opened.settings.background)
        except WTFlowError as error:
            tried.append(Tried(name, problem=str(error)))
            continue
        found = score_images(opened, image[None])
        pixels = np.round(image * 255).astype(np.uint8)
        tried.append(
            Tried(name, float(found.scores[0]), pixel_maps(opened, found)[0], pixels, whole_score=float(found.whole[0]))
        )
    return tried


def save_tried(store: RunStore, run_id: str, tried: Tried, content: bytes) -> str:
    """Write an image into the run as the page *Try an image* of earlier versions did. Returns its key."""
    folder, key = store.folder(run_id) / layout.TRIED, hashlib.sha256(content).hexdigest()[:16]
    suffix = Path(tried.name).suffix.lower()
    image_name = key + (suffix if suffix in IMAGE_SUFFIXES else ".bin")
    write_atomic(folder / image_name, lambda file: file.write(content))
    write_array(folder / f"{key}.npy", tried.pixel_map)
    record = {"name": tried.name, "score": tried.score, "image": image_name, "kept": time.time(), "nearest": []}
    write_json(folder / f"{key}.json", record)
    return key
