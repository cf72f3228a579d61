import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pyaupro import PerRegionOverlap, auc_compute
from sklearn.metrics import average_precision_score, roc_auc_score
from truths import drawn

from wtflow.compare.runs import IMAGE_RESAMPLED
from wtflow.config import Settings
from wtflow.errors import MetricError
from wtflow.metrics import (
    IMAGE_METRICS,
    METRICS,
    PIXEL_METRICS,
    RUN_METRICS,
    PixelMetrics,
    best_f1_threshold,
    confusion_at,
    image_metrics,
    pr_curve,
    quantile_threshold,
    roc_curve,
    undefined_reason,
)
from wtflow.records.truth import RunTruth
from wtflow.scoring.evaluate import ScoredImages, summarise
from wtflow.scoring.rows import no_maps

SCORES = [0.1, 0.4, 0.35, 0.8, 0.6]
LABELS = [False, False, True, True, False]


def pixels_of(maps, masks):
    metrics = PixelMetrics()
    for pixel_map, mask in zip(maps, masks, strict=True):
        metrics.add(np.asarray(pixel_map, np.float32), drawn(mask))
    return metrics


def random_images(n=6, size=48, seed=0, scale=1.0):
    """Maps of positive scores, higher inside square defects; the last image is good."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((n, size, size), bool)
    for mask in masks[:-1]:
        for _ in range(3):
            row, column = rng.integers(0, size - 12, 2)
            mask[row : row + rng.integers(2, 12), column : column + rng.integers(2, 12)] = True
    maps = scale * (rng.chisquare(4, masks.shape) + 3 * masks * rng.random(masks.shape))
    return maps.astype(np.float32), masks


# Images


def test_image_metrics_are_worked_by_hand():
    """Of the 6 pairs, the defective score is higher in 4: .35 over .1; .8 over .1, .4 and .6.

    AP: 1/1 at .8, then 2/4 at .35, half the recall each. Calling .8 alone has F1 2/3, calling down to .35 has 4/6.
    """
    metrics = image_metrics(SCORES, LABELS)
    assert metrics["image_auroc"] == pytest.approx(4 / 6)
    assert metrics["image_ap"] == pytest.approx(0.75)
    assert metrics["image_f1_max"] == pytest.approx(2 / 3)
    assert metrics["f1_threshold"] == pytest.approx(0.7)


def test_confusion_is_worked_by_hand():
    confusion = confusion_at(SCORES, LABELS, 0.4)
    assert (confusion.tp, confusion.fp, confusion.tn, confusion.fn) == (1, 2, 1, 1)
    assert (confusion.precision, confusion.recall, confusion.f1) == (1 / 3, 1 / 2, 2 / 5)


def test_a_score_at_the_threshold_is_called_defective():
    assert confusion_at([0.5], [True], 0.5).tp == 1
    assert confusion_at([0.5], [True], np.nextafter(0.5, 1)).fn == 1


def test_the_best_f1_is_not_beaten_by_any_threshold():
    rng = np.random.default_rng(1)
    for _ in range(20):
        labels = np.r_[True, False, rng.random(28) < 0.4]
        scores = (rng.normal(size=30) + labels).round(1)
        best = confusion_at(scores, labels, best_f1_threshold(scores, labels)).f1
        assert best == max(confusion_at(scores, labels, s).f1 for s in scores)
        assert best == image_metrics(scores, labels)["image_f1_max"]


def test_the_best_threshold_lies_midway_between_its_neighbours():
    """4 and 5 are defective, 1 and 2 good: the gap to cut is from 2 to 4."""
    assert best_f1_threshold([1, 4, 2, 5], [False, True, False, True]) == 3


def test_of_equal_f1_the_highest_threshold_is_taken():
    """Calling the top one gives 2/3, calling the top four gives 4/6: both F1 2/3."""
    assert best_f1_threshold([9, 7, 5, 3, 1], [True, False, False, True, False]) == 8


def test_a_threshold_that_calls_everything_defective_is_the_lowest_score():
    assert best_f1_threshold([5.0, 3.0, 2.0], [False, True, True]) == 2.0


def test_between_neighbouring_floats_the_threshold_still_separates():
    low = 1.0
    high = np.nextafter(low, 2)
    threshold = best_f1_threshold([low, high], [False, True])
    assert confusion_at([low, high], [False, True], threshold).f1 == 1


def test_scores_are_not_clamped():
    """All above 1, some below 0: only their order counts."""
    scores, labels = np.array([-5.0, 1e6, 1e7, 3.0]), [False, False, True, True]
    assert image_metrics(scores, labels)["image_auroc"] == 0.75
    assert (
        image_metrics(scores, labels)["image_auroc"]
        == image_metrics(np.argsort(np.argsort(scores)), labels)["image_auroc"]
    )


@pytest.mark.parametrize(
    "labels, word", [([True] * 3, "normal images"), ([False] * 3, "defective images"), ([], "no images")]
)
def test_one_class_alone_gives_none_and_a_reason(labels, word):
    scores = np.arange(len(labels))
    assert set(image_metrics(scores, labels).values()) == {None}
    assert roc_curve(scores, labels) is None
    assert pr_curve(scores, labels) is None
    assert best_f1_threshold(scores, labels) is None
    reason = undefined_reason(labels)
    assert word in reason
    assert reason.endswith(".")


def test_two_classes_need_no_reason():
    assert undefined_reason([True, False]) is None


def test_the_roc_curve_is_worked_by_hand():
    curve = roc_curve([3, 2, 2, 1], [True, True, False, False])
    assert curve.x.tolist() == [0, 0, 0.5, 1]
    assert curve.y.tolist() == [0, 0.5, 1, 1]
    assert curve.thresholds[1:].tolist() == [3, 2, 1]
    assert curve.thresholds[0] > 3


def test_the_pr_curve_is_worked_by_hand():
    curve = pr_curve([3, 2, 2, 1], [True, True, False, False])
    assert curve.x.tolist() == [0, 0.5, 1, 1]
    assert curve.y.tolist() == pytest.approx([1, 1, 2 / 3, 0.5])


def test_every_point_of_a_curve_is_the_confusion_at_its_threshold():
    rng = np.random.default_rng(2)
    scores, labels = rng.normal(size=60).round(1), rng.random(60) < 0.5
    roc, pr = roc_curve(scores, labels), pr_curve(scores, labels)
    for i, threshold in enumerate(roc.thresholds):
        confusion = confusion_at(scores, labels, threshold)
        assert roc.y[i] == pytest.approx(confusion.recall)
        assert roc.x[i] == pytest.approx(confusion.fp / (confusion.fp + confusion.tn))
        assert pr.y[i] == pytest.approx(1.0 if confusion.precision is None else confusion.precision)


def test_long_curves_are_thinned_and_keep_their_ends_and_area():
    rng = np.random.default_rng(3)
    labels = rng.random(5000) < 0.3
    scores = rng.normal(size=5000) + labels
    curve = roc_curve(scores, labels)
    assert len(curve.x) == len(curve.y) == len(curve.thresholds) == 400
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(roc_auc_score(labels, scores), abs=1e-3)
    json.dumps(curve.thresholds.tolist(), allow_nan=False)


def test_a_quantile_is_worked_by_hand():
    assert quantile_threshold([1, 2, 3, 4, 5], 0.5) == 3
    assert quantile_threshold([1, 2, 3, 4, 5], 0.95) == pytest.approx(4.8)


def test_a_quantile_of_few_normals_never_exceeds_the_highest():
    assert quantile_threshold([2.0], 0.99) == 2.0
    assert 2.0 < quantile_threshold([1.0, 2.0, 7.0], 0.99) < 7.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: image_metrics([1, 2], [True]), "do not fit"),
        (lambda: image_metrics([[1, 2]], [[True, False]]), "do not fit"),
        (lambda: confusion_at([1, np.nan], [True, False], 0.5), "1 image scores are not finite"),
        (lambda: quantile_threshold([], 0.9), "at least one"),
        (lambda: quantile_threshold([np.inf], 0.9), "finite"),
        (lambda: quantile_threshold([1.0], 1.1), "outside"),
    ],
)
def test_scores_that_cannot_be_measured_are_refused(call, message):
    with pytest.raises(MetricError, match=message):
        call()


# Pixels


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_pixel_auroc_and_ap_are_those_of_scikit_learn_at_any_scale(scale):
    maps, masks = random_images(scale=scale)
    result = pixels_of(maps, masks).result()
    assert result["pixel_auroc"] == pytest.approx(roc_auc_score(masks.ravel(), maps.ravel()), abs=2e-5)
    assert result["pixel_ap"] == pytest.approx(average_precision_score(masks.ravel(), maps.ravel()), abs=2e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_aupro_is_that_of_pyaupro(seed):
    maps, masks = random_images(seed=seed)
    reference = PerRegionOverlap()
    reference.update(torch.from_numpy(maps), torch.from_numpy(masks).int())
    fpr, overlap = reference.compute()
    expected = auc_compute(fpr, overlap, limit=0.3).item()
    assert pixels_of(maps, masks).result()["aupro"] == pytest.approx(expected, abs=1e-4)


def test_aupro_is_worked_by_hand():
    """Regions of 1 and of 4 pixels weigh the same. Normal pixels: 10, scores 1 to 10.

    Both regions above all: overlap is 1 from the start, so 1. With the small one below all: 1/2 up to 30 %.
    """
    mask = np.zeros((3, 5), bool)
    mask[:2, :2] = mask[2, 4] = True
    pixel_map = np.zeros((3, 5))
    pixel_map[~mask] = np.arange(1, 11)
    pixel_map[mask] = 100
    assert pixels_of([pixel_map], [mask]).result()["aupro"] == pytest.approx(1)
    pixel_map[2, 4] = 0.5
    assert pixels_of([pixel_map], [mask]).result()["aupro"] == pytest.approx(0.5)


def test_aupro_stops_at_the_limit_between_two_points():
    """Two normal pixels, score 5 and 1, one defective at 3: overlap is 0 at FPR 0 and 0.5, then 1. To 0.3: 0.

    With the defective tied to the 5, the curve is a line from (0, 0) to (0.5, 1): area to 0.3 is 0.09, over 0.3 is 0.3.
    """
    mask = np.array([[False, True, False]])
    assert pixels_of([[[5, 3, 1]]], [mask]).result()["aupro"] == pytest.approx(0)
    assert pixels_of([[[5, 5, 1]]], [mask]).result()["aupro"] == pytest.approx(0.3)


def test_pixels_that_touch_at_a_corner_are_one_region():
    """Two pixels that touch at a corner score highest, a third far away lowest: one region of two found, not two of
    three.
    """
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = mask[1, 1] = mask[3, 0] = True
    pixel_map = np.where(mask, 2.0, 1.0)
    pixel_map[3, 0] = 0.0
    assert pixels_of([pixel_map], [mask]).result()["aupro"] == pytest.approx(1 / 2)


def test_ties_count_half():
    mask = np.array([[True, False]])
    assert pixels_of([[[1.0, 1.0]]], [mask]).result()["pixel_auroc"] == 0.5
    assert pixels_of([[[0.0, -0.0]]], [mask]).result()["pixel_auroc"] == 0.5


def test_scores_that_differ_by_a_thousandth_are_told_apart():
    mask = np.array([[True, False]])
    for scale in (1e-30, 1e-3, 1.0, 1e30):
        assert pixels_of([[[1.001 * scale, scale]]], [mask]).result()["pixel_auroc"] == 1.0


def test_the_order_of_images_does_not_matter():
    maps, masks = random_images()
    forward, backward = pixels_of(maps, masks).result(), pixels_of(maps[::-1], masks[::-1]).result()
    assert forward == pytest.approx(backward, abs=1e-12)


def test_pixels_of_good_images_count_as_normal():
    maps, masks = random_images()
    without = pixels_of(maps[:-1], masks[:-1])
    before = without.result()["pixel_auroc"]
    without.add(np.full((48, 48), 1e6, np.float32), drawn(np.zeros((48, 48))))
    assert without.result()["pixel_auroc"] < before


def test_images_may_differ_in_size():
    maps, masks = random_images()
    metrics = pixels_of(maps, masks)
    metrics.add(np.ones((7, 9), np.float32), drawn(np.zeros((7, 9))))
    assert metrics.result()["pixel_auroc"] > 0.5


def test_memory_does_not_grow_with_the_number_of_images():
    metrics = PixelMetrics()
    size = lambda: sum(a.nbytes for a in vars(metrics).values() if isinstance(a, np.ndarray))  # noqa: E731
    before = size()
    rng = np.random.default_rng(0)
    for _ in range(50):
        metrics.add(rng.random((16, 16), np.float32), drawn(np.zeros((16, 16))))
    assert size() == before <= 96 * 2**20


def test_without_defective_or_normal_pixels_there_is_none_and_a_reason():
    good = pixels_of([np.ones((2, 2))], [np.zeros((2, 2))])
    assert set(good.result().values()) == {None}
    assert "masks" in good.undefined_reason()
    covered = pixels_of([np.ones((2, 2))], [np.ones((2, 2))])
    assert set(covered.result().values()) == {None}
    assert "normal pixels" in covered.undefined_reason()
    assert set(PixelMetrics().result().values()) == {None}
    assert pixels_of([np.ones((1, 2))], [[[True, False]]]).undefined_reason() is None


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
def test_pixel_scores_that_are_negative_or_not_finite_are_refused(value):
    with pytest.raises(MetricError, match="finite and 0 or above"):
        PixelMetrics().add(np.array([[1.0, value]], np.float32), drawn(np.zeros((1, 2))))


def test_a_truth_of_another_shape_is_refused():
    with pytest.raises(MetricError, match="does not fit a truth"):
        PixelMetrics().add(np.ones((2, 2), np.float32), drawn(np.zeros((2, 3))))


# The table of metrics


def test_the_table_holds_every_metric_that_a_run_stores_and_no_other():
    _, stored = summarise(ScoredImages((), (), no_maps()), RunTruth((256, 256), {}, {}), Settings(), lambda *_: None)
    assert list(stored["metrics"]) == list(METRICS)


def test_the_levels_of_the_table_are_those_at_which_metrics_are_measured():
    assert tuple(image_metrics([1.0, 2.0], [False, True])) == (*IMAGE_METRICS, "f1_threshold")
    assert tuple(PixelMetrics().result()) == PIXEL_METRICS
    assert tuple(IMAGE_RESAMPLED) == IMAGE_METRICS
    assert {metric.before_flow for metric in RUN_METRICS.values()} - {""} == METRICS.keys() - RUN_METRICS.keys()


@given(st.data())
def test_curves_have_a_point_for_every_different_score(data):
    """Rates counted by hand at each score, ties included: the same floats, not close ones."""
    n = data.draw(st.integers(2, 40))
    scores = np.array(data.draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))) / 7
    labels = np.array([True, False, *data.draw(st.lists(st.booleans(), min_size=n - 2, max_size=n - 2))])
    roc, pr = roc_curve(scores, labels), pr_curve(scores, labels)
    thresholds = np.unique(scores)[::-1]
    tp, fp = (np.array([(scores[labels == kind] >= t).sum() for t in thresholds]) for kind in (True, False))
    assert list(roc.x) == [0, *(fp / (~labels).sum())]
    assert list(roc.y) == list(pr.x) == [0, *(tp / labels.sum())]
    assert list(pr.y) == [1, *(tp / (tp + fp))]
    assert list(roc.thresholds) == list(pr.thresholds) == [np.nextafter(thresholds[0], np.inf), *thresholds]
