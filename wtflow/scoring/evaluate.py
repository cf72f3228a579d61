"""Score images with a detector and sum the scores up: maps, one table row per image, metrics, thresholds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from wtflow.config import Settings
from wtflow.datasets.images import load_truth
from wtflow.datasets.run_images import RunData
from wtflow.features.extract import FeatureKeys
from wtflow.machine.progress import Progress
from wtflow.metrics import (
    IMAGE_METRICS,
    PIXEL_METRICS,
    PixelMetrics,
    best_f1_threshold,
    image_metrics,
    pr_curve,
    quantile_threshold,
    roc_curve,
    undefined_reason,
)
from wtflow.records.core import Curve, Sample
from wtflow.records.shapes import Shape, shape_of
from wtflow.scoring.detector import Detector, Maps, load_detector
from wtflow.scoring.normals import measure_normals
from wtflow.scoring.pixels import image_scores, scores_of, upsample
from wtflow.scoring.rows import compute_maps, mean_features, no_maps
from wtflow.store.features import FeatureCache
from wtflow.store.layout import SCORE_COLUMNS
from wtflow.store.runs import RunStore

HOLDOUT_QUANTILE = 0.95


@dataclass(frozen=True, slots=True)
class ScoredImages:
    """Test images and then held-out normals, with the detector's maps and scores of them."""

    samples: tuple[Sample, ...]
    is_holdout: tuple[bool, ...]
    maps: Maps
    canvas: Shape | None = None
    """What images are resized to where they are cut into tiles; None: the square of the settings."""


def scored_images(data: RunData, maps: Maps) -> ScoredImages:
    """The scored images of a run, with maps in their order: test images, then held-out normals."""
    held_out = tuple(data.train[row] for row in data.held_out)
    is_holdout = (False,) * len(data.test) + (True,) * len(held_out)
    return ScoredImages((*data.test, *held_out), is_holdout, maps, data.canvas)


def score_images(
    results: RunStore,
    run_id: str,
    keys: FeatureKeys,
    data: RunData,
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
    progress: Progress,
) -> ScoredImages:
    """All images of a run scored. What was measured on normals and the maps are written to `results`."""
    cache = FeatureCache(results.home)
    detector = measure_normals(
        load_detector(checkpoint, settings, device), cache, keys.train, data, lambda *_: progress(0, 1)
    )
    results.write_edges(run_id, detector.edges)
    results.write_whole(run_id, detector.whole)
    ids, vectors = mean_features(detector, cache, keys.train, data)
    results.write_index(run_id, ids, vectors)
    scored = score_all(detector, cache, keys, data, progress)
    results.write_maps(run_id, scored.maps.after)
    return scored


def score_all(
    detector: Detector, cache: FeatureCache, keys: FeatureKeys, data: RunData, progress: Progress
) -> ScoredImages:
    """The test images and then the held-out normals, scored."""
    n_test, n_all = len(data.test), len(data.test) + len(data.held_out)
    parts = []
    if keys.test is not None:
        parts.append(compute_maps(detector, cache, keys.test, np.arange(n_test), lambda done, _: progress(done, n_all)))
    if data.held_out:
        parts.append(
            compute_maps(
                detector, cache, keys.train, np.array(data.held_out), lambda done, _: progress(n_test + done, n_all)
            )
        )
    found = Maps(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else no_maps()
    return scored_images(data, found)


def summarise(scored: ScoredImages, settings: Settings, progress: Progress) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of scores (columns of layout.SCORE_COLUMNS) and everything metrics.json holds about quality.

    Held-out normals are scored and listed, and place a threshold, but count in no metric. Defective images without a
    valid mask count for the image metrics only.
    """
    pixels, start_pixels = PixelMetrics(), PixelMetrics()
    maps, start_maps, whole = scored.maps
    shape = shape_of(scored.canvas or settings.image_size)
    rows = []
    n_without_mask = 0
    for i, (sample, held_out) in enumerate(zip(scored.samples, scored.is_holdout, strict=True)):
        pixel_map = upsample(maps[i : i + 1], shape, settings.score)
        start_map = upsample(start_maps[i : i + 1], shape, "endpoint")
        score = float(scores_of(pixel_map, whole[i : i + 1], settings.top_fraction)[0])
        start_score = float(image_scores(start_map, settings.top_fraction)[0])
        peak = np.unravel_index(int(maps[i].argmax()), maps[i].shape)
        rows.append(
            (
                i,
                sample.id,
                str(sample.path),
                str(sample.mask_path or ""),
                "holdout" if held_out else "test",
                sample.defect,
                sample.is_defective,
                score,
                int(peak[0]),
                int(peak[1]),
                start_score,
                float(whole[i]),
            )
        )
        if not held_out:
            truth = load_truth(sample, shape)
            if truth is None:
                n_without_mask += 1
            else:
                pixels.add(pixel_map[0], truth)
                start_pixels.add(start_map[0], truth)
        progress(i + 1, len(scored.samples))
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    return table, _quality(table, pixels, start_pixels, maps, settings, n_without_mask)


def _quality(
    table: pd.DataFrame,
    pixels: PixelMetrics,
    start_pixels: PixelMetrics,
    maps: np.ndarray,
    settings: Settings,
    n_without_mask: int,
) -> dict[str, Any]:
    """Metrics, thresholds, curves and the colour range, as metrics.json holds them."""
    test, holdout = table[table.split == "test"], table[table.split == "holdout"]
    scores, labels = test.score.to_numpy(), test.is_defective.to_numpy(bool)
    image = image_metrics(scores, labels)
    start = image_metrics(test.start_score.to_numpy(), labels)
    pixel, start_pixel = pixels.result(), start_pixels.result()
    metrics = {key: image[key] for key in IMAGE_METRICS}
    metrics |= {key: pixel[key] for key in PIXEL_METRICS}
    metrics |= {"image_auroc_start": start["image_auroc"], "aupro_start": start_pixel["aupro"]}
    reason = undefined_reason(labels)
    undefined = {key: reason or _no_pixels(n_without_mask) for key, value in metrics.items() if value is None}
    thresholds: dict[str, Any] = {"best_f1": None, "holdout": None}
    if not reason:
        thresholds["best_f1"] = {"value": best_f1_threshold(scores, labels)}
    if len(holdout):
        value = quantile_threshold(holdout.score.to_numpy(), HOLDOUT_QUANTILE)
        thresholds["holdout"] = {"value": value, "quantile": HOLDOUT_QUANTILE, "n": len(holdout)}
    found = {"roc": roc_curve(scores, labels), "pr": pr_curve(scores, labels)}
    curves = {name: _plain(curve) for name, curve in found.items() if curve is not None}
    return {
        "metrics": metrics,
        "undefined": undefined,
        "thresholds": thresholds,
        "curves": curves,
        "n_without_mask": n_without_mask,
        "color_range": _color_range(maps, table, settings),
    }


def _no_pixels(n_without_mask: int) -> str:
    if n_without_mask:
        images = "image has" if n_without_mask == 1 else "images have"
        return f"{n_without_mask} defective test {images} no valid mask, and none of the rest has a defect pixel."
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


def _plain(curve: Curve) -> dict[str, list[float | None]]:
    """A curve as lists for JSON. The first threshold of a ROC curve is infinite by convention;
    JSON has no such number.
    """
    thresholds = np.where(np.isfinite(curve.thresholds), curve.thresholds, np.nan)
    return {
        "x": curve.x.tolist(),
        "y": curve.y.tolist(),
        "thresholds": [None if np.isnan(value) else float(value) for value in thresholds],
    }
