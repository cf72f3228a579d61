"""What an inspection found, to take home: scores as CSV, Parquet and JSON lines, maps, overlays. Imports no torch.

Rows are read and written a few thousand at a time, so memory does not grow with the number of images.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wtflow.datasets.decode import decode_image
from wtflow.export.folder import file_stem
from wtflow.export.tables import csv_bytes
from wtflow.inspecting import kept
from wtflow.inspecting.sources import natural
from wtflow.machine.progress import Progress
from wtflow.plots.pictures import colour_map, encode_jpeg, encode_png, overlay
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store import inspections
from wtflow.store.files import write_array, write_atomic
from wtflow.store.inspected_reading import each_latest
from wtflow.store.runs import RunStore

AT_ONCE: Final = 2000
"""Rows in memory."""
OPACITY: Final = 0.6
DIGITS: Final = "%.9g"
BOM: Final = b"\xef\xbb\xbf"
_WHOLE: Final = ("width", "height", "peak_row", "peak_column")
_TEXT: Final = ("image", "verdict", "problem", "note", "scored", "sha256", "path")


def write_tables(store: RunStore, inspection: Inspection, out: Path) -> list[Path]:
    """Write scores.csv and scores.parquet, and scores.jsonl where `out` is another folder than the inspection's own.
    Images in natural order. Returns the paths. Raises DiskFullError, StoreError.
    """
    folder = inspections.folder_of(store, inspection.inspection_id)
    written = [out / "scores.csv", out / "scores.parquet"]
    write_atomic(written[0], lambda file: [file.write(part) for part in csv_parts(folder)])
    write_atomic(written[1], lambda file: _write_parquet(folder, file))
    if out.resolve() != folder.resolve():
        written.append(out / "scores.jsonl")
        write_atomic(written[2], lambda file: [file.write(line) for line in _json_lines(folder)])
    return written


def csv_parts(folder: Path) -> Iterator[bytes]:
    """scores.csv in parts: UTF-8 with a byte-order mark, one header line."""
    is_first = True
    for rows in _each_chunk(folder):
        part = csv_bytes(kept.table_of(rows), digits=DIGITS)
        yield part if is_first else part.removeprefix(BOM).split(b"\n", 1)[1]
        is_first = False


def export_maps(store: RunStore, inspection: Inspection, out: Path, progress: Progress) -> int:
    """Write maps/*.npy (float32, raw scores at the size that the network sees) and maps/*.png (the one heat scale).
    Returns how many images there were. Raises DiskFullError, StoreError.
    """
    n = 0
    for stem, row in _each_named(store, inspection, progress):
        values = kept.pixel_map(store, inspection, row)
        if values is not None and inspection.facts is not None:
            write_array(out / "maps" / f"{stem}.npy", values)
            picture = encode_png(colour_map(values, inspection.facts.color_range))
            write_atomic(out / "maps" / f"{stem}.png", lambda file, picture=picture: file.write(picture))
            n += 1
    return n


def export_overlays(store: RunStore, inspection: Inspection, out: Path, progress: Progress) -> int:
    """Write overlays/*.jpg: the small picture of each image under its map. Returns how many. Raises DiskFullError,
    StoreError.
    """
    n = 0
    for stem, row in _each_named(store, inspection, progress):
        mixed = overlay_of(store, inspection, row)
        if mixed is not None:
            encoded = encode_jpeg(mixed)
            write_atomic(out / "overlays" / f"{stem}.jpg", lambda file, encoded=encoded: file.write(encoded))
            n += 1
    return n


def overlay_of(store: RunStore, inspection: Inspection, row: Inspected) -> np.ndarray | None:
    """uint8 (h, w, 3): the small picture of an image under its map; None where either is not kept."""
    values, encoded = kept.pixel_map(store, inspection, row), kept.picture(store, inspection, row)
    if values is None or encoded is None or inspection.facts is None:
        return None
    small = decode_image(encoded, row.image).pixels
    return overlay(small, values, inspection.facts.color_range, OPACITY)


# -- inside ------------------------------------------------------------------------------------------------------------


def _each_chunk(folder: Path) -> Iterator[list[Inspected]]:
    """The latest row of every image in natural order of names; at least one list, which may be empty."""
    last = {row.image: i for i, row in enumerate(each_latest(folder))}
    order = sorted(last, key=natural)
    place = {last[image]: at for at, image in enumerate(order)}
    n_chunks = max(1, -(-len(order) // AT_ONCE))
    if all(one < two for one, two in pairwise(place)):  # as it is unless images came later: read once
        chunk: list[Inspected] = []
        n_given = 0
        for i, row in enumerate(each_latest(folder)):
            if i in place:
                chunk.append(row)
            if len(chunk) == AT_ONCE:
                yield chunk
                chunk, n_given = [], n_given + 1
        if chunk or not n_given:
            yield chunk
        return
    for k in range(n_chunks):
        first = k * AT_ONCE
        found = {
            place[i]: row for i, row in enumerate(each_latest(folder)) if first <= place.get(i, -1) < first + AT_ONCE
        }
        yield [found[at] for at in sorted(found)]


def _json_lines(folder: Path) -> Iterator[bytes]:
    for rows in _each_chunk(folder):
        for values in kept.table_of(rows).to_dict("records"):
            yield (
                json.dumps({name: _plain(one) for name, one in values.items()}, ensure_ascii=False).encode(
                    errors="backslashreplace"
                )
                + b"\n"
            )


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value


def _schema() -> pa.Schema:
    kinds = {name: pa.int64() for name in _WHOLE} | {name: pa.string() for name in _TEXT}
    kinds |= {name: pa.string() for name in kept.COLUMNS if name.startswith("nearest_")}
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in kept.COLUMNS])


def _write_parquet(folder: Path, file: Any) -> None:
    schema = _schema()
    with pq.ParquetWriter(file, schema) as writer:
        for rows in _each_chunk(folder):
            table = kept.table_of(rows)
            for name in ("path", "image"):  # bytes that are no UTF-8 fit into no text
                table[name] = [one.encode(errors="backslashreplace").decode() for one in table[name]]
            writer.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))


def _each_named(store: RunStore, inspection: Inspection, progress: Progress) -> Iterator[tuple[str, Inspected]]:
    """(name of a file without its ending, row) of each image that was read; `progress` counts."""
    rows = [row for row in kept.rows(store, inspection.inspection_id) if not row.problem]
    for i, row in enumerate(sorted(rows, key=lambda row: natural(row.image))):
        yield f"{i:05d}_{file_stem(row.image)}", row
        progress(i + 1, len(rows))
