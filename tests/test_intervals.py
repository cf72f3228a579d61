"""Intervals against SciPy, normal theory, DeLong's variance, and simulations whose truth is known."""

import functools
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from wtflow.compare.intervals import (
    paired_bootstrap,
    resample,
    weighted_ap,
    weighted_auroc,
    weighted_best_f1,
    wilson_interval,
)
from wtflow.errors import MetricError
from wtflow.records.compare import Interval


def two_classes(n: int, seed: int, shift: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """n normal scores and n defective ones, the latter shifted."""
    labels = np.repeat([False, True], n)
    return np.random.default_rng(seed).normal(labels * shift), labels


def delong_parts(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DeLong's structural components: of each defective image and of each normal one."""
    wins = (scores[labels][:, None] > scores[~labels]) + 0.5 * (scores[labels][:, None] == scores[~labels])
    return wins.mean(axis=1), wins.mean(axis=0)


def delong_deviation(parts: tuple[np.ndarray, np.ndarray]) -> float:
    return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)))


# -- Wilson ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_is_scipys(confidence):
    for n in (1, 2, 7, 40, 1000):
        for k in {0, 1, n // 3, n // 2, n - 1, n}:
            expected = binomtest(k, n).proportion_ci(confidence, method="wilson")
            assert wilson_interval(k, n, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_never_leaves_the_unit_interval_and_says_nothing_without_trials():
    assert wilson_interval(0, 9)[0] == 0.0
    assert wilson_interval(9, 9)[1] == 1.0
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n", "confidence"), [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 0.0), (1, 3, 1.0)])
def test_what_is_no_share_has_no_interval(k, n, confidence):
    with pytest.raises(MetricError, match="no share"):
        wilson_interval(k, n, confidence)


# -- resamples ---------------------------------------------------------------------------------------------------------


def test_a_resample_draws_every_stratum_as_often_as_it_is_large():
    strata = np.array([0, 1, 1, 2, 0, 2, 2])
    weights = resample(strata, 500, seed=3)
    for stratum, size in ((0, 2), (1, 2), (2, 3)):
        assert (weights[:, strata == stratum].sum(axis=1) == size).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(7), abs=0.15)
    assert np.array_equal(weights, resample(strata, 500, seed=3))
    assert not np.array_equal(weights, resample(strata, 500, seed=4))


def test_a_metric_of_weights_is_the_metric_of_repeated_images():
    """With ties, against scikit-learn on the images written out."""
    scores, labels = two_classes(25, seed=1)
    scores = scores.round(1)
    weights = resample(labels, 6, seed=2)
    for row, auroc, ap, f1 in zip(
        weights,
        *(metric(scores, labels, weights) for metric in (weighted_auroc, weighted_ap, weighted_best_f1)),
        strict=True,
    ):
        drawn = np.repeat(np.arange(50), row.astype(int))
        assert auroc == pytest.approx(roc_auc_score(labels[drawn], scores[drawn]), abs=1e-6)
        assert ap == pytest.approx(average_precision_score(labels[drawn], scores[drawn]), abs=1e-6)
        precision, recall, _ = precision_recall_curve(labels[drawn], scores[drawn])
        assert f1 == pytest.approx(np.nanmax(2 / (1 / precision[recall > 0] + 1 / recall[recall > 0])), abs=1e-6)


def interval(scores, labels, metric=weighted_auroc, n_resamples=2000, seed=0):
    """A metric of one run with its interval."""
    labels = np.asarray(labels, bool)
    weights = resample(labels, n_resamples, seed)
    return paired_bootstrap([functools.partial(metric, np.asarray(scores, float), labels)], weights)[0][0]


# -- bootstrap ---------------------------------------------------------------------------------------------------------


def test_the_interval_of_a_mean_is_that_of_normal_theory():
    scores, labels = two_classes(400, seed=5, shift=3.0)
    found = interval(scores, labels, lambda s, _, w: w @ s / w.sum(axis=1), n_resamples=8000)
    deviation = np.sqrt(sum(400 * scores[labels == part].var() for part in (False, True))) / 800  # of a stratified mean
    assert found.value == pytest.approx(scores.mean())
    assert (found.low, found.high) == pytest.approx(
        (found.value - 1.96 * deviation, found.value + 1.96 * deviation), abs=0.06 * deviation
    )


def test_the_interval_of_auroc_is_as_wide_as_delongs():
    scores, labels = two_classes(300, seed=6)
    found = interval(scores, labels, n_resamples=4000)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found.high - found.low == pytest.approx(2 * 1.96 * delong_deviation(delong_parts(scores, labels)), rel=0.06)


def test_nineteen_of_twenty_intervals_hold_the_true_auroc():
    truth = norm.cdf(1 / np.sqrt(2))  # two unit Gaussians one apart
    found = [interval(*two_classes(60, seed), n_resamples=400, seed=seed) for seed in range(300)]
    assert 0.915 <= np.mean([one.low <= truth <= one.high for one in found]) <= 0.98


def test_no_resample_is_without_a_class_however_few_images_there_are():
    found = interval([1.0, 2.0, 3.0], [False, True, False])
    assert (found.low, found.high) == (0.0, 1.0)


# -- an interval holds its value --------------------------------------------------------------------------------------

few_images = st.lists(
    st.tuples(st.booleans(), *(st.integers(0, 3),) * 2), min_size=2, max_size=9
)  # is defective, score of two runs: few values, so that ties are many

BEST_F1_RISES = [(False, 1, 0)] * 3 + [(False, 2, 3)] * 2 + [(True, 1, 1), (True, 2, 0), (True, 3, 2)] * 2


@settings(deadline=None, max_examples=200)
@given(few_images, st.integers(2, 40), st.sampled_from([0.2, 0.95]))
@example(BEST_F1_RISES, 2000, 0.95)
def test_no_value_and_no_difference_lies_outside_its_own_interval(images, n_resamples, confidence):
    """With ties, one defect, and so few resamples that their percentiles lie anywhere."""
    labels = np.array([label for label, _, _ in images])
    if labels.all() or not labels.any():
        return
    runs = [np.array([image[k] for image in images], float) for k in (1, 2)]
    weights = resample(labels, n_resamples)
    for metric in (weighted_auroc, weighted_ap, weighted_best_f1):
        whole = [float(metric(scores, labels, np.ones((1, len(labels))))[0]) for scores in runs]
        found = paired_bootstrap([functools.partial(metric, scores, labels) for scores in runs], weights, confidence)
        for (value, difference), exact in zip(found, whole, strict=True):
            assert value.value == exact and value.low <= value.value <= value.high
            assert difference.value == exact - whole[0] and difference.low <= difference.value <= difference.high


def test_an_interval_is_widened_to_its_value_and_no_farther():
    """All resamples of this metric lie above its value on the images themselves, as those of best F1 may."""
    weights = resample(np.repeat([False, True], 3), 500)
    (found, _), (other, difference) = paired_bootstrap(
        [lambda w: np.full(len(w), 0.2 if len(w) == 1 else 0.3), lambda w: np.full(len(w), 0.7)], weights
    )
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.2, 0.3))
    assert (other.low, other.high) == (0.7, 0.7)
    assert (difference.value, difference.low, difference.high) == pytest.approx((0.5, 0.4, 0.5))


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0.01, 0.9999))
def test_wilsons_interval_holds_its_share(k, n, confidence):
    k = min(k, n)
    assert Interval(k / n, *wilson_interval(k, n, confidence)).value == k / n


