"""An inspection to take home: its table as CSV, Parquet or JSON lines, and a zip with a picture of every image under
its map. Imports no torch.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import pandas as pd

from wtflow.export.folder import file_stem
from wtflow.export.tables import csv_bytes
from wtflow.inspecting import kept
from wtflow.inspecting.pictures import small_picture
from wtflow.records.inspect import Inspection
from wtflow.store.files import write_atomic
from wtflow.store.inspection_words import InspectionWords
from wtflow.store.runs import RunStore

Form = Literal["csv", "parquet", "jsonl"]
FORMS: Final[dict[Form, tuple[str, str]]] = {
    "csv": ("CSV", "text/csv"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
    "jsonl": ("JSON lines", "application/x-ndjson"),
}
"""Ending of a table's file -> what it is called, and its media type."""
DIGITS: Final = "%.9g"
"""Of numbers in the CSV: those of a float32."""
OVERLAY_PX: Final = 320
"""Longer side of a picture in the zip: that of the small pictures that are kept."""


def table_bytes(store: RunStore, inspection: Inspection, form: Form, words: InspectionWords) -> bytes:
    """The table of an inspection, one row per image, with what people wrote on it in the column `comment`.
    Raises RunNotFoundError, StoreError.
    """
    table = _table(store, inspection, words)
    if form == "csv":
        return csv_bytes(table, digits=DIGITS)
    if form == "jsonl":
        return table.to_json(orient="records", lines=True, force_ascii=False, double_precision=15).encode(
            errors="backslashreplace"
        )
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


def pack_inspection(
    store: RunStore,
    inspection: Inspection,
    path: Path,
    words: InspectionWords,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write a zip: scores.csv, inspection.json, and overlays/ with a JPEG of every image that was scored, defective
    ones first. progress: gets (pictures done, pictures in all). Raises RunNotFoundError, StoreError, DiskFullError.
    """
    rows = [row for row in kept.rows(store, inspection.inspection_id) if not row.problem]
    rows.sort(key=lambda row: (-row.score, row.image))
    texts = {
        "scores.csv": table_bytes(store, inspection, "csv", words),
        "inspection.json": json.dumps(_facts(inspection, words), indent=1, ensure_ascii=False).encode(),
    }
    when = time.gmtime(inspection.created)[:6]

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in texts.items():
                _add(archive, name, content, when, zipfile.ZIP_DEFLATED)
            for done, row in enumerate(rows, start=1):
                picture = small_picture(store, inspection, row, with_map=True, size_px=OVERLAY_PX)
                name = f"overlays/{done:05d}_{row.verdict}_{file_stem(row.image)}.jpg"
                _add(archive, name, picture, when, zipfile.ZIP_STORED)
                progress(done, len(rows))

    write_atomic(path, write)


def _table(store: RunStore, inspection: Inspection, words: InspectionWords) -> pd.DataFrame:
    table = kept.table(store, inspection.inspection_id)
    return table.assign(comment=[words.notes.get(image, "") for image in table.image])


def _facts(inspection: Inspection, words: InspectionWords) -> dict[str, Any]:
    """What a reader needs to know of the table."""
    decision = None if inspection.facts is None else asdict(inspection.facts.decision)
    return {
        "inspection_id": inspection.inspection_id,
        "name": words.name,
        "created": inspection.created,
        "detector": inspection.name,
        "threshold": decision,
        "counts": asdict(inspection.counts),
        "notes": list(inspection.notes),
    }


def _add(archive: zipfile.ZipFile, name: str, content: bytes, when: tuple[int, ...], method: int) -> None:
    info = zipfile.ZipInfo(name, (when[0], when[1], when[2], when[3], when[4], when[5]))
    info.compress_type, info.external_attr = method, 0o644 << 16
    archive.writestr(info, content)
