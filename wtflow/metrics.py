"""How well scores separate defective from normal, per image and per pixel. Raw scores: no clamping, no normalising.

An image or pixel is called defective when its score >= threshold. A metric that the data does not define is None,
and `undefined_reason` gives the reason.

Sources: AUPRO after Bergmann et al. 2021 (MVTec AD, IJCV 129); AUROC, AP, curves: scikit-learn; streaming: ours.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn import metrics as sklearn_metrics

from wtflow.errors import MetricError
from wtflow.records.core import Confusion, Curve
from wtflow.records.spacing import spaced
from wtflow.records.truth import Truth

Level = Literal["image", "pixel"]


@dataclass(frozen=True, slots=True)
class Metric:
    """title: at the head of a card or a row; short: inside a sentence or a legend; meaning: in a sentence for people.

    level: measured per image or per pixel. before_flow: key of the same metric of scores taken before the flow, or
    empty. is_before_flow: whether this is such a metric.
    """

    title: str
    short: str
    meaning: str
    level: Level
    before_flow: str = ""
    is_before_flow: bool = False


METRICS: dict[str, Metric] = {
    "image_auroc": Metric(
        "Image AUROC",
        "image AUROC",
        "How often a defective image scores above a normal one. 0.5 is guessing.",
        "image",
        before_flow="image_auroc_start",
    ),
    "image_ap": Metric("Image AP", "image AP", "Precision of the calls, averaged over all recalls.", "image"),
    "image_f1_max": Metric(
        "Best F1",
        "best F1",
        "Best balance of precision and recall; its threshold is chosen on the test images.",
        "image",
    ),
    "pixel_auroc": Metric(
        "Pixel AUROC",
        "pixel AUROC",
        "The same as image AUROC for single pixels. Large normal areas flatter it.",
        "pixel",
    ),
    "pixel_ap": Metric(
        "Pixel AP", "pixel AP", "Precision of the pixels, averaged over all recalls. Hard on small defects.", "pixel"
    ),
    "aupro": Metric(
        "AUPRO",
        "AUPRO",
        "How well each defect is covered, up to 30\N{NBSP}% false pixels. Small defects count like large ones.",
        "pixel",
        before_flow="aupro_start",
    ),
    "image_auroc_start": Metric(
        "Image AUROC before the flow",
        "image AUROC before the flow",
        "Image AUROC with the norm of the features as score.",
        "image",
        is_before_flow=True,
    ),
    "aupro_start": Metric(
        "AUPRO before the flow",
        "AUPRO before the flow",
        "AUPRO with the norm of the features as score.",
        "pixel",
        is_before_flow=True,
    ),
}
"""Every metric in a run's metrics.json, in the order of pages and reports. For each of them, higher is better."""

RUN_METRICS = {key: metric for key, metric in METRICS.items() if not metric.is_before_flow}
"""The metrics of a run's own scores."""

IMAGE_METRICS = tuple(key for key, metric in RUN_METRICS.items() if metric.level == "image")
PIXEL_METRICS = tuple(key for key, metric in RUN_METRICS.items() if metric.level == "pixel")

FPR_LIMIT = 0.3
"""AUPRO integrates over false-positive rates up to this one."""
MAX_CURVE_POINTS = 400
"""Enough for a curve across a screen."""
DROPPED_BITS = 9
"""Low mantissa bits that pixel histograms ignore: 2^22 bins, of relative width 2^-14 (6e-5) at any magnitude."""
EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def undefined_reason(is_defective: ArrayLike) -> str | None:
    """Why metrics of these labels are undefined, in a sentence for people, or None when they are defined."""
    labels = np.asarray(is_defective, dtype=bool)
    if not labels.size:
        return "There are no images to measure on."
    if not labels.any():
        return "Needs defective images to compare with the normal ones, and there are none."
    if labels.all():
        return "Needs normal images to compare with the defective ones, and there are none."
    return None


def image_metrics(scores: ArrayLike, is_defective: ArrayLike) -> dict[str, float | None]:
    """image_auroc, image_ap, image_f1_max and f1_threshold of (N,) scores; all None when one class is missing.

    f1_threshold is chosen on these labels: state this where it is shown. Raises MetricError as `confusion_at` does.
    """
    scores, labels = _checked(scores, is_defective)
    threshold = best_f1_threshold(scores, labels)
    if threshold is None:
        return dict.fromkeys((*IMAGE_METRICS, "f1_threshold"))
    return {
        "image_auroc": float(sklearn_metrics.roc_auc_score(labels, scores)),
        "image_ap": float(sklearn_metrics.average_precision_score(labels, scores)),
        "image_f1_max": confusion_at(scores, labels, threshold).f1,
        "f1_threshold": threshold,
    }


