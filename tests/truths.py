"""Truths for tests: of drawn masks, and of score tables whose masks lie in files."""

from pathlib import Path

import numpy as np
import pandas as pd

from wtflow.datasets.masks.live import FileTruth
from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.records.core import Sample
from wtflow.records.reading import Reading
from wtflow.records.truth import Truth


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
    return FileTruth(samples, reading or Reading(), shape)
