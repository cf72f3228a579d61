"""A store of many small runs, made by hand: what lists, searches and pickers read when a lab has worked for a year.

Contents are real in form (a parquet table, NumPy files, a checkpoint), so that every check of the store accepts them;
their numbers are made up. Categories, settings, states, notes and damages differ.
"""

import io
import itertools
import json
import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from safetensors.numpy import save

from wtflow.config import Settings, settings_from
from wtflow.records.core import RunStatus
from wtflow.records.notes import RunNotes
from wtflow.store import layout
from wtflow.store.note_file import as_stored

CATEGORIES = (
    *("bottle", "cable", "capsule", "carpet", "grid", "hazelnut", "leather", "metal_nut", "pill", "screw", "tile"),
    *("toothbrush", "transistor", "wood", "zipper"),
)
COUPLINGS = ("worst", "independent", "optimal")
STATES: tuple[Literal["finished", "stopped", "failed"], ...] = ("finished", "stopped", "failed")
STEPS = (1, 4, 10)
SIZES = (256, 384, 512)
TAGS = ("paper", "ablation", "check", "line 3", "night shift")
FIRST = 1_735_700_000
"""When the oldest run was made, in seconds since the epoch; the others follow every quarter of an hour."""
EVERY_S = 900
VERSIONS = {"torch": "2.9.0", "numpy": "2.3.0"}


def write_many_runs(home: Path, n: int, seed: int = 0) -> list[str]:
    """Write n runs below `home` and return their ids, oldest first. Nothing is flushed to the disk: this is for stores
    that are thrown away.
    """
    home.mkdir(parents=True, exist_ok=True)
    chance, results = random.Random(seed), _results()
    settings = [
        settings_from("fast", {"coupling": coupling, "steps": steps, "image_size": size})
        for coupling, steps, size in itertools.product(COUPLINGS, STEPS, SIZES)
    ]
    return [_write(home, i, chance, settings, results) for i in range(n)]


def _write(home: Path, i: int, chance: random.Random, known: list[Settings], results: dict[str, bytes]) -> str:
    category, created = CATEGORIES[i % len(CATEGORIES)], FIRST + EVERY_S * i
    run_id = layout.run_name(category, time.strftime("%Y%m%d-%H%M%S", time.gmtime(created)))
    folder = home / run_id
    (folder / layout.CHECKPOINT).parent.mkdir(parents=True)
    settings = chance.choice(known).changed({"seed": chance.randrange(5)})
    config = layout.RunConfig(
        schema_version=layout.SCHEMA_VERSION,
        run_id=run_id,
        created=float(created),
        root="/data/mvtec",
        category=category,
        settings=settings,
        versions=VERSIONS,
    )
    _json(folder / layout.CONFIG, config.model_dump(mode="json"))
    state = chance.choices(STATES, (0.94, 0.04, 0.02))[0]
    status = RunStatus(state=state, percent=100.0, heartbeat=created + 60.0, message=f"{state.capitalize()}.")
    _json(folder / layout.STATUS, asdict(status))
    (folder / layout.LOG).write_text("Made by hand.\n")
    (folder / layout.STEPS).write_text('{"step": 1, "loss": 2.0, "learning_rate": 0.001}\n')
    (folder / layout.CHECKPOINT).write_bytes(results[layout.CHECKPOINT])
    if state == "finished":
        for name in (layout.SCORES, layout.MAPS, layout.INDEX, layout.EDGES):
            (folder / name).write_bytes(results[name])
        _json(folder / layout.METRICS, _metrics(chance))
        (folder / layout.DERIVED).mkdir()
        (folder / layout.DERIVED / "path-0123456789abcdef.npz").write_bytes(results[layout.INDEX])
    if chance.random() < 0.15:
        tags = tuple(chance.sample(TAGS, chance.randrange(3)))
        star = chance.random() < 0.1
        _json(folder / layout.NOTES, as_stored(RunNotes(comment=f"Looked at in week {i % 52}.", tags=tags, star=star)))
    _damage(folder, chance.random())
    return run_id


def _damage(folder: Path, chance: float) -> None:
    """One run in two hundred has a file that is cut off or lost."""
    if chance < 0.002:
        (folder / layout.CONFIG).write_text("{")
    elif chance < 0.004:
        (folder / layout.CHECKPOINT).unlink()
    elif chance < 0.005:
        (folder / layout.MAPS).unlink(missing_ok=True)


def _metrics(chance: random.Random) -> dict[str, Any]:
    names = ("image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "aupro")
    return {
        "metrics": {name: round(1 - 0.5 * chance.random() ** 2, 6) for name in names},
        "undefined": {},
        "thresholds": {"best_f1": {"value": 1.75}, "holdout": {"value": 2.45, "quantile": 0.95, "n": 2}},
        "color_range": [0.5, 4.0],
        "curves": {},
        "seconds": {"read": 1.0, "features": 8.0, "train": round(20 + 30 * chance.random(), 3), "score": 9.0},
        "peak_rss_mib": 1200.0,
        "files": sorted((layout.SCORES, layout.MAPS, layout.INDEX, layout.EDGES, layout.METRICS)),
        "source": "resnet18, made by hand",
    }


def _results() -> dict[str, bytes]:
    """Result files that every finished run gets: five test images on a grid of 4 x 4."""
    n, table, maps, index = 5, io.BytesIO(), io.BytesIO(), io.BytesIO()
    numbers: dict[str, Any] = {name: [0.0] * n for name in layout.SCORE_COLUMNS}
    names = [f"test/{'good' if i < 2 else 'crack'}/{i:03d}.png" for i in range(n)]
    numbers |= {
        "row": list(range(n)),
        "sample_id": names,
        "path": [f"/data/mvtec/{name}" for name in names],
        "mask_path": [""] * n,
        "split": ["test"] * n,
        "defect": [name.split("/")[1] for name in names],
        "is_defective": [i >= 2 for i in range(n)],
        "score": [1.0, 3.0, 2.0, 4.0, 5.0],
        "peak_row": [0] * n,
        "peak_column": [0] * n,
        "whole_score": [float("nan")] * n,
    }
    pd.DataFrame(numbers).to_parquet(table, index=False)
    np.save(maps, np.zeros((n, 4, 4), np.float32))
    np.savez(index, sample_ids=np.array(["train/good/000.png"]), vectors=np.ones((1, 3), np.float32))
    factors = np.ones((4, 4)).tolist()
    edges = json.dumps({"end": factors, "start": factors, "n_images": 2}).encode()
    return {
        layout.SCORES: table.getvalue(),
        layout.MAPS: maps.getvalue(),
        layout.INDEX: index.getvalue(),
        layout.EDGES: edges,
        layout.CHECKPOINT: save({"weight": np.zeros(4, np.float32)}),
    }


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
