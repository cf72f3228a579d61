"""A finished run over real little images on disk, with scores, masks and hashes, for tests of reports and zips. No
torch.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from hand_made_runs import plain_metrics
from PIL import Image
from run_folders import tiny_settings

from wtflow.datasets.run_images import read_data
from wtflow.datasets.scan import scan_category
from wtflow.records.core import RunStatus
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore

GOOD_SCORES, DEFECT_SCORES = (1.0, 3.0), (2.0, 4.0, 5.0)
"""At a threshold of 1.75 the outcomes are 3 TP, 1 FP, 1 TN, 0 FN; at 3.5 they are 2 TP, 0 FP, 2 TN, 1 FN."""

GREY = 120
SCALE = (0.5, 4.0)
"""Colour range of the run."""


def write_category(
    root: Path, name: str = "plate", defect: str = "spot", size_px: int = 64, n_good: int = 2, n_bad: int = 3
) -> Path:
    """Two normals to train on, `n_good` grey images and `n_bad` with a white square, which their mask marks. Returns
    `root`.
    """
    for part, n in (("train/good", 2), ("test/good", n_good), (f"test/{defect}", n_bad)):
        folder = root / name / part
        folder.mkdir(parents=True)
        for i in range(n):
            pixels = np.full((size_px, size_px, 3), GREY, np.uint8)
            pixels[:4, : 4 * (i + 1)] = 60  # so that no two have the same content
            mask = np.zeros((size_px, size_px), np.uint8)
            if part == f"test/{defect}":
                mask[size_px // 4 : size_px // 2, size_px // 4 : size_px // 2] = 255
                pixels[mask > 0] = 250
                (root / name / "ground_truth" / defect).mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(root / name / "ground_truth" / defect / f"{i:03d}_mask.png")
            Image.fromarray(pixels).save(folder / f"{i:03d}.png")
    return root


def write_run(
    store: RunStore,
    root: Path,
    name: str = "plate",
    *,
    scores: tuple[float, ...] = (*DEFECT_SCORES, *GOOD_SCORES),
    **settings,
) -> str:
    """A finished run of the category; `scores` of the defective test images first, then of the good ones. Maps rise
    from 0.5 to 4 over all images.
    """
    run_id = store.create(root, name, tiny_settings(**settings))
    store.write_data(run_id, read_data(store.config(run_id), lambda done, total: None).to_json())
    samples = sorted(scan_category(root, name).of("test"), key=lambda sample: (sample.defect == "good", sample.id))
    rows = [
        (
            i,
            sample.id,
            str(sample.path),
            str(sample.mask_path or ""),
            "test",
            sample.defect,
            sample.is_defective,
            score,
            1,
            1,
            score / 10,
            np.nan,
        )
        for i, (sample, score) in enumerate(zip(samples, scores, strict=True))
    ]
    store.write_scores(run_id, pd.DataFrame(rows, columns=list(SCORE_COLUMNS)))
    store.write_maps(run_id, np.linspace(*SCALE, 16 * len(rows), dtype=np.float32).reshape(-1, 4, 4))
    store.write_metrics(run_id, plain_metrics(color_range=list(SCALE)))
    store.write_status(run_id, RunStatus(state="finished", percent=100.0, heartbeat=1.0, message="Finished in 1 s."))
    return run_id
