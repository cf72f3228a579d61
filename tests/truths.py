"""Truths for tests: of drawn masks, and of score tables whose masks lie in files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wtflow.datasets.masks.live import FileTruth
from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.records.core import Sample
from wtflow.records.reading import Reading
from wtflow.records.truth import MISSING, RunTruth, Truth
from wtflow.results import open_results
from wtflow.store.runs import RunStore


def drawn(mask) -> Truth:
    """The truth of a mask at its own size."""
    mask = np.asarray(mask, bool)
    return truth_of_mask(mask, mask.shape)


def file_truth(table: pd.DataFrame, shape: tuple[int, int], reading: Reading | None = None) -> FileTruth:
    """The truth of the test images of a score table by their masks as they are now."""
    samples = [
        Sample(row.sample_id, Path(row.path), "test", row.defect, Path(row.mask_path) if row.mask_path else None)
        for row in table[table.split == "test"].itertuples()
    ]
    return FileTruth(samples, lambda: reading or Reading(), shape)


def keep_truth(store: RunStore, run_id: str, left_out: Sequence[str] = (), **others: Truth) -> None:
    """Let a run hold the truth of its masks as they are now; `left_out`: ids of images without one; others: by the
    last part of an image's id without its ending and the defect type, such as `spot_000`, another truth.
    """
    run = open_results(store, run_id)
    now = file_truth(run.table, run.shape).read_all()
    truths = {name: others.get(_short(name), truth) for name, truth in now.truths.items() if name not in left_out}
    store.write_truth(run_id, RunTruth(now.shape, truths, dict(now.left_out) | dict.fromkeys(left_out, MISSING)))


def _short(sample_id: str) -> str:
    return "_".join(sample_id.rsplit(".", 1)[0].split("/")[-2:])
