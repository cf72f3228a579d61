"""The demo: three products drawn by seed, written as a data set in the MVTec AD layout, so that the app is never empty.

Each category is drawn in a work folder and put in place in one step; `demo.json` next to them records what was written.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from PIL import Image

from wtflow.datasets.demo.images import PRODUCTS, DemoImage, draw_piece, expose, plan_category
from wtflow.datasets.files import open_regular
from wtflow.errors import DatasetError, DiskFullError, SettingsError
from wtflow.machine.progress import Progress
from wtflow.store.files import write_json

DEMO_CATEGORIES: tuple[str, ...] = tuple(PRODUCTS)
DEMO_VERSION = 1
"""Raise it whenever the pictures change: a demo of another version is drawn again."""

RECORD = "demo.json"
"""Below the demo's folder: what was drawn, and how far."""
_LOCK, _WORK = ".demo.lock", ".demo-work"
_LOCK_TIMEOUT_S = 600.0
"""Another process needs half a minute to write the demo; one that takes ten minutes hangs."""
_MAX_THREADS = 4
"""NumPy releases Python's lock while it works; each thread takes about 60 MB."""
_PNG_LEVEL = 3
"""Noise hardly compresses: the next levels take twice the time to save a tenth."""


def write_demo(
    directory: Path,
    progress: Progress | None = None,
    seed: int | None = None,
    categories: Iterable[str] = DEMO_CATEGORIES,
) -> Path:
    """The folder of the demo, after drawing those of its categories that are absent, incomplete or of another version.

    `progress(done, total)` counts images; it is not called when there is nothing to draw. With `seed` None a category
    keeps the seed that it was drawn with, 0 at first; another seed draws it again.

    Raises SettingsError for a negative seed, DatasetError for an unknown category, for files in the way that the demo
    did not write, and for a folder that cannot be written, DiskFullError when the space runs out.
    """
    directory, names = Path(directory), tuple(dict.fromkeys(categories))
    for name in names:
        if name not in PRODUCTS:
            raise DatasetError(
                f"There is no demo category {name!r}.", fix=f"Use some of: {', '.join(DEMO_CATEGORIES)}."
            )
    if seed is not None and seed < 0:
        raise SettingsError(f"The seed of the demo is 0 or more, found {seed}.", fix="Choose a whole number from 0 on.")
    with _explained(directory):
        if not _pending(directory, names, seed):
            return directory
        directory.mkdir(parents=True, exist_ok=True)
        with _locked(directory):
            pending = _pending(directory, names, seed)
            for name in pending:
                _refuse_foreign_files(directory, name)
            _draw(directory, pending, progress)
    return directory


def is_demo_complete(directory: Path, categories: Iterable[str] = DEMO_CATEGORIES) -> bool:
    """Whether all images of these categories are there, in the version that would be drawn now."""
    try:
        return not _pending(Path(directory), tuple(categories), None)
    except (DatasetError, OSError):
        return False


def _pending(directory: Path, names: tuple[str, ...], seed: int | None) -> dict[str, int]:
    """The categories that have to be drawn, each with its seed."""
    record = _read_record(directory)
    pending = {}
    for name in names:
        entry = record.get(name, {})
        wanted = entry.get("seed", 0) if seed is None else int(seed)
        is_valid = (
            entry.get("state") == "complete" and entry.get("version") == DEMO_VERSION and entry.get("seed") == wanted
        )
        if not is_valid or _planned_files(name) - _files_with_content(directory / name):
            pending[name] = wanted
    return pending


def _draw(directory: Path, pending: dict[str, int], progress: Progress | None) -> None:
    """Draw categories into the work folder and put each in place once it is whole.
    What an earlier crash left is removed.
    """
    work = directory / _WORK
    plans = {name: plan_category(name) for name in pending}
    done, total = 0, sum(len(plan) for plan in plans.values())
    shutil.rmtree(work, ignore_errors=True)
    try:
        for name, seed in pending.items():
            facts = {}
            # Closing waits for the threads, so that none of them writes into a folder that is being removed.
            with contextlib.closing(_write_images(work / "new" / name, plans[name], seed)) as written:
                for fact in written:
                    facts |= fact
                    done += 1
                    if progress is not None:
                        progress(done, total)
            entry = {"version": DEMO_VERSION, "seed": seed, "state": "replacing", "images": facts}
            # Recorded before the swap: should it be interrupted, the folder is known to be ours and drawn again.
            _write_record(directory, name, entry)
            _swap(directory / name, work / "new" / name, work / "old" / name)
            _write_record(directory, name, entry | {"state": "complete"})
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_images(
    folder: Path, plan: tuple[DemoImage, ...], seed: int
) -> Generator[dict[str, dict[str, float]], None, None]:
    """Draw and save images, several at a time: each has its own seed, so that the order does not matter.
    Yields as `_write_image`.
    """
    pool = ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1))
    try:
        yield from pool.map(lambda image: _write_image(folder, image, seed), plan)
    finally:
        pool.shutdown(cancel_futures=True)


