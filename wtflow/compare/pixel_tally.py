"""Pixel metrics of any resample of the images without looking at a pixel again.

AUPRO and pixel AUROC are sums over images at each threshold. So it is enough to know, per image, how many normal
pixels, how many defective ones and how much of its defective regions reach each of some hundred thresholds: a resample
is then a product of its weights with these tables. Between thresholds curves are taken as straight, which moves pixel
AUROC and AUPRO by less than 0.001 and pixel AP by less than 0.005 (a test measures it; on real runs it was 0.00002 and
0.0008). A tally belongs to the truth that was counted: another truth is another tally. Source: ours.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wtflow.machine.progress import Progress
from wtflow.metrics import FPR_LIMIT
from wtflow.records.compare import PixelTally
from wtflow.records.core import Curve
from wtflow.records.spacing import spaced
from wtflow.records.truth import RunTruth, Truth
from wtflow.results import RunResults, each_image, pixel_map
from wtflow.store import derived
from wtflow.store.runs import RunStore
from wtflow.store.truths import to_arrays

VERSION = 4
"""Part of the file's name: raise it when a tally's meaning changes."""

ACCURACY = {"pixel_auroc": 0.001, "pixel_ap": 0.005, "aupro": 0.001}
"""How far a metric of a tally lies from the metric of its pixels at most."""

N_TAIL, N_BODY = 320, 96
"""Thresholds by the share of pixels above, evenly by its logarithm (54 per decade), of normal images and of defective
ones, whose highest pixels may lie above every normal one; and by quantiles of defective images.
"""

SMALLEST_SHARE = 1e-6
N_LOOKED_AT = 64
"""Images whose pixels place the thresholds: four million pixels at 256 px, enough for shares of one in a million."""


def load_tally(store: RunStore, run_id: str, truth: RunTruth) -> PixelTally | None:
    """The run's tally on this truth if it was counted before, else None. Raises RunNotFoundError for an unknown run."""
    path = tally_path(store, run_id, truth_key(truth))
    found = derived.read(path)
    try:
        return None if found is None else PixelTally(**found[0])
    except TypeError:  # written by another version, or tampered with: count again
        derived.discard(path)
        return None


def make_tally(store: RunStore, results: RunResults, truth: RunTruth, progress: Progress) -> PixelTally:
    """Count and keep with the run. Raises DiskFullError, StoreError."""
    tally = count_pixels(results, truth, progress)
    arrays = {name: getattr(tally, name) for name in PixelTally.__dataclass_fields__}
    derived.write(tally_path(store, results.run_id, truth_key(truth)), arrays, {})
    return tally


def count_pixels(results: RunResults, truth: RunTruth, progress: Progress) -> PixelTally:
    """The tally of a run's test images on a truth at the size of the run's maps, which need not be the run's own."""
    images = list(each_image(results.test))
    return count_maps(
        results.test.row.to_numpy(),
        lambda i: pixel_map(results, int(images[i].row)),
        lambda i: truth.of(images[i].sample_id, is_defective=images[i].is_defective),
        results.test.is_defective.to_numpy(bool),
        progress,
    )


def count_maps(
    rows: np.ndarray,
    map_of: Callable[[int], np.ndarray],
    truth_of: Callable[[int], Truth | None],
    is_defective: np.ndarray,
    progress: Progress,
) -> PixelTally:
    """The tally of N images, known by rows (N,): map and truth of image i, both of one shape; None leaves it out."""
    rising = _thresholds(map_of, is_defective)
    counts = np.zeros((3, len(rows), len(rising)), np.float32)
    for i in range(len(rows)):
        drawn = truth_of(i)
        if drawn is not None:
            counts[:, i] = _count(map_of(i), drawn, rising)
        progress(i + 1, len(rows))
    return PixelTally(rows, rising[::-1].copy(), *counts[:, :, ::-1].copy())


