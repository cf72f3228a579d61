"""What people said about images after a run had called them something: one list per data set, until it is applied.

WTFLOW_HOME/corrections/<digest of its folder>-<category>/ holds list.json and the masks that were drawn. All versions
of a set share one list.
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from wtflow.datasets.decode import read_bytes, size_of
from wtflow.datasets.images import hash_file
from wtflow.datasets.run_images import Entry
from wtflow.errors import DamagedDataSetError, DamagedRunError, DatasetError, ImageChangedError
from wtflow.intake.masks import encode_mask
from wtflow.records.intake import Correction
from wtflow.store import layout
from wtflow.store.dataset_names import check_type_name
from wtflow.store.dataset_versions import own_set
from wtflow.store.datasets import data_home
from wtflow.store.files import explained, read_json, write_atomic, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

LIST = "list.json"
Kind = Literal["good", "defect", "out"]
_CORRECTIONS = TypeAdapter(list[Correction])


def corrections_of(store: RunStore, run_id: str) -> tuple[Correction, ...]:
    """What was said and not applied yet of the data set that a run was trained on, oldest first. Raises
    RunNotFoundError, DamagedDataSetError.
    """
    return _read(folder_for(store, run_id))


def correct(
    store: RunStore, run_id: str, image: str, kind: Kind, *, defect: str = "", mask: np.ndarray | None = None
) -> tuple[Correction, ...]:
    """The list with this said of an image of a run: it is good after all, a defect of a type, or left out.

    image: its id in the run, as the score table has it. mask: bool (H, W) at the size of the image. Raises DatasetError
    for an image that the run does not have, a type that is no name or a mask of another size; ImageChangedError where
    the file holds something else now.
    """
    entry = _entry(store, run_id, image)
    path = Path(entry["path"])
    if hash_file(path) != entry["sha256"]:
        raise ImageChangedError(
            f"{image} has changed since this run read it, so nothing can be said of it.",
            fix=f"Put the old file back at {path}, or train again.",
        )
    return _keep(store, run_id, image, path, entry["sha256"], kind, defect, mask)


def correct_file(
    store: RunStore,
    run_id: str,
    path: Path,
    kind: Kind,
    *,
    sha256: str = "",
    image: str = "",
    defect: str = "",
    mask: np.ndarray | None = None,
) -> tuple[Correction, ...]:
    """The same of an image that is not among those of the run, as from an inspection: it becomes one of the set.

    sha256: what the inspection saw; a file that holds something else now is refused. image: its name there.
    """
    path = path.expanduser().absolute()
    found = hash_file(path)
    if sha256 and found != sha256:
        raise ImageChangedError(
            f"{path.name} has changed since it was inspected, so nothing can be said of it.",
            fix=f"Put the old file back at {path}, or inspect it again.",
        )
    return _keep(store, run_id, image or path.name, path, found, kind, defect, mask)


def take_back(store: RunStore, run_id: str, sha256: str) -> tuple[Correction, ...]:
    """The list without what was said of the image with these contents."""
    return _change(store, run_id, lambda old: [one for one in old if one.sha256 != sha256])


def mask_of_correction(store: RunStore, run_id: str, correction: Correction) -> Path | None:
    """Where the mask of a correction lies; None without one."""
    return folder_for(store, run_id) / f"{correction.id}.png" if correction.mask else None


def contents_of(store: RunStore, run_id: str, image: str) -> str:
    """The content hash of an image of a run. Raises DatasetError for one that the run does not have."""
    return _entry(store, run_id, image)["sha256"]


def folder_for(store: RunStore, run_id: str) -> Path:
    """The folder of the list of the data set that a run was trained on."""
    config = store.config(run_id)
    name = own_set(store, config.root)
    place = data_home(store) / name if name else Path(config.root, config.category)
    digest = hashlib.sha256(os.fsencode(os.path.realpath(place))).hexdigest()[:16]
    return store.home / layout.CORRECTIONS / layout.run_name(config.category, digest)


def remove_applied(store: RunStore, run_id: str, applied: tuple[Correction, ...]) -> tuple[Correction, ...]:
    """The list without these; what was said anew meanwhile stays."""
    return _change(store, run_id, lambda old: [one for one in old if one not in applied])


# -- inside ------------------------------------------------------------------------------------------------------------


def _entry(store: RunStore, run_id: str, image: str) -> Entry:
    samples = (store.data(run_id) or {"samples": []})["samples"]
    entry = next((one for one in samples if one.get("id") == image), None)
    if entry is None or not entry.get("sha256") or not entry.get("path"):
        raise DatasetError(
            f"Run {run_id} has no image {image[:120]!r}.",
            fix="Give its id as the score table has it, such as test/good/003.png, or the path of a new image.",
        )
    return entry


def _keep(
    store: RunStore,
    run_id: str,
    image: str,
    path: Path,
    sha256: str,
    kind: Kind,
    defect: str,
    mask: np.ndarray | None,
) -> tuple[Correction, ...]:
    if kind not in ("good", "defect", "out"):
        raise DatasetError(f"{kind!r} is nothing that an image can be.", fix="Say good, defect or out.")
    defect = check_type_name(defect) if kind == "defect" else ""
    content = b""
    if mask is not None and kind == "defect" and mask.any():
        height, width = size_of(read_bytes(path, image), image)
        if mask.shape != (height, width):
            raise DatasetError(
                f"The mask of {image} has {mask.shape[1]} x {mask.shape[0]} pixels, the image {width} x {height}.",
                fix="Draw it on the image at its full size.",
            )
        content = encode_mask(mask)
    digest = hashlib.sha256(content).hexdigest() if content else ""
    said = Correction(sha256, image, str(path), kind, defect, digest, run_id, time.time())
    if content:
        write_atomic(folder_for(store, run_id) / f"{said.id}.png", lambda file: file.write(content))
    return _change(store, run_id, lambda old: [*(one for one in old if one.sha256 != sha256), said])


def _change(
    store: RunStore, run_id: str, change: Callable[[list[Correction]], list[Correction]]
) -> tuple[Correction, ...]:
    folder = folder_for(store, run_id)
    with locked(store):
        fresh = change(list(_read(folder)))
        values: dict[str, Any] = {"schema_version": 1, "corrections": [asdict(one) for one in fresh]}
        write_json(folder / LIST, values)
        kept = {f"{one.id}.png" for one in fresh if one.mask}
        with explained(folder):
            for path in folder.glob("*.png"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)
    return tuple(fresh)


def _read(folder: Path) -> tuple[Correction, ...]:
    path = folder / LIST
    if not path.is_file():
        return ()
    try:
        return tuple(_CORRECTIONS.validate_python(read_json(path)["corrections"]))
    except (DamagedRunError, ValidationError, KeyError) as error:
        raise DamagedDataSetError(
            f"The list of corrections {path} cannot be read.",
            fix="It is never overwritten. Restore it, or move it away to begin a new one.",
        ) from error