def confusion_at(scores: ArrayLike, is_defective: ArrayLike, threshold: float) -> Confusion:
    """Counts when every score >= threshold is called defective.

    Raises MetricError when scores and labels are not two (N,) arrays or a score is not finite.
    """
    scores, labels = _checked(scores, is_defective)
    called = scores >= threshold
    tp, fp = int((called & labels).sum()), int((called & ~labels).sum())
    return Confusion(tp=tp, fp=fp, tn=int((~labels).sum()) - fp, fn=int(labels.sum()) - tp)


def best_f1_threshold(scores: ArrayLike, is_defective: ArrayLike) -> float | None:
    """The threshold of highest F1, midway between the lowest score called defective and the next lower one.

    Midway, so that a call does not depend on the last digit of a score. Of equal F1 the highest threshold; when
    everything is called defective, the lowest score itself. None when one class is missing. Chosen on these labels.
    """
    scores, labels = _checked(scores, is_defective)
    if undefined_reason(labels):
        return None
    thresholds, tp, fp = _counts(scores, labels)
    best = int(np.argmax(2 * tp / (tp + fp + labels.sum())))  # thresholds fall, so the first of equals is the highest
    if best == len(thresholds) - 1:
        return float(thresholds[best])
    upper, lower = float(thresholds[best]), float(thresholds[best + 1])
    middle = lower + (upper - lower) / 2
    return middle if middle > lower else upper  # neighbouring floats have no middle


def quantile_threshold(normal_scores: ArrayLike, q: float) -> float:
    """The q-quantile of held-out normals' scores, linear between neighbours: about 1-q of normals score above it.

    Small samples: the value never exceeds the highest score, so the highest held-out normal is always called defective,
    and with n scores nothing can be said about false-alarm rates below about 1/(n+1). Once q > 1 - 1/(n-1) the value
    lies between the two highest scores and one unusual image moves it; a single score is its own quantile. Have 50 or
    more scores for q=0.95, 200 for q=0.99. Raises MetricError without scores, for one that is not finite, or q outside
    [0, 1].
    """
    scores = np.asarray(normal_scores, dtype=np.float64).ravel()
    if not scores.size or not np.isfinite(scores).all():
        raise MetricError(
            "A quantile needs at least one held-out normal, and finite scores.",
            fix="Raise holdout_fraction and train again.",
        )
    if not 0 <= q <= 1:
        raise MetricError(f"Quantile {q} is outside [0, 1].", fix="Choose one such as 0.95.")
    return float(np.quantile(scores, q))


def roc_curve(scores: ArrayLike, is_defective: ArrayLike) -> Curve | None:
    """False-positive rate (x) against true-positive rate (y), from (0, 0) just above the highest score;
    None as in image_metrics.
    """
    scores, labels = _checked(scores, is_defective)
    if undefined_reason(labels):
        return None
    fpr, tpr, thresholds = sklearn_metrics.roc_curve(labels, scores, drop_intermediate=False)
    return _thinned(fpr, tpr, thresholds[1:])


def pr_curve(scores: ArrayLike, is_defective: ArrayLike) -> Curve | None:
    """Recall (x) against precision (y), from (0, 1) just above the highest score; None as in image_metrics."""
    scores, labels = _checked(scores, is_defective)
    if undefined_reason(labels):
        return None
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(labels, scores)
    return _thinned(recall[::-1], precision[::-1], thresholds[::-1])


