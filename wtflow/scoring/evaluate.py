"""Score images with a detector and sum the scores up: maps, one table row per image, metrics, thresholds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wtflow.config import Settings
from wtflow.datasets.images import load_truth
from wtflow.metrics import (
    PixelMetrics,
    best_f1_threshold,
    image_metrics,
    pr_curve,
    quantile_threshold,
    roc_curve,
    undefined_reason,
)
from wtflow.records.core import Curve, Sample
from wtflow.scoring.detector import Detector, Maps
from wtflow.scoring.pixels import image_scores, upsample
from wtflow.store.features import FeatureCache
from wtflow.store.layout import SCORE_COLUMNS

HOLDOUT_QUANTILE = 0.95
BATCH = 8

Progress = Callable[[int, int], None]


def compute_maps(detector: Detector, cache: FeatureCache, key: str, rows: np.ndarray, progress: Progress) -> Maps:
    """What the detector says of the chosen rows of a feature file, N in all: maps (N, h, w) float32, (0, 1, 1) for no row."""
    wanted = {int(row): i for i, row in enumerate(rows)}
    kept: Maps | None = None
    done = 0
    for first, grids in cache.batches(key, BATCH):
        chosen = [row for row in range(first, first + len(grids)) if row in wanted]
        if not chosen:
            continue
        found = detector.maps(grids[[row - first for row in chosen]])
        if kept is None:
            kept = Maps(*(np.empty((len(rows), *part.shape[1:]), part.dtype) for part in found))
        targets = [wanted[row] for row in chosen]
        for part, target in zip(found, kept, strict=True):
            target[targets] = part
        done += len(chosen)
        progress(done, len(rows))
    return no_maps() if kept is None else kept


def no_maps() -> Maps:
    """Of no image."""
    return Maps(np.empty((0, 1, 1), np.float32), np.empty((0, 1, 1), np.float32), np.empty(0))


def summarise(
    samples: Sequence[Sample], is_holdout: Sequence[bool], found: Maps, settings: Settings, progress: Progress
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of scores (columns of layout.SCORE_COLUMNS) and everything metrics.json holds about quality.

    Held-out normals are scored and tabled, and place a threshold, but count in no metric. Defective images without a
    sound mask count for the image metrics only.
    """
    pixels, start_pixels = PixelMetrics(), PixelMetrics()
    maps, start_maps, whole = found
    rows = []
    n_without_mask = 0
    for i, (sample, held_out) in enumerate(zip(samples, is_holdout, strict=True)):
        pixel_map = upsample(maps[i : i + 1], settings.image_size, settings.score)
        start_map = upsample(start_maps[i : i + 1], settings.image_size, "endpoint")
        score = float(np.fmax(image_scores(pixel_map, settings.top_fraction)[0], whole[i]))
        start_score = float(image_scores(start_map, settings.top_fraction)[0])
        peak = np.unravel_index(int(maps[i].argmax()), maps[i].shape)
        rows.append((i, sample.id, str(sample.path), str(sample.mask_path or ""), "holdout" if held_out else "test", sample.defect,
                     sample.is_defective, score, int(peak[0]), int(peak[1]), start_score, float(whole[i])))  # fmt: skip
        if not held_out:
            truth = load_truth(sample, settings.image_size)
            if truth is None:
                n_without_mask += 1
            else:
                pixels.add(pixel_map[0], truth)
                start_pixels.add(start_map[0], truth)
        progress(i + 1, len(samples))
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    return table, _facts(table, pixels, start_pixels, maps, settings, n_without_mask)


def _facts(table: pd.DataFrame, pixels: PixelMetrics, start_pixels: PixelMetrics, maps: np.ndarray, settings: Settings, n_without_mask: int):
    test, holdout = table[table.split == "test"], table[table.split == "holdout"]
    scores, labels = test.score.to_numpy(), test.is_defective.to_numpy(bool)
    image = image_metrics(scores, labels)
    start = image_metrics(test.start_score.to_numpy(), labels)
    pixel, start_pixel = pixels.result(), start_pixels.result()
    metrics = {key: image[key] for key in ("image_auroc", "image_ap", "image_f1_max")}
    metrics |= {key: pixel[key] for key in ("pixel_auroc", "pixel_ap", "aupro")}
    metrics |= {"image_auroc_start": start["image_auroc"], "aupro_start": start_pixel["aupro"]}
    reason = undefined_reason(labels)
    undefined = {key: reason or _no_pixels(n_without_mask) for key, value in metrics.items() if value is None}
    thresholds: dict[str, Any] = {"best_f1": None, "holdout": None}
    if not reason:
        thresholds["best_f1"] = {"value": best_f1_threshold(scores, labels)}
    if len(holdout):
        value = quantile_threshold(holdout.score.to_numpy(), HOLDOUT_QUANTILE)
        thresholds["holdout"] = {"value": value, "quantile": HOLDOUT_QUANTILE, "n": len(holdout)}
    curves = {} if reason else {"roc": _plain(roc_curve(scores, labels)), "pr": _plain(pr_curve(scores, labels))}
    return {
        "metrics": metrics, "undefined": undefined, "thresholds": thresholds, "curves": curves, "n_without_mask": n_without_mask,
        "color_range": _color_range(maps, table, settings),
    }  # fmt: skip


def _no_pixels(n_without_mask: int) -> str:
    if n_without_mask:
        images = "image has" if n_without_mask == 1 else "images have"
        return f"{n_without_mask} defective test {images} no sound mask, and none of the rest has a defect pixel."
    return "No test image has a defect pixel in its mask."


def _color_range(maps: np.ndarray, table: pd.DataFrame, settings: Settings) -> list[float]:
    """One heat scale for the run: from the median of normal images to the highest 0.1 % of all positions."""
    if settings.score == "relative":
        return [0.0, 1.0]
    if not len(maps):
        return [0.0, 1.0]
    normal = maps[~table.is_defective.to_numpy(bool)] if not table.is_defective.all() else maps
    low, high = float(np.median(normal)), float(np.quantile(maps, 0.999))
    return [low, high if high > low else low + 1.0]


def _plain(curve: Curve) -> dict[str, list[float]]:
    """A curve as lists for JSON. The first threshold of a ROC curve is infinite by convention; JSON has no such number."""
    thresholds = np.where(np.isfinite(curve.thresholds), curve.thresholds, np.nan)
    return {"x": curve.x.tolist(), "y": curve.y.tolist(), "thresholds": [None if np.isnan(value) else float(value) for value in thresholds]}
