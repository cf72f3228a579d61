"""Take a run home in one file: a zip of its scores, metrics, settings, notes, and every scored image under its map.

Nothing in it shows where the images were stored: they are named by their ids, and folders are left out of scores and
settings.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from wtflow.deciding.force import decision_at, threshold_facts
from wtflow.export.folder import file_stem
from wtflow.export.report.reproduce import shared_config
from wtflow.export.tables import scores_csv
from wtflow.pictures import picture_of
from wtflow.plots.pictures import colour_map, overlay
from wtflow.records.decision import Decision
from wtflow.records.notes import RunNotes
from wtflow.records.shapes import Shape
from wtflow.results import RunResults, ScoreRow, each_image, outline_of, pixel_map
from wtflow.store.files import write_atomic
from wtflow.store.note_file import as_stored

OPACITY = 0.6
"""That of the gallery, so that a picture in the zip looks like the one on the page."""

Moment = tuple[int, int, int, int, int, int]

_PNG_LEVEL = 4
"""Photographs hardly shrink beyond, and the highest level takes five times as long."""


@dataclass(frozen=True, slots=True)
class PackedRun:
    """The finished zip. `unreadable`: images of which the run holds no picture and whose file is gone
    or changed; their map stands in it alone."""

    path: Path
    n_files: int
    n_bytes: int
    unreadable: tuple[str, ...]

    @property
    def lack(self) -> str:
        """What is missing in it, in a sentence; empty where nothing is."""
        return (
            f"{len(self.unreadable)} of its images are gone or changed; the zip holds their maps alone."
            if self.unreadable
            else ""
        )

    @property
    def words(self) -> str:
        return f"{self.path}: {self.n_files} files, {self.n_bytes / 1e6:.1f} MB. {self.lack}".rstrip()

    @property
    def facts(self) -> dict[str, Any]:
        """For --json."""
        return {
            "zip": str(self.path),
            "n_zip_files": self.n_files,
            "n_zip_bytes": self.n_bytes,
            "unreadable": list(self.unreadable),
        }


def pack_run(
    results: RunResults,
    notes: RunNotes,
    path: Path,
    progress: Callable[[int, int], None],
    threshold: float | None = None,
) -> PackedRun:
    """Write scores.csv (with notes, and outcomes at the threshold, by default the one in force), metrics.json,
    config.json, notes.json and overlays/*.png: the images that were scored, small, under their maps on the run's colour
    scale, true defects outlined.

    One image is held at a time, and the zip is put in place only when it is whole. `progress` takes images done and in
    all. Raises StoreError or DiskFullError when `path` cannot be written; then nothing is left of it.
    """
    return _pack([(results, notes, _decision(results, threshold))], path, progress, lambda _: "")


def pack_runs(
    runs: Sequence[tuple[RunResults, RunNotes]], path: Path, progress: Callable[[int, int], None]
) -> PackedRun:
    """The same of several runs in one zip: a folder for each, named by its id, with outcomes at the threshold that
    is in force for it.
    """
    parts = [(results, notes, _decision(results, None)) for results, notes in runs]
    return _pack(parts, path, progress, lambda results: f"{results.run_id}/")


def _decision(results: RunResults, threshold: float | None) -> Decision:
    return decision_at(results.seen.store, results, threshold)


def _pack(
    parts: Sequence[tuple[RunResults, RunNotes, Decision]],
    path: Path,
    progress: Callable[[int, int], None],
    folder_of: Callable[[RunResults], str],
) -> PackedRun:
    n_images, n_files, done, unreadable = sum(len(results.table) for results, *_ in parts), 0, 0, []

    def write(file: BinaryIO) -> None:
        nonlocal n_files, done
        with zipfile.ZipFile(file, "w") as archive:
            for results, notes, decision in parts:
                when = _moment(results.config.created)  # that of the run, so that the same run gives the same bytes
                folder, missing = folder_of(results), []
                for name, content in _texts(results, notes, decision).items():
                    _add(archive, f"{folder}{name}", content, when, zipfile.ZIP_DEFLATED)
                    n_files += 1
                for row in each_image(results.table):
                    picture, is_readable = _picture(results, row)
                    if not is_readable:
                        missing.append(row.sample_id)
                    name = f"{folder}overlays/{row.row:05d}_{file_stem(row.sample_id)}.png"
                    _add(archive, name, picture, when, zipfile.ZIP_STORED)
                    n_files, done = n_files + 1, done + 1
                    progress(done, n_images)
                if missing:
                    words = "\n".join([_UNREADABLE, *missing, ""]).encode()
                    _add(archive, f"{folder}unreadable.txt", words, when, zipfile.ZIP_DEFLATED)
                    n_files += 1
                unreadable.extend(missing)

    write_atomic(path, write)
    return PackedRun(path, n_files, path.stat().st_size, tuple(unreadable))


def _texts(results: RunResults, notes: RunNotes, decision: Decision) -> dict[str, bytes]:
    threshold = {"threshold": threshold_facts(results.seen.store, results, decision)}
    return {
        "scores.csv": scores_csv(results, decision.value, notes, with_folders=False),
        "metrics.json": _json(results.metrics | threshold),
        "config.json": _json(shared_config(results.config)),
        "notes.json": _json(as_stored(notes)),
    }


_UNREADABLE = (
    "The run holds no picture of these images, and their files are gone or changed. overlays/ shows their map alone."
)


def _picture(results: RunResults, row: ScoreRow) -> tuple[bytes, bool]:
    """PNG of an image under its map, or of the map alone and False where nothing is left of the image."""
    values = pixel_map(results, int(row.row))
    shown = picture_of(results, row)
    if not shown.is_there:
        return _png(colour_map(values, results.color_range)), False
    small, mask = _fitted(shown.pixels, results.shape), outline_of(results, row)
    return _png(overlay(small, values, results.color_range, OPACITY, mask)), True


def _fitted(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """A picture with as many pixels as the map of its run, in its own aspect."""
    height, width = pixels.shape[:2]
    factor = (shape[0] * shape[1] / (height * width)) ** 0.5
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _moment(seconds: float) -> Moment:
    at = time.gmtime(seconds)
    return at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False).encode()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, when: Moment, method: int) -> None:
    info = zipfile.ZipInfo(name, when)
    info.compress_type, info.external_attr = method, 0o644 << 16
    archive.writestr(info, content)
