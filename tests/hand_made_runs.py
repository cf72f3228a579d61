"""Finished runs written through the store itself with numbers chosen by hand: quick, and no torch."""

from pathlib import Path

import numpy as np
import pandas as pd

from wtflow.datasets.images import hash_file
from wtflow.records.core import RunStatus
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore

SCORES = {
    "test/good/000.png": 1.0,
    "test/good/001.png": 3.0,
    "test/crack/000.png": 2.0,
    "test/crack/001.png": 4.0,
    "test/dent/000.png": 5.0,
}
"""Two good and three defective test images."""
HELD_OUT = {"train/good/000.png": 1.5, "train/good/001.png": 2.5}


def score_table(scores: dict[str, float] = SCORES, held_out: dict[str, float] = HELD_OUT) -> pd.DataFrame:
    rows = []
    for i, (sample_id, score) in enumerate((scores | held_out).items()):
        defect, split = sample_id.split("/")[1], "holdout" if sample_id in held_out else "test"
        rows.append(
            (
                i,
                sample_id,
                f"/data/plate/{sample_id}",
                "",
                split,
                defect,
                defect != "good",
                score,
                0,
                0,
                score / 10,
                np.nan,
            )
        )
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def plain_metrics(**changes) -> dict:
    values = {
        "image_auroc": 5 / 6,
        "image_ap": 0.9,
        "image_f1_max": 0.8,
        "pixel_auroc": None,
        "pixel_ap": None,
        "aupro": None,
    }
    thresholds = {"best_f1": {"value": 1.75}, "holdout": {"value": 2.45, "quantile": 0.95, "n": 2}}
    return {
        "metrics": values,
        "undefined": {"aupro": "No masks."},
        "thresholds": thresholds,
        "color_range": [0.5, 4.0],
        "curves": {},
        "seconds": {"read": 0.1},
        "peak_rss_mib": 100.0,
        "source": "resnet18, untrained (random weights, seed fixed)",
    } | changes


def record_images(store: RunStore, run_id: str) -> None:
    """Write data.json from the score table of a run whose images lie on disk, as a worker records them."""
    rows = store.scores(run_id).itertuples()
    samples = [
        {
            "id": row.sample_id,
            "path": row.path,
            "split": "train" if row.split == "holdout" else "test",
            "defect": row.defect,
            "mask": row.mask_path,
            "sha256": hash_file(Path(row.path)),
        }
        | ({"mask_sha256": hash_file(Path(row.mask_path))} if row.mask_path else {})
        for row in rows
    ]
    store.write_data(run_id, {"fingerprint": "", "held_out": [], "samples": samples})


def write_finished_run(store: RunStore, settings, category: str = "plate", **metrics) -> str:
    """A finished run of the scores above; map i is the constant i, at every position of a 4 x 4 grid."""
    run_id = store.create(Path("/data"), category, settings)
    table = score_table()
    store.write_scores(run_id, table)
    store.write_maps(run_id, np.arange(len(table), dtype=np.float32)[:, None, None] * np.ones((4, 4), np.float32))
    store.write_metrics(run_id, plain_metrics(**metrics))
    store.write_index(run_id, ["train/good/002.png"], np.ones((1, 3), np.float32))
    store.append_step(run_id, 1, 2.0, 1e-3)
    store.write_status(run_id, RunStatus(state="finished", percent=100.0, heartbeat=1.0, message="Finished in 1 s."))
    return run_id
