"""How certain a number measured on a few images is: intervals of shares, bootstrap intervals of metrics.

A resample draws as many images as there are, with replacement, within each stratum (good, defective), so that none is
ever without one of the classes. It is written as weights: how often each image was drawn. All metrics here take many
resamples at once. Intervals cover other test images of the same kind, not another training: for that, train with other
seeds.

An interval always holds its value. The percentiles of resamples do not promise that: with few images, ties, or a metric
that resamples raise (best F1, each at its own best threshold), all of the middle 95 % may lie on one side of the value.
Then the interval is widened as far as the value and no farther, so it covers at least what it says (ours).

Sources: Wilson, *Probable inference, the law of succession, and statistical inference*, 1927; Newcombe, *Interval
estimation for the difference between independent proportions*, 1998; Efron and Tibshirani, *An
Introduction to the Bootstrap*, 1993 (percentile interval). The batched weights are ours.
"""

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from wtflow.errors import MetricError
from wtflow.records.compare import Interval

N_RESAMPLES = 2000
"""The ends of a 95 % interval then rest on 50 resamples on either side."""

CONFIDENCE = 0.95

Weighted = Callable[[np.ndarray], np.ndarray]
"""Weights (R, N) of N images -> (R,) values of a metric."""


def wilson_interval(k: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Ends of Wilson's score interval of the share k / n, within [0, 1]; (0, 1) for n = 0: nothing is known.

    Raises MetricError unless 0 <= k <= n and 0 < confidence < 1. Source: Wilson 1927.
    """
    if not 0 <= k <= n or not 0 < confidence < 1:
        raise MetricError(
            f"{k} of {n} at a confidence of {confidence} is no share.",
            fix="Give 0 <= k <= n and a confidence between 0 and 1.",
        )
    if n == 0:
        return 0.0, 1.0
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    centre = (k + z2 / 2) / (n + z2)
    half = (z2 * (k * (n - k) / n + z2 / 4)) ** 0.5 / (n + z2)
    # The ends are exactly 0 and 1 where k is; rounding would miss them by a little.
    return (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)


def difference_interval(
    k: int, n: int, k_before: int, n_before: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Ends of Newcombe's hybrid score interval of k / n - k_before / n_before, within [-1, 1]; that where an n is 0.

    Raises MetricError as `wilson_interval`. Source: Newcombe 1998, method 10.
    """
    low, high = wilson_interval(k, n, confidence)
    low_before, high_before = wilson_interval(k_before, n_before, confidence)
    if not n or not n_before:
        return -1.0, 1.0
    share, before = k / n, k_before / n_before
    below = ((share - low) ** 2 + (high_before - before) ** 2) ** 0.5
    above = ((high - share) ** 2 + (before - low_before) ** 2) ** 0.5
    return share - before - below, share - before + above


def resample(strata: ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = 0) -> np.ndarray:
    """Weights of bootstrap resamples, float32 (n_resamples, N): how often each image is drawn, within its own stratum.

    strata: (N,) whole numbers. In every row the weights of a stratum sum to its size.
    """
    strata = np.asarray(strata)
    generator = np.random.default_rng(seed)
    weights = np.zeros((n_resamples, len(strata)), np.float32)
    first_of_row = np.arange(n_resamples)[:, None]
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        drawn = generator.integers(len(members), size=(n_resamples, len(members))) + first_of_row * len(members)
        weights[:, members] = np.bincount(drawn.ravel(), minlength=n_resamples * len(members)).reshape(n_resamples, -1)
    return weights


def paired_bootstrap(
    metrics: Sequence[Weighted], weights: np.ndarray, confidence: float = CONFIDENCE
) -> tuple[tuple[Interval, Interval], ...]:
    """For each run its value and its difference to the first run, with percentile intervals over
    the same resamples for all, widened where they would not hold the value.

    metrics: one function of weights per run, all over the same N images in the same order; weights: (R, N) of
    `resample`.
    """
    whole = np.ones((1, weights.shape[1]))
    return paired_intervals(
        [float(metric(whole)[0]) for metric in metrics], [metric(weights) for metric in metrics], confidence
    )


def paired_intervals(
    values: Sequence[float], drawn: Sequence[np.ndarray], confidence: float = CONFIDENCE
) -> tuple[tuple[Interval, Interval], ...]:
    """The same from each run's value and its values (R,) on the resamples, which must be the same
    resamples for all runs.

    Pairing takes out what all runs share: an image that is hard for every run moves no difference.
    """
    return tuple(
        (_around(value, many, confidence), _around(value - values[0], many - drawn[0], confidence))
        for value, many in zip(values, drawn, strict=True)
    )


def weighted_auroc(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) AUROC of each row of weights: the share of pairs with the defective image above the
    normal one, ties half.
    """
    order = np.argsort(scores[~labels], kind="stable")
    normals, defective = scores[~labels][order], scores[labels]
    below = np.cumsum(weights[:, ~labels][:, order], axis=1)
    below = np.concatenate(
        [np.zeros((len(below), 1), below.dtype), below], axis=1
    )  # column i: weight of the i lowest normals
    strictly, at_most = (np.searchsorted(normals, defective, side=side) for side in ("left", "right"))
    positive = weights[:, labels]
    twice = np.einsum("rp,rp->r", positive, below[:, strictly] + below[:, at_most], dtype=np.float64)
    return twice / (2 * positive.sum(axis=1, dtype=np.float64) * below[:, -1])


def weighted_ap(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) average precision of each row of weights:
    precision at every threshold, weighted by the recall gained there.
    """
    tp, called = _falling_counts(scores, labels, weights)
    gained = np.diff(tp, axis=1, prepend=tp.dtype.type(0))
    return (gained * tp / np.maximum(called, 1)).sum(axis=1, dtype=np.float64) / tp[:, -1]


def weighted_best_f1(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R,) highest F1 of each row of weights, each resample at its own best threshold."""
    tp, called = _falling_counts(scores, labels, weights)
    return (2 * tp / (called + tp[:, -1:])).max(axis=1).astype(np.float64)


def _falling_counts(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, T) of defective images and of all images called defective at each different score, highest first."""
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    ordered = weights[:, order]
    tp = np.cumsum(ordered * labels[order].astype(weights.dtype), axis=1)[:, last_of_ties]
    return tp, np.cumsum(ordered, axis=1)[:, last_of_ties]


def _around(value: float, drawn: np.ndarray, confidence: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, min(float(low), value), max(float(high), value))
