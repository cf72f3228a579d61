"""What a report shows of one run: collected from the store, computed where it is missing.
Records and plain values, no markup.

Images and masks are read one by one; what is counted from them (pixels, facts of failures) is kept with the run, so
that a second report and the pages have it at once.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from wtflow.compare.common_truth import CommonTruth
from wtflow.compare.intervals import N_RESAMPLES, wilson_interval
from wtflow.compare.pixel_images import images_on
from wtflow.compare.pixel_rows import compare_pixels, stored_rows
from wtflow.compare.pixel_tally import load_tally, make_tally, pro_curve
from wtflow.compare.runs import Comparison, compare_images
from wtflow.compare.truths import OwnTruth, own_truth
from wtflow.deciding.force import decision_at, decision_words
from wtflow.failures.calls import alarm_map
from wtflow.failures.words import FailureStudy, describe_alarms, study_failures
from wtflow.metrics import METRICS, PIXEL_METRICS, confusion_at, pr_curve, roc_curve
from wtflow.records.compare import Interval, MetricRow, PixelTally
from wtflow.records.core import Confusion, Curve
from wtflow.records.failures import ImageFacts, TypeRow
from wtflow.records.flow import group_rank
from wtflow.records.notes import RunNotes
from wtflow.records.pixel_images import PixelImages
from wtflow.results import RunResults
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore
from wtflow.studies.answers import load_answer
from wtflow.studies.compute import compute_answer
from wtflow.studies.requests import FactsRequest, NearestRequest

Show = Callable[[str, float], None]
"""What is being done, and how far along all of it is, in percent."""

SEED = 0
"""Of the resamples behind the intervals: the same report shows the same numbers."""


@dataclass(frozen=True, slots=True)
class DataPart:
    """What a run was made of. `counts`: split -> type -> number of images, train first, good first."""

    counts: dict[str, dict[str, int]]
    n_held_out: int
    fingerprint: str
    pixel_images: PixelImages
    reading: str
    """What a person said about how to read the images, as options of `train`; empty where nobody said anything."""


@dataclass(frozen=True, slots=True)
class RunPart:
    """One run as a report shows it."""

    results: RunResults
    notes: RunNotes
    data: DataPart
    threshold: float
    threshold_words: str
    confusion: Confusion
    metrics: tuple[MetricRow, ...]
    roc: Curve | None
    pr: Curve | None
    truth: OwnTruth
    tally: PixelTally | None
    """Of the pixels on this truth; None without test images, and where it is unknown."""
    types: tuple[TypeRow, ...]
    findings: tuple[str, ...]

    @property
    def has_pixel_metrics(self) -> bool:
        return any(row.key in PIXEL_METRICS and row.values[0] is not None for row in self.metrics)

    @property
    def truth_words(self) -> str:
        """Which masks the pixels were counted on, where the run does not hold them itself."""
        if self.truth.is_kept or self.results.test.empty:
            return ""
        if self.truth.truth is None:
            return (
                "The run holds no masks of its own, and its images are gone, so its pixels could not be counted. Pixel"
                " metrics are those that it stored, without intervals."
            )
        stored = self.results.metrics["metrics"]
        differ = [
            f"{METRICS[row.key].title} {'–' if stored.get(row.key) is None else format(stored[row.key], '.3f')}"
            for row in self.metrics
            if row.key in PIXEL_METRICS and stored.get(row.key) != row.values[0]
        ]
        return "The run holds no masks of its own: pixels are counted on its masks as they are now." + (
            f" When it was scored it stored: {', '.join(differ)}." if differ else ""
        )

    @property
    def pro(self) -> Curve | None:
        return None if self.tally is None else pro_curve(self.tally, self.results.test.row.to_numpy())

    @property
    def recall(self) -> Interval | None:
        """Share of defective images that are found."""
        return rate(self.confusion.tp, self.confusion.tp + self.confusion.fn)

    @property
    def false_alarms(self) -> Interval | None:
        """Share of normal images that are called defective."""
        return rate(self.confusion.fp, self.confusion.fp + self.confusion.tn)

    @property
    def precision(self) -> Interval | None:
        """Share of the calls that are right."""
        return rate(self.confusion.tp, self.confusion.tp + self.confusion.fp)


def rate(k: int, n: int) -> Interval | None:
    """k of n with its 95 % Wilson interval; None where there is nothing to count."""
    return Interval(k / n, *wilson_interval(k, n)) if n else None


def collect_run(store: RunStore, results: RunResults, threshold: float | None, show: Show) -> RunPart:
    """The part of a finished run at a threshold, by default where the run starts it.
    `show` gets percents of this run alone.

    Images that are gone cost a run that holds no truth of its own the intervals of pixel metrics, the PRO curve and the
    findings, and `truth_words` states it. Raises DamagedRunError, StoreError, DiskFullError.
    """
    show("reading", 0)
    notes = notes_of(store, results.run_id)
    truth = own_truth(results)
    tally, image_facts = _look_at_images(store, results, truth, show)
    show("taking intervals", 90)
    test = results.test
    decision = decision_at(store, results, threshold)
    threshold = decision.value
    study = (
        None
        if test.empty
        else study_failures(results, image_facts, load_answer(store, results.run_id, NearestRequest()), threshold)
    )
    return RunPart(
        results,
        notes,
        data_part(store, results, truth),
        threshold,
        decision_words(store, results, decision),
        confusion=confusion_at(test.score, test.is_defective, threshold),
        metrics=metric_rows(results, truth, tally),
        roc=roc_curve(test.score, test.is_defective),
        pr=pr_curve(test.score, test.is_defective),
        truth=truth,
        tally=tally,
        types=study.types if study else (),
        findings=findings(results, study) if study else (),
    )


def data_part(store: RunStore, results: RunResults, own: OwnTruth) -> DataPart:
    """Counts as the worker stored them; for a run without data.json, those of its score table."""
    known = store.data(results.run_id)
    if known is None:
        pairs = [
            ("train" if split == "holdout" else split, defect)
            for split, defect in zip(results.table.split, results.table.defect, strict=True)
        ]
    else:
        pairs = [(str(entry["split"]), str(entry["defect"])) for entry in known["samples"]]
    counts: dict[str, dict[str, int]] = {}
    for split, defect in sorted(pairs, key=lambda pair: (pair[0] != "train", pair[0], *group_rank(pair[1]))):
        counts.setdefault(split, {}).setdefault(defect, 0)
        counts[split][defect] += 1
    return DataPart(
        counts,
        len(results.holdout),
        str((known or {}).get("fingerprint", "")),
        results.pixel_images if own.is_kept or own.truth is None else images_on(own.truth, results.test),
        results.config.reading.words,
    )


def metric_rows(results: RunResults, own: OwnTruth, tally: PixelTally | None) -> tuple[MetricRow, ...]:
    """Image and pixel metrics with bootstrap intervals, of pixels only where they were counted on the run's truth."""
    test = results.test
    alone = Comparison(
        (results,),
        test[["sample_id", "defect", "is_defective"]].reset_index(drop=True),
        test.score.to_numpy(float)[None],
        test.row.to_numpy()[None],
        (len(test),),
    )
    if own.truth is None:
        return compare_images(alone, N_RESAMPLES, SEED) + stored_rows(alone)
    truth = CommonTruth("", (own.truth,), own.is_kept)
    tallies = None if tally is None else (tally,)
    return compare_images(alone, N_RESAMPLES, SEED) + compare_pixels(alone, truth, tallies, N_RESAMPLES, SEED)


