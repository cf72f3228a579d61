"""Pixel metrics of runs side by side, with intervals from their counted pixels."""

from collections.abc import Mapping, Sequence

import numpy as np

from wtflow.compare.common_truth import CommonTruth, marks_anything
from wtflow.compare.intervals import N_RESAMPLES, paired_intervals, resample
from wtflow.compare.pixel_tally import ACCURACY, pixel_metrics
from wtflow.compare.runs import Comparison, metric_row
from wtflow.metrics import PIXEL_METRICS
from wtflow.records.compare import MetricRow, PixelTally
from wtflow.results import RunResults


def compare_pixels(
    comparison: Comparison,
    truth: CommonTruth,
    tallies: Sequence[PixelTally] | None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> tuple[MetricRow, ...]:
    """Pixel metrics of all runs on one truth, with intervals and differences where their pixels were counted on it.

    tallies: one per run, of this truth. Value and interval come from the same count. Where the values that the runs
    stored agree with it as far as a tally is accurate, they are shown instead, since they are exact. Without tallies
    there are values only where the runs stored them of this very truth, and had the same test images. Where there are
    none, `reason` says why.
    """
    if truth.reason:
        return _without(comparison, dict.fromkeys(PIXEL_METRICS, truth.reason))
    if not marks_anything(comparison, truth.truths):
        return _without(comparison, _undefined(comparison))
    if tallies is None and truth.is_stored and comparison.is_same_set:
        return stored_rows(comparison)
    if tallies is None:
        return _without(comparison, dict.fromkeys(PIXEL_METRICS, "The pixels of these images are not counted yet."))
    whole = np.ones((1, len(comparison.images)), np.float32)
    counted = [pixel_metrics(tally, rows, whole) for tally, rows in zip(tallies, comparison.rows, strict=True)]
    if any(np.isnan(one[key]).any() for one in counted for key in PIXEL_METRICS):
        return _without(comparison, _undefined(comparison))
    weights = resample(_strata(comparison, tallies), n_resamples, seed)
    drawn = [pixel_metrics(tally, rows, weights) for tally, rows in zip(tallies, comparison.rows, strict=True)]
    rows = []
    for key in PIXEL_METRICS:
        values = [float(one[key][0]) for one in counted]
        exact = [_stored(run, key) for run in comparison.runs]
        if comparison.is_same_set and all(
            one is not None and abs(one - value) <= ACCURACY[key] for one, value in zip(exact, values, strict=True)
        ):
            values = [float(one) for one in exact if one is not None]
        rows.append(metric_row(key, paired_intervals(values, [one[key] for one in drawn])))
    return tuple(rows)


def stored_rows(comparison: Comparison) -> tuple[MetricRow, ...]:
    """Pixel metrics as the runs stored them, each of the masks that it was scored with."""
    reasons = _undefined(comparison)
    stored = [(key, tuple(_stored(run, key) for run in comparison.runs)) for key in PIXEL_METRICS]
    return tuple(MetricRow(key, values, reason=reasons[key] * (None in values)) for key, values in stored)


def _stored(run: RunResults, key: str) -> float | None:
    return run.metrics["metrics"].get(key)


def _without(comparison: Comparison, reasons: Mapping[str, str]) -> tuple[MetricRow, ...]:
    """Pixel metrics without values, and why."""
    return tuple(MetricRow(key, (None,) * len(comparison.runs), reason=reasons[key]) for key in PIXEL_METRICS)


def _undefined(comparison: Comparison) -> dict[str, str]:
    """Why a pixel metric is not defined: as a run stored it for its whole test set, if it did."""
    found = dict.fromkeys(PIXEL_METRICS, "No common image has a defect pixel in its mask and a normal pixel beside it.")
    if comparison.is_same_set:
        for run in reversed(comparison.runs):
            found |= {key: why for key, why in run.metrics.get("undefined", {}).items() if key in found}
    return found


def _strata(comparison: Comparison, tallies: Sequence[PixelTally]) -> np.ndarray:
    """Label, whether a mask marks anything and whether a pixel is normal: every resample has a region to measure, and
    normal pixels to measure it against.
    """
    place = np.searchsorted(tallies[0].row, comparison.rows[0])
    has_defect, has_normal = (part[place, -1] > 0 for part in (tallies[0].overlap, tallies[0].normal))
    return comparison.labels + 2 * has_defect + 4 * has_normal