def pixel_metrics(tally: PixelTally, rows: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Pixel AUROC, pixel AP and AUPRO, (R,) each, of images `rows` (N,) of the score table under weights (R, N).

    NaN where a row of weights leaves no normal or no defective pixel.
    """
    normal, defect, overlap = _weighted(tally, rows, weights)
    with np.errstate(invalid="ignore"):  # 0 / 0 where there is nothing to measure
        fpr, tpr, pro = (_from_zero(part / part[:, -1:]) for part in (normal, defect, overlap))
        called = normal + defect
        precision = defect / np.where(called > 0, called, 1)  # areas: a sliver of a pixel is less than 1
    # Up to the first threshold that anything reaches there is no precision: it is taken to be that one's.
    precision = np.concatenate([precision[:, :1], precision], axis=1)
    return {
        "pixel_auroc": np.trapezoid(tpr, fpr, axis=1),
        "pixel_ap": np.trapezoid(precision, tpr, axis=1),
        "aupro": _area_up_to(fpr, pro, FPR_LIMIT) / FPR_LIMIT,
    }


def pro_curve(tally: PixelTally, rows: np.ndarray) -> Curve | None:
    """False-positive rate of the pixels (x) against the mean overlap per region (y), from (0, 0);
    None where undefined.
    """
    normal, _, overlap = _weighted(tally, rows, np.ones((1, len(rows)), np.float32))
    if not (normal[0, -1] and overlap[0, -1]):
        return None
    fpr, pro = (_from_zero(part / part[:, -1:])[0] for part in (normal, overlap))
    return Curve(x=fpr, y=pro, thresholds=np.r_[np.nextafter(tally.thresholds[0], np.inf), tally.thresholds])


def tally_path(store: RunStore, run_id: str, key: str) -> Path:
    """Where the tally on the truth of this key lies, whether or not it is there. Raises RunNotFoundError."""
    params = {"what": "tally", "version": VERSION, "truth": key}
    return derived.path_of(store, run_id, "tally", derived.fingerprint(store, run_id, params))


def truth_key(truth: RunTruth) -> str:
    """16 hex digits over everything in a truth that is counted."""
    digest = hashlib.sha256()
    for name, array in sorted(to_arrays(truth).items()):
        if name not in ("left_out_ids", "codes", "reasons"):
            digest.update(f"{name} {array.dtype} {array.shape} ".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _thresholds(map_of: Callable[[int], np.ndarray], is_defective: np.ndarray) -> np.ndarray:
    """float32, rising from 0: close together where few normal pixels lie above, since AUPRO looks there."""
    quantiles = []
    for part, shares in (
        (np.flatnonzero(~is_defective), np.geomspace(SMALLEST_SHARE, 1, N_TAIL)),
        (np.flatnonzero(is_defective), np.r_[np.linspace(0, 1, N_BODY), np.geomspace(SMALLEST_SHARE, 1, N_TAIL)]),
    ):
        looked_at = part[spaced(len(part), N_LOOKED_AT)]
        if len(looked_at):
            pixels = np.concatenate([map_of(i).ravel() for i in looked_at])
            quantiles.append(np.quantile(pixels, 1 - shares))
    return np.unique(np.concatenate([[0.0], *quantiles]).astype(np.float32))


def _count(values: np.ndarray, truth: Truth, rising: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T,) each: normal area, defective area and covered regions at or above each threshold."""
    reached = (np.searchsorted(rising, values, side="right") - 1).ravel()  # the highest threshold that a pixel reaches

    def at_or_above(places: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(places, weights, minlength=len(rising))[::-1].cumsum()[::-1]

    if truth.is_normal and not len(truth.left_pixel):
        return at_or_above(reached), np.zeros(len(rising)), np.zeros(len(rising))
    hit, share = reached[truth.pixel], truth.share.astype(np.float64)
    return (
        at_or_above(reached, truth.normal.ravel()),
        at_or_above(hit, share),
        at_or_above(hit, share / truth.areas[truth.region]),
    )


def _weighted(tally: PixelTally, rows: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Normal pixels, defective pixels and regions at or above each threshold, float64 (R, T) each,
    for each row of weights.
    """
    place = np.searchsorted(tally.row, rows)
    counts = []
    for part in (tally.normal, tally.defect, tally.overlap):
        chosen = part[place]
        marked = chosen[:, -1] > 0  # normal images hold no defect: leaving them out saves most of the work
        counts.append((weights[:, marked].astype(np.float32) @ chosen[marked]).astype(np.float64))
    return counts


def _from_zero(rates: np.ndarray) -> np.ndarray:
    """Rates with the point above every score in front."""
    return np.concatenate([np.zeros((len(rates), 1)), rates], axis=1)


def _area_up_to(x: np.ndarray, y: np.ndarray, limit: float) -> np.ndarray:
    """(R,) area under rising curves (R, T), straight between points, over x from 0 to `limit`."""
    width = np.diff(x, axis=1)
    inside = np.diff(np.minimum(x, limit), axis=1)
    with np.errstate(invalid="ignore"):
        share = np.divide(inside, width, out=np.zeros_like(width), where=width > 0)
    return (inside * (y[:, :-1] + share * np.diff(y, axis=1) / 2)).sum(axis=1)
