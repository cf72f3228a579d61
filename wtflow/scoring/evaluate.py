"""Score images with a detector and sum the scores up: maps, one table row per image, metrics, thresholds."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from wtflow.config import Settings
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
from wtflow.records.pixel_images import reason_words
from wtflow.records.shapes import Shape
from wtflow.records.truth import RunTruth
from wtflow.scoring.detector import Detector, Maps, load_detector
from wtflow.scoring.normals import measure_normals
from wtflow.scoring.pictures import keep_pictures
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
    """All images of a run scored. What was measured on normals, the maps and small pictures go to `results`."""
    cache = FeatureCache(results.home)
    detector = measure_normals(
        load_detector(checkpoint, settings, device), cache, keys.train, data, lambda *_: progress(0, 1)
    )
    results.write_edges(run_id, detector.edges)
    results.write_whole(run_id, detector.whole)
    ids, vectors = mean_features(detector, cache, keys.train, data)
    results.write_index(run_id, ids, vectors)
    n = len(data.test) + len(data.held_out)
    n_pictures = n if settings.keep_pictures else 0
    scored = score_all(detector, cache, keys, data, lambda done, _: progress(done, n + n_pictures))
    results.write_maps(run_id, scored.maps.after)
    if n_pictures:
        keep_pictures(results, run_id, data, settings, lambda done, _: progress(n + done, n + n_pictures))
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


@dataclass(slots=True)
class _PixelCounts:
    """Of how many images the pixel metrics are."""

    n: int = 0
    n_defective: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    n_regions: int = 0
    n_small: int = 0

    def facts(self) -> dict[str, Any]:
        """As metrics.json holds them."""
        return {
            "pixel_images": {
                "n": self.n,
                "n_defective": self.n_defective,
                "n_defects": self.n_defective + self.left_out.total(),
                "left_out": dict(self.left_out),
            },
            "regions": {"n": self.n_regions, "smaller_than_a_pixel": self.n_small},
            "n_without_mask": self.left_out.total(),
        }


def summarise(
    scored: ScoredImages, truth: RunTruth, settings: Settings, progress: Progress
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of scores (columns of layout.SCORE_COLUMNS) and everything metrics.json holds about quality.

    truth: of the test images, at map size. Held-out normals are scored and listed, and place a threshold, but count in
    no metric. Defective images whose truth is unknown count for the image metrics only.
    """
    pixels, start_pixels, counted = PixelMetrics(), PixelMetrics(), _PixelCounts()
    maps, start_maps, whole = scored.maps
    rows = []
    for i, (sample, held_out) in enumerate(zip(scored.samples, scored.is_holdout, strict=True)):
        pixel_map = upsample(maps[i : i + 1], truth.shape, settings.score)
        start_map = upsample(start_maps[i : i + 1], truth.shape, "endpoint")
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
            drawn = truth.of(sample.id, is_defective=sample.is_defective)
            if drawn is None:
                counted.left_out[truth.why(sample.id).code] += 1
            else:
                pixels.add(pixel_map[0], drawn)
                start_pixels.add(start_map[0], drawn)
                counted.n += 1
                counted.n_defective += sample.is_defective
                counted.n_regions += drawn.n_regions
                counted.n_small += drawn.n_small
        progress(i + 1, len(scored.samples))
    table = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    return table, _quality(table, pixels, start_pixels, maps, settings, counted)


def _quality(
    table: pd.DataFrame,
    pixels: PixelMetrics,
    start_pixels: PixelMetrics,
    maps: np.ndarray,
    settings: Settings,
    counted: _PixelCounts,
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
    undefined = {key: reason or _no_pixels(counted) for key, value in metrics.items() if value is None}
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
        "color_range": _color_range(maps, table, settings),
        **counted.facts(),
    }


def _no_pixels(counted: _PixelCounts) -> str:
    if not counted.left_out:
        return "No test image has a defect pixel in its mask."
    why = reason_words(counted.left_out)
    return f"No defective test image has a truth that pixels can be compared with: {why}."


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
