"""Take a run home: scores as CSV, metrics and notes as JSON, every map as NPY and PNG, the pictures it keeps."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from wtflow.deciding.force import threshold_facts, threshold_in_force
from wtflow.errors import DamagedRunError
from wtflow.export.report.reproduce import shared_config
from wtflow.export.tables import scores_csv
from wtflow.plots.pictures import colour_map, encode_png
from wtflow.records.notes import RunNotes
from wtflow.results import RunResults, pixel_map
from wtflow.store.files import write_array, write_atomic, write_json
from wtflow.store.note_file import as_stored


def export_run(
    results: RunResults,
    out: Path,
    progress: Callable[[int, int], None],
    notes: RunNotes | None = None,
    *,
    with_paths: bool = False,
) -> list[Path]:
    """Write scores.csv with outcomes at the threshold in force, metrics.json with that threshold, config.json,
    maps/*.npy (float32, raw scores), maps/*.png (the run's one heat scale) and, of a run that keeps pictures,
    pictures/*.webp. With notes also notes.json, and what people wrote in three columns of scores.csv.

    with_paths: also the folders of data and weights on this computer; without, images are named by their ids.
    Files of an earlier export are replaced, others in `out` are left alone. Returns the paths written.
    Raises StoreError or DiskFullError when `out` cannot be written.
    """
    written = [out / "scores.csv", out / "metrics.json", out / "config.json"]
    store = results.seen.store
    decision = threshold_in_force(store, results)
    scores = scores_csv(results, decision.value, notes, with_folders=with_paths)
    write_atomic(written[0], lambda file: file.write(scores))
    write_json(written[1], results.metrics | {"threshold": threshold_facts(store, results, decision)})
    config = json.loads(results.config.model_dump_json()) if with_paths else shared_config(results.config)
    write_json(written[2], config)
    if notes is not None:
        written.append(out / "notes.json")
        write_json(written[-1], as_stored(notes))
    rows = results.table.to_dict("records")
    for i, row in enumerate(rows):
        values = pixel_map(results, int(row["row"]))
        stem = out / "maps" / f"{int(row['row']):05d}_{file_stem(str(row['sample_id']))}"
        npy, png = stem.with_name(stem.name + ".npy"), stem.with_name(stem.name + ".png")
        write_array(npy, values)
        picture = encode_png(colour_map(values, results.color_range))
        write_atomic(png, lambda file, picture=picture: file.write(picture))
        written += [npy, png]
        if kept := _kept_picture(results, int(row["row"])):
            written.append(out / "pictures" / f"{stem.name}.webp")
            write_atomic(written[-1], lambda file, kept=kept: file.write(kept))
        progress(i + 1, len(rows))
    return written


def _kept_picture(results: RunResults, row: int) -> bytes | None:
    """What the run keeps of an image, as it is; None where it keeps nothing, or nothing that can be read."""
    try:
        return results.seen.store.picture(results.run_id, row)
    except DamagedRunError:
        return None


def file_stem(sample_id: str) -> str:
    """A file name that any system takes, from an image's id: test/crack/a b.png -> test_crack_a_b."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", sample_id.rsplit(".", 1)[0].replace("/", "_"))[:120]
