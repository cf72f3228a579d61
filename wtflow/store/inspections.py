"""Inspections on disk, one folder each below `inspections/` of the store. Nothing here starts or stops a process.

inspections/<inspection_id>/
    inspection.json  what is inspected by which detector at which threshold; completed once the detector was opened
    status.json      state, counts and process; replaced atomically
    scores.jsonl     one line per scored image, append only; of two lines for one image the later counts
    events.jsonl     what became of images afterwards, one line each, append only
    maps.f16         float16 raw maps, one after the other; `map_at` of a row is its number there
    means.f32        float32 mean features, in the same order
    pictures.bin     small JPEGs, one after the other; `picture` of a row is where its own lies
    normals.npz      what normal images look like to the detector, for drift
    images/          copies of images that came through the browser
    log.txt, stop    as in the folder of a run
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from wtflow.errors import RunNotFoundError, SettingsError, StoreError
from wtflow.permission import changes
from wtflow.records.core import RunStatus
from wtflow.records.inspect import (
    Inspection,
    InspectSettings,
    plan_from_json,
    plan_to_json,
    progress_to_json,
    with_progress,
)
from wtflow.records.looks import Looks, looks_from_arrays
from wtflow.store import layout
from wtflow.store.files import explained, is_moved, read_json, write_arrays, write_atomic, write_json
from wtflow.store.runs import RunStore

FOLDER = "inspections"
PLAN, STATUS = "inspection.json", "status.json"
NORMALS = "normals.npz"
UPLOADS = "images"
MOST_BYTES_OF_NAME = 200
"""Of an image that came through the browser; disks take 255."""


def folder_of(store: RunStore, inspection_id: str) -> Path:
    """The folder of an inspection. Raises RunNotFoundError, for text that is no id as well."""
    if layout.is_run_id(inspection_id):
        folder = store.home / FOLDER / inspection_id
        if folder.is_dir():
            return folder
    raise RunNotFoundError(
        f"There is no inspection {str(inspection_id)[:80]!r} in {store.home}.", fix="Choose one from the list."
    )


def ids(store: RunStore) -> list[str]:
    """All inspections, newest first."""
    try:
        with os.scandir(store.home / FOLDER) as entries:
            return sorted((one.name for one in entries if layout.is_run_id(one.name) and one.is_dir()), reverse=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{store.home / FOLDER} cannot be opened ({error.strerror}).",
            fix="Give yourself the right to read the folder.",
        ) from error


@changes("inspect images")
def create(
    store: RunStore,
    name: str,
    detector: str,
    sources: Sequence[str],
    *,
    out: str = "",
    settings: InspectSettings | None = None,
    threshold: float | None = None,
    uploads: Sequence[tuple[str, bytes]] = (),
) -> Inspection:
    """A new inspection, queued. name: of the detector, for its id. uploads: (name, contents) of images that are copied
    into its folder and inspected with the sources. Raises SettingsError for a name that is none, StoreError.
    """
    safe = upload_names([one for one, _ in uploads])
    now, n = time.time(), 1
    inspection_id = first = layout.run_name(name, time.strftime("%Y%m%d-%H%M%S", time.gmtime(now)))
    waiting = RunStatus(state="queued", heartbeat=now, message="Waiting for its turn.")
    while True:
        folder = store.home / FOLDER / inspection_id
        making = folder.with_name(f".making-{inspection_id}-{os.getpid()}")
        own = (str(folder / UPLOADS),) if uploads else ()
        made = Inspection(
            inspection_id,
            now,
            detector,
            (*sources, *own),
            out,
            settings or InspectSettings(),
            threshold,
            status=waiting,
        )
        try:  # put together in a hidden folder and then moved: killed on the way, no half inspection is listed
            for one, (_, content) in zip(safe, uploads, strict=True):
                write_atomic(making / UPLOADS / one, lambda f, content=content: f.write(content), is_flushed=False)
            write_json(making / STATUS, progress_to_json(made))
            write_json(making / PLAN, plan_to_json(made))
            if is_moved(making, folder):
                return made
        finally:
            shutil.rmtree(making, ignore_errors=True)
        n += 1  # another one of the same second
        inspection_id = f"{first}-{n:02d}"


def write_plan(store: RunStore, inspection: Inspection) -> None:
    """Replace inspection.json. Raises RunNotFoundError where the inspection was deleted, StoreError."""
    write_json(folder_of(store, inspection.inspection_id) / PLAN, plan_to_json(inspection))


def write_progress(store: RunStore, inspection: Inspection) -> None:
    """Replace status.json. Raises RunNotFoundError where the inspection was deleted, StoreError."""
    write_json(folder_of(store, inspection.inspection_id) / STATUS, progress_to_json(inspection))


def change_settings(store: RunStore, inspection_id: str, settings: InspectSettings) -> None:
    """Go on in another way: watching or not, with other folders. Raises as `read_inspection`."""
    write_plan(store, replace(read_inspection(store, inspection_id), settings=settings))


def read_inspection(store: RunStore, inspection_id: str) -> Inspection:
    """An inspection as written. Raises RunNotFoundError, DamagedRunError, StoreError."""
    folder = folder_of(store, inspection_id)
    return with_progress(plan_from_json(read_json(folder / PLAN)), read_json(folder / STATUS))


def read_or_problem(store: RunStore, inspection_id: str) -> Inspection:
    """An inspection as written; of a damaged one `problem` says why, and nothing is raised."""
    try:
        return read_inspection(store, inspection_id)
    except StoreError as error:
        return Inspection(inspection_id, status=RunStatus(state="failed"), problem=str(error))


@changes("delete inspections")
def delete(store: RunStore, inspection_id: str) -> None:
    """Remove an inspection for good. The folder is renamed first, so that a half-deleted one is never listed."""
    folder = folder_of(store, inspection_id)
    grave = folder.with_name(f".deleted-{inspection_id}-{os.getpid()}")
    with explained(folder):
        folder.rename(grave)
        shutil.rmtree(grave)


@changes("stop inspections")
def request_stop(store: RunStore, inspection_id: str) -> None:
    stop = folder_of(store, inspection_id) / layout.STOP
    with explained(stop):
        stop.touch()


def clear_stop(store: RunStore, inspection_id: str) -> None:
    stop = folder_of(store, inspection_id) / layout.STOP
    with explained(stop):
        stop.unlink(missing_ok=True)


def stop_requested_at(store: RunStore, inspection_id: str) -> float | None:
    """When somebody asked it to stop, seconds since the epoch; None where nobody did. An inspection that was deleted
    should stop, too.
    """
    try:
        return (folder_of(store, inspection_id) / layout.STOP).stat().st_mtime
    except FileNotFoundError:
        return None
    except RunNotFoundError:
        return 0.0


def write_normals(store: RunStore, inspection_id: str, looks: Looks) -> None:
    write_arrays(folder_of(store, inspection_id) / NORMALS, looks.to_arrays())


def read_normals(store: RunStore, inspection_id: str) -> Looks | None:
    """What normal images look like to the detector; None where that was not measured, or cannot be read."""
    path = folder_of(store, inspection_id) / NORMALS
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            return looks_from_arrays(dict(file))
    except FileNotFoundError:
        return None
    except Exception:  # NumPy raises many kinds of errors for a damaged file; it can be measured again
        return None


def upload_names(names: Sequence[str]) -> list[str]:
    """Names of files for images that came with these names: the last part alone, none twice. Raises SettingsError."""
    found: list[str] = []
    taken: set[str] = set()
    for name in names:
        plain = PurePosixPath(name.replace("\\", "/")).name.strip().lstrip(".")
        plain = "".join(one if one.isprintable() and one not in ':*?"<>|' else "_" for one in plain)
        stem, suffix = PurePosixPath(plain).stem, PurePosixPath(plain).suffix
        if not stem or not suffix or len(plain.encode(errors="replace")) > MOST_BYTES_OF_NAME:
            raise SettingsError(f"{name[:80]!r} is no name of an image file.", fix="Rename the file, then try again.")
        n, free = 1, plain
        while free.casefold() in taken:
            n += 1
            free = f"{stem} ({n}){suffix}"
        taken.add(free.casefold())
        found.append(free)
    return found


def waiting_again(inspection: Inspection) -> Inspection:
    """The inspection queued again, with its counts."""
    message = "Waiting for its turn."
    return replace(inspection, status=RunStatus(state="queued", heartbeat=time.time(), message=message))
