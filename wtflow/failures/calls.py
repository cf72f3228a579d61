"""Which images a run calls wrongly at a threshold, by how much, how each defect type fares,
where normal images look defective.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from wtflow.compare.intervals import wilson_interval
from wtflow.records.failures import AlarmMap, ImageFacts, TypeRow
from wtflow.results import RunResults, add_outcomes

PIXEL_QUANTILE = 0.99
"""Of the positions of normal images, this share stays below the pixel threshold."""
N_WORST = 3
"""Images of a type that its row names."""


def failures_of(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The images called wrongly, worst first, with the columns `outcome` (FN, FP) and `margin`.

    margin: how far the score lies on the wrong side, above 0 but for a false alarm exactly at the threshold, where it
    is 0; a missed defect misses it, a false alarm exceeds it. Ties by name. table: rows of the score table.
    """
    called = add_outcomes(table, threshold)
    wrong = called[called.outcome.isin(("FN", "FP"))]
    wrong = wrong.assign(margin=np.abs(wrong.score - threshold))
    return wrong.sort_values(["margin", "sample_id"], ascending=[False, True], ignore_index=True)


def type_rows(results: RunResults, facts: ImageFacts | None, threshold: float) -> tuple[TypeRow, ...]:
    """One row per defect type, the lowest detection rate first; without facts, neither AUPRO nor area."""
    test = results.test
    normals = test.score[~test.is_defective.to_numpy(bool)].to_numpy()
    area = pd.Series(dtype=float) if facts is None else pd.Series(facts.area, index=facts.row)
    rows = []
    for name, own in test[test.is_defective].groupby("defect"):
        n_found = int((own.score >= threshold).sum())
        labels, scores = np.repeat([True, False], [len(own), len(normals)]), np.r_[own.score.to_numpy(), normals]
        areas = area.reindex(own.row).dropna()
        rows.append(
            TypeRow(
                str(name),
                len(own),
                n_found,
                *wilson_interval(n_found, len(own)),
                auroc=float(roc_auc_score(labels, scores)) if len(normals) else None,
                aupro=None if facts is None else facts.aupro.get(str(name)),
                median_area=float(areas.median()) if len(areas) else None,
                worst=tuple(own.sort_values(["score", "sample_id"]).sample_id[:N_WORST]),
                n_marked=None if facts is None else len(areas),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.rate, row.defect)))


def position_scores(results: RunResults, rows: np.ndarray) -> np.ndarray:
    """float32 (B, h, w): scores of the grid positions of images as their pixel maps show them."""
    maps = np.asarray(results.maps[np.asarray(rows, int)], np.float32)
    if results.settings.score != "relative":
        return maps
    density = np.exp(-maps)
    return density.max(axis=(1, 2), keepdims=True) - density


def alarm_map(results: RunResults, quantile: float = PIXEL_QUANTILE) -> AlarmMap | None:
    """Where normal test images exceed the pixel threshold, the quantile of all their positions;
    None without normal test images.
    """
    test = results.test
    rows = test.row[~test.is_defective.to_numpy(bool)].to_numpy()
    if not len(rows):
        return None
    scores = position_scores(results, rows)
    threshold = float(np.quantile(scores, quantile))
    exceeds, rim = scores > threshold, np.ones(scores.shape[1:], bool)
    rim[1:-1, 1:-1] = False
    outer = exceeds[:, rim].mean(1)
    inner = exceeds[:, ~rim].mean(1) if not rim.all() else outer
    return AlarmMap(
        share=exceeds.mean(0),
        row=rows[scores.argmax(0)],
        threshold=threshold,
        quantile=quantile,
        n_images=len(rows),
        rim_share=float(exceeds[:, rim].sum() / max(exceeds.sum(), 1)),
        rim_area=float(rim.mean()),
        n_rim_higher=int((outer > inner).sum()),
        n_rim_lower=int((outer < inner).sum()),
    )