@pytest.mark.parametrize("ends", [(0.6, 0.7), (0.1, 0.4), (float("nan"), 0.7), (0.1, float("nan"))])
def test_a_value_outside_its_own_interval_cannot_be_made(ends):
    with pytest.raises(MetricError, match="outside its own interval"):
        Interval(0.5, *ends)


# -- pairs -------------------------------------------------------------------------------------------------------------


def paired(labels: np.ndarray, *runs: np.ndarray, n_resamples: int = 4000):
    return paired_bootstrap(
        [functools.partial(weighted_auroc, scores, labels) for scores in runs], resample(labels, n_resamples)
    )


def test_two_runs_alike_differ_by_exactly_nothing():
    scores, labels = two_classes(50, seed=7)
    first, second = paired(labels, scores, scores.copy())
    for _, difference in (first, second):
        assert (difference.value, difference.low, difference.high) == (0.0, 0.0, 0.0)
        assert difference.holds_zero


def test_a_paired_difference_is_as_wide_as_delong_says_for_correlated_curves():
    scores, labels = two_classes(300, seed=8)
    other = scores + np.random.default_rng(9).normal(0, 0.7, 600)
    (_, _), (_, difference) = paired(labels, scores, other)
    parts = tuple(
        mine - its for mine, its in zip(delong_parts(other, labels), delong_parts(scores, labels), strict=True)
    )
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * delong_deviation(parts), rel=0.06)
    assert difference.value == pytest.approx(roc_auc_score(labels, other) - roc_auc_score(labels, scores), abs=1e-12)
    assert not difference.holds_zero


def test_noise_of_the_same_size_is_found_to_be_noise():
    """Two runs that see the same truth through noise of their own: 95 of 100 intervals of the difference hold 0."""
    held = []
    for seed in range(100):
        scores, labels = two_classes(60, seed)
        generator = np.random.default_rng(1000 + seed)
        _, (_, difference) = paired(
            labels, *(scores + generator.normal(0, 0.7, 120) for _ in range(2)), n_resamples=400
        )
        held.append(difference.holds_zero)
    assert 0.88 <= np.mean(held) <= 1.0


def test_two_thousand_resamples_of_two_thousand_images_take_about_a_second():
    scores, labels = two_classes(1000, seed=0)
    began = time.process_time()
    paired(labels, scores, scores + 1.0, n_resamples=2000)
    assert time.process_time() - began < 2.0
