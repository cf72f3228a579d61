"""One stage of a run in a separate process, and its peak memory:
`python -m wtflow.bench.memory_stage STAGE RUN` (store: WTFLOW_HOME).

Prints the peak in MiB last. Stage `imports` loads what every stage loads and does nothing: the floor. A stage reads
from the store what the stages before it wrote.
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch

from wtflow.datasets.masks.read import read_run_truth
from wtflow.datasets.run_images import read_data
from wtflow.features.extract import FeatureKeys, compute_features
from wtflow.jobs.reporter import Reporter
from wtflow.machine.memory import peak_mib
from wtflow.records.shapes import shape_of
from wtflow.scoring.detector import Maps
from wtflow.scoring.evaluate import score_images, scored_images, summarise
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.training.stages import train_flow

CPU = torch.device("cpu")


def main(stage: str, run_id: str) -> None:
    if stage != "imports":
        run_stage(RunStore(), run_id, stage)
    sys.stdout.write(f"{peak_mib():.1f}\n")


def run_stage(store: RunStore, run_id: str, stage: str) -> None:
    """The worker's part in this stage. The keys of the features pass from stage to stage in a file, so that only one
    loads the backbone.
    """
    config = store.config(run_id)
    settings, checkpoint, keys_file = (
        config.settings,
        store.folder(run_id) / layout.CHECKPOINT,
        store.home / "keys.json",
    )
    data = read_data(config, _ignore)
    if stage == "features":
        keys = compute_features(store, data, settings, CPU, _ignore)
        keys_file.write_text(json.dumps(dataclasses.asdict(keys)), encoding="utf-8")
    elif stage == "train":
        reporter = Reporter(store, run_id)
        with reporter.stage("train"):
            train_flow(store, run_id, _read_keys(keys_file), data, settings, CPU, checkpoint, reporter.progress)
    elif stage == "score":
        score_images(store, run_id, _read_keys(keys_file), data, settings, CPU, checkpoint, _ignore)
    elif stage == "metrics":
        maps = np.asarray(store.maps(run_id), np.float32)
        scored = scored_images(data, Maps(maps, maps, np.full(len(maps), np.nan)))
        shape = shape_of(scored.canvas or settings.image_size)
        summarise(scored, read_run_truth(data, config.reading, shape, _ignore)[1], settings, _ignore)


def _read_keys(path: Path) -> FeatureKeys:
    return FeatureKeys(**json.loads(path.read_text(encoding="utf-8")))


def _ignore(done: int, total: int) -> None:
    """Progress is not shown."""


if __name__ == "__main__":
    main(*sys.argv[1:])