def _write_image(folder: Path, image: DemoImage, seed: int) -> dict[str, dict[str, float]]:
    """Draw and save one image and its mask. Its path, with what the record states about it: 0 is the most obvious
    defect, 1 the hardest.
    """
    piece = draw_piece(image, seed)
    _save(expose(piece.picture, image, seed), folder / image.path)
    if piece.mask is None or image.mask_path is None or image.severity is None:
        return {image.path: {}}
    _save(piece.mask.astype(np.uint8) * 255, folder / image.mask_path)
    difficulty = round(1 - image.severity, 3)
    return {
        image.path: {"difficulty": difficulty, "area_px": int(piece.mask.sum()), "contrast": round(piece.contrast, 1)}
    }


def _save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, compress_level=_PNG_LEVEL)


def _swap(target: Path, fresh: Path, old: Path) -> None:
    old.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.replace(old)
    fresh.replace(target)


def _refuse_foreign_files(directory: Path, name: str) -> None:
    """Raise DatasetError when drawing a category again would delete something that the demo did not write."""
    folder = directory / name
    known = set()
    for path in _read_record(directory).get(name, {}).get("images", {}):
        parts = Path(path)
        known |= {path, f"ground_truth/{parts.parent.name}/{parts.stem}_mask.png"}
    if folder.is_file():
        raise DatasetError(
            f"{folder} is a file, where the demo needs a folder.",
            fix="Choose another folder for the demo, or move this file away.",
        )
    foreign = sorted(
        path
        for path in _files_with_content(folder) - known
        if not path.rpartition("/")[2].startswith((".", "Thumbs.db"))
    )
    if foreign:
        raise DatasetError(
            f"{folder} is in the way of the demo: it holds files that the demo did not write, such as {foreign[0]}.",
            fix="Choose another folder for the demo, or move these files out of the way.",
        )


def _planned_files(name: str) -> set[str]:
    plan = plan_category(name)
    return {image.path for image in plan} | {image.mask_path for image in plan if image.mask_path}


def _files_with_content(folder: Path) -> set[str]:
    """Paths below the folder of all files that are not empty, with forward slashes. Lists each folder once."""
    found: set[str] = set()
    if not folder.is_dir():
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found |= {f"{entry.name}/{name}" for name in _files_with_content(Path(entry.path))}
            elif entry.is_file() and entry.stat().st_size:
                found.add(entry.name)
    return found


def _read_record(directory: Path) -> dict[str, Any]:
    """What demo.json records about each category; empty where there is no such file. Raises DatasetError when it
    cannot be read.
    """
    try:
        with open_regular(directory / RECORD) as file:
            record = json.load(file)
        entries = {name: dict(entry) for name, entry in record["categories"].items()}
        for entry in entries.values():
            if type(entry["seed"]) is not int or entry["seed"] < 0 or not isinstance(entry["images"], dict):
                raise ValueError("an entry without a valid seed or list of images")
        return entries
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{directory / RECORD} is not the record of a demo ({error!r}).",
            fix=f"Delete it with the folders {', '.join(DEMO_CATEGORIES)}.",
        ) from error


def _write_record(directory: Path, name: str, entry: dict[str, Any]) -> None:
    about = "Drawn by WT-Flow Studio. A demo that is missing, incomplete or of another version is drawn again."
    write_json(
        directory / RECORD,
        {"about": about, "version": DEMO_VERSION, "categories": _read_record(directory) | {name: entry}},
    )


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One writer at a time, over processes and threads. A writer that dies releases the lock."""
    try:
        with filelock.FileLock(directory / _LOCK, timeout=_LOCK_TIMEOUT_S):
            yield
    except filelock.Timeout as error:
        raise DatasetError(
            f"Another process has been writing the demo in {directory} for over {_LOCK_TIMEOUT_S:.0f} s.",
            fix="End that process, or choose another folder.",
        ) from error


@contextlib.contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """Turn the system's errors about the demo's folder into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space left while writing the demo to {directory}.", fix="Free about 60 MB, then try again."
            ) from error
        raise DatasetError(
            f"The demo cannot be written to {directory} ({error.strerror or error}).",
            fix="Choose a folder you may write to.",
        ) from error
