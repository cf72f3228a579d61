"""Painted images that a person kept with a run: picture and mask as PNG, and a record. Also sweeps, which are kept
with what is derived from the run.

Files are named by content. The name that a person gave is only text in the record.
"""

import hashlib
import io
import math
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from wtflow.errors import DamagedRunError, SettingsError
from wtflow.permission import changes
from wtflow.records.what_if import Sweep, WhatIf
from wtflow.store import derived, layout
from wtflow.store.files import explained, read_json, read_records, write_atomic, write_json
from wtflow.store.runs import RunStore

MAX_NAME = 120
_KEY = re.compile(r"[0-9a-f]{16}")
_NUMBERS = ("kept", "score_before", "score_after", "n_pixels")


def save_what_if(store: RunStore, run_id: str, what_if: WhatIf, name: str, strokes: Sequence[dict[str, Any]]) -> str:
    """Keep the painted image with its mask; the same picture of the same image again replaces the first.
    Returns its key.

    name: what a person calls it, cut to MAX_NAME characters; strokes: plain values, so that painting can continue
    later. Raises SettingsError where nothing is painted.
    """
    if not what_if.is_painted:
        raise SettingsError("Nothing is painted yet, so there is nothing to save.", fix="Paint on the picture first.")
    folder = store.folder(run_id) / layout.WHAT_IFS
    picture = _png(np.rint(what_if.painted * 255).astype(np.uint8))
    key = hashlib.sha256(what_if.sample_id.encode() + b"\0" + picture).hexdigest()[:16]
    write_atomic(folder / f"{key}.png", lambda file: file.write(picture))
    write_atomic(folder / f"{key}_mask.png", lambda file: file.write(_png(what_if.mask.astype(np.uint8) * 255)))
    record = {
        "name": " ".join(name.split())[:MAX_NAME] or "without a name",
        "sample_id": what_if.sample_id,
        "row": what_if.row,
        "kept": time.time(),
        "score_before": what_if.score_before,
        "score_after": what_if.score_after,
        "n_pixels": int(what_if.mask.sum()),
        "strokes": list(strokes),
    }
    write_json(folder / f"{key}.json", record)
    return key


def list_what_ifs(
    store: RunStore, run_id: str, damaged: Callable[[DamagedRunError], None] | None = None
) -> list[dict[str, Any]]:
    """Kept paintings, newest first: key, name, sample_id, row, kept (seconds since the epoch), score_before,
    score_after, n_pixels, strokes, image and mask (paths).

    damaged: as in `files.read_records`.
    """
    return read_records(store.folder(run_id) / layout.WHAT_IFS, _read_record, damaged)


def _read_record(path: Path) -> dict[str, Any]:
    record, place = read_json(path), "/".join(path.parts[-3:-1])
    image, mask = path.with_suffix(".png"), path.with_name(f"{path.stem}_mask.png")
    texts = isinstance(record.get("name"), str) and isinstance(record.get("sample_id"), str)
    numbers = all(isinstance(record.get(name), int | float) and math.isfinite(record[name]) for name in _NUMBERS)
    if not (texts and numbers and isinstance(record.get("strokes"), list) and image.is_file() and mask.is_file()):
        raise DamagedRunError(
            f"{path.name} in {place} is not valid, or its picture or mask is missing.",
            fix="Delete that file; it holds one painted image.",
        )
    return record | {"key": path.stem, "image": image, "mask": mask}


@changes("delete paintings")
def delete_what_ifs(store: RunStore, run_id: str, keys: Sequence[str]) -> None:
    """Remove kept paintings by key, also when others are damaged. Unknown keys are skipped."""
    folder = store.folder(run_id) / layout.WHAT_IFS
    for key in keys:
        if _KEY.fullmatch(key):  # anything else could lead out of the folder
            for name in (f"{key}.json", f"{key}.png", f"{key}_mask.png"):
                with explained(folder / name):
                    (folder / name).unlink(missing_ok=True)


# -- sweeps ------------------------------------------------------------------------------------------------------------


def read_sweep(
    store: RunStore,
    run_id: str,
    row: int,
    kind: str,
    centre: Sequence[float],
    radii: Sequence[float],
    strengths: Sequence[float],
) -> Sweep | None:
    """A sweep that was computed before, or None."""
    path = _sweep_path(store, run_id, row, kind, centre, radii, strengths)
    if (known := derived.read(path)) is None or known[0].get("scores") is None:
        return None
    scores, values = known[0]["scores"], known[1]
    if scores.shape != (len(radii), len(strengths)) or not {"sample_id", "score_before"} <= values.keys():
        return None
    place = (float(centre[0]), float(centre[1]))
    return Sweep(
        values["sample_id"],
        kind,
        place,
        tuple(map(float, radii)),
        tuple(map(float, strengths)),
        scores,
        values["score_before"],
    )


def write_sweep(store: RunStore, run_id: str, row: int, sweep: Sweep) -> None:
    """Keep a sweep with what is derived from the run."""
    path = _sweep_path(store, run_id, row, sweep.kind, sweep.centre, sweep.radii, sweep.strengths)
    derived.write(path, {"scores": sweep.scores}, {"sample_id": sweep.sample_id, "score_before": sweep.score_before})


def _sweep_path(
    store: RunStore,
    run_id: str,
    row: int,
    kind: str,
    centre: Sequence[float],
    radii: Sequence[float],
    strengths: Sequence[float],
) -> Path:
    params = {"row": int(row), "kind": kind} | {
        name: [float(value) for value in values]
        for name, values in (("centre", centre), ("radii", radii), ("strengths", strengths))
    }
    return derived.path_of(store, run_id, "sweep", derived.fingerprint(store, run_id, params))


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
