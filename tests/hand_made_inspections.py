"""Finished inspections written through the store itself with scores chosen by hand: quick, and no torch."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from wtflow.inspecting import tasks
from wtflow.plots.pictures import encode_jpeg
from wtflow.records.core import RunStatus
from wtflow.records.decision import Decision
from wtflow.records.inspect import Counts, DetectorFacts, Inspected, Inspection
from wtflow.store import inspections
from wtflow.store.inspected_rows import RowWriter
from wtflow.store.runs import RunStore

THRESHOLD = 2.0
FACTS = DetectorFacts(
    name="plate",
    fingerprint="f" * 16,
    decision=Decision(THRESHOLD, "by_hand", "Chosen by hand.", 1.0),
    shape=(32, 32),
    map_shape=(4, 4),
    n_features=3,
    score_kind="endpoint",
    top_fraction=0.0,
    color_range=(0.0, 4.0),
    background="black",
)


def write_inspection(
    store: RunStore,
    run_id: str,
    scores: Mapping[str, float | str],
    folder: Path,
    *,
    facts: DetectorFacts = FACTS,
    keeps_pictures: bool = True,
    **counts: int,
) -> Inspection:
    """An inspection of these images: name -> score, or why it could not be read. Files that are in `folder` are taken
    for the images.
    """
    made = replace(tasks.create(store, run_id, [folder]), facts=facts)
    inspections.write_plan(store, made)
    rows, maps = [], []
    for at, (name, score) in enumerate(scores.items()):
        path = folder / name
        row = Inspected(name, str(path), threshold=facts.decision.value, at=100.0 + at)
        if isinstance(score, str):
            rows.append(replace(row, problem=score))
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        call = "defective" if score >= facts.decision.value else "normal"
        near = (("train/good/000.png", 0.5),)
        rows.append(replace(row, score=score, verdict=call, sha256=digest, height=8, width=8, nearest=near))
        maps.append(np.full(facts.map_shape, score, np.float32))
    n_sound = len(maps)
    pictures = [encode_jpeg(np.full((8, 8, 3), 90, np.uint8))] * n_sound if keeps_pictures else []
    with RowWriter(inspections.folder_of(store, made.inspection_id), facts) as writer:
        writer.append(
            rows,
            np.array(maps, np.float32).reshape(n_sound, *facts.map_shape),
            np.ones((n_sound, facts.n_features), np.float32),
            pictures,
        )
    n_defective = sum(row.verdict == "defective" for row in rows)
    found = Counts(n_found=len(rows), n_done=len(rows), n_defective=n_defective, n_broken=len(rows) - n_sound)
    made = replace(made, status=RunStatus(state="finished", message="Done."), counts=replace(found, **counts))
    inspections.write_progress(store, made)
    return made