class PixelMetrics:
    """Pixel AUROC, pixel AP and AUPRO of any number of images in constant memory: `add` each, then `result`.

    Pixels count by area: a map pixel of which a defect covers a quarter is a quarter of a defective pixel and three
    quarters of a normal one, and what is left out counts in neither class. So each figure is the one that the mask at
    its own size gives with every map pixel enlarged to the mask's pixels, whatever both sizes are.
    Scores are counted in bins of relative width 2^-14: the bit pattern of a float32 of 0 or above, read as an
    integer, rises with its value, so its upper bits are bins that fit every scale. Scores in one bin count as equal.
    Three histograms hold normal area, defective area, and defective area weighted by 1 / area of its region.
    Their 96 MiB are reserved at once and used only where scores fall. Source: ours.
    """

    def __init__(self) -> None:
        n_bins = 1 << (31 - DROPPED_BITS)
        self._normal = np.zeros(n_bins, dtype=np.float64)
        self._defect = np.zeros(n_bins, dtype=np.float64)
        self._overlap = np.zeros(n_bins, dtype=np.float64)
        self._n_regions = 0

    def add(self, pixel_map: np.ndarray, truth: Truth) -> None:
        """Count one image. pixel_map: (H, W), 0 or above; truth: of the same shape, without regions when good.

        Leave out a defective image whose truth is unknown. Raises MetricError for shapes that differ and for scores
        below 0 or not finite.
        """
        if pixel_map.shape != truth.shape:
            raise MetricError(
                f"A map of shape {pixel_map.shape} does not fit a truth of shape {truth.shape}.",
                fix="Bring both to one size.",
            )
        values = np.asarray(pixel_map, dtype=np.float32) + np.float32(0)  # adding 0 turns -0.0 into 0.0
        if values.size and not (values.min() >= 0 and values.max() < np.inf):
            raise MetricError(
                "Pixel scores must be finite and 0 or above.",
                fix="Give raw maps of a score, not logarithms or differences.",
            )
        keys = (values.view(np.uint32) >> DROPPED_BITS).ravel()
        if truth.is_normal and not len(truth.left_pixel):
            np.add.at(self._normal, keys, 1.0)
            return
        np.add.at(self._normal, keys, truth.normal.ravel())
        hit, share = keys[truth.pixel], truth.share.astype(np.float64)
        self._n_regions += truth.n_regions
        np.add.at(self._defect, hit, share)
        np.add.at(self._overlap, hit, share / truth.areas[truth.region])

    def result(self) -> dict[str, float | None]:
        """pixel_auroc, pixel_ap and aupro so far; all None while normal or defective pixels are missing.

        aupro is the mean overlap per region (8-connected) over false-positive rates to FPR_LIMIT, linear between
        points, divided by FPR_LIMIT.
        """
        if self.undefined_reason():
            return dict.fromkeys(PIXEL_METRICS)
        used = np.flatnonzero((self._normal > 0) | (self._defect > 0))[::-1]  # highest scores first
        fp, tp = np.cumsum(self._normal[used]), np.cumsum(self._defect[used])
        fpr, tpr = np.r_[0, fp / fp[-1]], np.r_[0, tp / tp[-1]]
        overlap = np.r_[0, np.cumsum(self._overlap[used]) / self._n_regions]
        inside = np.searchsorted(fpr, FPR_LIMIT, side="right")
        x, y = np.r_[fpr[:inside], FPR_LIMIT], np.r_[overlap[:inside], np.interp(FPR_LIMIT, fpr, overlap)]
        return {
            "pixel_auroc": float(np.trapezoid(tpr, fpr)),
            "pixel_ap": float(np.sum(np.diff(tpr) * tp / (tp + fp))),
            "aupro": float(np.trapezoid(y, x) / FPR_LIMIT),
        }

    def undefined_reason(self) -> str | None:
        """Why `result` has no numbers, in a sentence for people, or None when it has."""
        if not self._n_regions:
            return "Needs masks that mark defective pixels, and there are none."
        if not self._normal.any():
            return "Needs normal pixels to compare with the defective ones, and there are none."
        return None


def _counts(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Different scores, falling, and the true and false positives when each is the threshold."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    tp = np.cumsum(labels[order])[last]
    return scores[order][last], tp, last + 1 - tp


def _thinned(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray) -> Curve:
    """At most MAX_CURVE_POINTS points, evenly by rank, both ends kept; the first one lies above every score."""
    thresholds = np.r_[np.nextafter(thresholds[0], np.inf), thresholds]  # not infinity: curves are stored as JSON
    kept = spaced(len(x), MAX_CURVE_POINTS)
    return Curve(x=x[kept], y=y[kept], thresholds=thresholds[kept])


def _checked(scores: ArrayLike, is_defective: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(is_defective, dtype=bool)
    if scores.ndim != 1 or scores.shape != labels.shape:
        raise MetricError(
            f"Scores of shape {scores.shape} do not fit labels of shape {labels.shape}.",
            fix="Give one score and one label per image.",
        )
    if n_bad := int((~np.isfinite(scores)).sum()):
        raise MetricError(f"{n_bad} image scores are not finite.", fix="Score the run again.")
    return scores, labels