def findings(results: RunResults, study: FailureStudy) -> tuple[str, ...]:
    """What goes with the failures, in sentences: of missed defects, of false alarms, and of normal images' borders
    where they look defective.
    """
    alarms = alarm_map(results)
    places = () if alarms is None else describe_alarms(alarms)
    return (
        *study.misses,
        *study.alarms,
        *study.wholes,
        *places[:-1],
    )  # the last one, where most alarms lie, is of little use without the picture


def _look_at_images(
    store: RunStore, results: RunResults, own: OwnTruth, show: Show
) -> tuple[PixelTally | None, ImageFacts | None]:
    """Counts of pixels and facts of images, from where they are kept or from maps, truth and the images themselves."""
    if results.test.empty:
        return None, None
    if own.truth is None:
        return None, load_answer(store, results.run_id, FactsRequest())
    step = functools.partial(_step, show)
    tally = load_tally(store, results.run_id, own.truth)
    tally = tally or make_tally(store, results, own.truth, step("counting pixels", 0, 45))
    return tally, compute_answer(
        store, results.run_id, FactsRequest(), lambda share: show("looking at defects", 45 + (90 - 45) * share)
    )


def _step(show: Show, label: str, low: float, high: float) -> Callable[[int, int], None]:
    """Turn (done, total) into percents between low and high."""
    return lambda done, total: show(label, low + (high - low) * done / max(1, total))
