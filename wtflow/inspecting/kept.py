"""What an inspection found, read while it runs or after: rows, table, maps, pictures. Imports no torch."""

from pathlib import Path

import numpy as np
import pandas as pd

from wtflow.config import BACKGROUND
from wtflow.datasets.images import load_recorded
from wtflow.errors import RunNotFoundError
from wtflow.inspecting.drift import drift_of
from wtflow.records.drift import Drift
from wtflow.records.inspect import Inspected, Inspection
from wtflow.records.looks import Looks
from wtflow.scoring.pixels import upsample
from wtflow.store import inspected_reading, inspections
from wtflow.store.runs import RunStore

N_NEAREST = 3
"""Training normals that a row names."""
COLUMNS = (
    "image",
    "score",
    "verdict",
    "threshold",
    "problem",
    "note",
    "width",
    "height",
    "peak_row",
    "peak_column",
    "area",
    "whole_score",
    "level",
    "brightness",
    "sharpness",
    *(f"{part}_{i}" for i in range(1, N_NEAREST + 1) for part in ("nearest", "distance")),
    "scored",
    "sha256",
    "path",
)
"""Of the table and of scores.csv, explained by `records.inspect.Inspected`. `scored`: when, ISO 8601, UTC."""


def stamp(store: RunStore, inspection_id: str) -> tuple[int, ...]:
    """Differs when there are new rows or notes. Raises RunNotFoundError."""
    return inspected_reading.rows_stamp(inspections.folder_of(store, inspection_id))


def rows(store: RunStore, inspection_id: str) -> tuple[Inspected, ...]:
    """One row per image, in the order in which images were first scored. Raises RunNotFoundError, StoreError."""
    return inspected_reading.read_rows(inspections.folder_of(store, inspection_id))


def row(store: RunStore, inspection_id: str, image: str) -> Inspected:
    """The row of one image. Raises RunNotFoundError, StoreError."""
    for one in rows(store, inspection_id):
        if one.image == image:
            return one
    raise RunNotFoundError(
        f"Inspection {inspection_id} has no image {image[:120]!r}.", fix="Choose one from its gallery."
    )


def table(store: RunStore, inspection_id: str) -> pd.DataFrame:
    """The same as a table with `COLUMNS`. Raises RunNotFoundError, StoreError."""
    return table_of(rows(store, inspection_id))


def table_of(found: tuple[Inspected, ...] | list[Inspected]) -> pd.DataFrame:
    """Rows as a table with `COLUMNS`; numbers that are not there are NaN, of whole numbers <NA>."""
    values: dict[str, object] = {
        name: [getattr(one, name) for one in found] for name in COLUMNS if hasattr(Inspected, name)
    }
    for i in range(N_NEAREST):
        values[f"nearest_{i + 1}"] = [one.nearest[i][0] if i < len(one.nearest) else "" for one in found]
        values[f"distance_{i + 1}"] = [one.nearest[i][1] if i < len(one.nearest) else np.nan for one in found]
    when = pd.to_datetime([one.at for one in found], unit="s", utc=True)
    values["scored"] = when.strftime("%Y-%m-%dT%H:%M:%SZ")
    made = pd.DataFrame({name: values[name] for name in COLUMNS})
    broken = np.array([bool(one.problem) for one in found], bool)
    for name in ("width", "height", "peak_row", "peak_column"):
        missing = broken if name.startswith("peak") else (made[name] == 0).to_numpy()
        made[name] = made[name].astype("Int64").mask(missing)
    return made


def raw_map(store: RunStore, inspection: Inspection, row: Inspected) -> np.ndarray | None:
    """The raw map of a row, float32 (h, w); None where it is not kept. Raises RunNotFoundError."""
    if inspection.facts is None or not inspection.settings.keep_maps:
        return None
    folder = inspections.folder_of(store, inspection.inspection_id)
    return inspected_reading.read_map(folder, inspection.facts, row.map_at)


def pixel_map(store: RunStore, inspection: Inspection, row: Inspected) -> np.ndarray | None:
    """The score of every pixel, float32 (H, W) as the network sees the image; None where no map is kept."""
    found = raw_map(store, inspection, row)
    if found is None or inspection.facts is None:
        return None
    return upsample(found[None], inspection.facts.shape, inspection.facts.score_kind)[0]


def means(store: RunStore, inspection: Inspection, found: tuple[Inspected, ...]) -> np.ndarray:
    """Mean features of rows, float32 (M, K); NaN for one that could not be read."""
    if inspection.facts is None:
        return np.empty((len(found), 0), np.float32)
    folder = inspections.folder_of(store, inspection.inspection_id)
    return inspected_reading.read_means(folder, inspection.facts, [one.map_at for one in found])


def picture(store: RunStore, inspection: Inspection, row: Inspected) -> bytes | None:
    """A small JPEG of the image, upright and in its own aspect; None where none is kept."""
    return inspected_reading.read_picture_bytes(inspections.folder_of(store, inspection.inspection_id), row)


def original(inspection: Inspection, row: Inspected) -> np.ndarray:
    """The image at its full size, float32 (H, W, 3) in [0, 1]. Raises ImageChangedError where the file holds something
    else now, ImageReadError where it cannot be read.
    """
    background = inspection.facts.background if inspection.facts else BACKGROUND
    return load_recorded(Path(row.path), row.sha256, None, background, row.image)


def normals(store: RunStore, inspection_id: str) -> Looks | None:
    """What training normals look like to the detector; None before that was measured."""
    return inspections.read_normals(store, inspection_id)


def drift(store: RunStore, inspection: Inspection) -> Drift:
    """What an inspection tells of camera and light, from the rows that there are. Takes some tenths of a second."""
    found = rows(store, inspection.inspection_id)
    return drift_of(found, means(store, inspection, found), normals(store, inspection.inspection_id))
