"""Two to four finished runs side by side, over the test images that all of them scored. NumPy and pandas only.

Images are the same when label and content hash agree, and so does the name, unless a run calls the file otherwise, as
runs on a copy of a folder may; whether their masks are the same is found in `truths`. Raw scores of different runs are
on different scales: only ranks, calls at each run's own threshold and metrics are compared, never two scores.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wtflow.compare.intervals import (
    N_RESAMPLES,
    paired_bootstrap,
    resample,
    weighted_ap,
    weighted_auroc,
    weighted_best_f1,
    wilson_interval,
)
from wtflow.compare.matching import places_of, relabelled_ids, tested_images, tested_of, trained_contents
from wtflow.config import Settings
from wtflow.deciding.force import starts
from wtflow.errors import MetricError
from wtflow.metrics import undefined_reason
from wtflow.numbers import percent, percent_range
from wtflow.records.compare import Interval, MetricRow
from wtflow.records.decision import ThresholdChoice
from wtflow.records.spacing import spaced
from wtflow.results import RunResults, pixel_map

MOST_RUNS = 4
"""More maps side by side are too small to see anything, more lines in one figure too many to tell apart."""

LETTERS = "ABCD"

IMAGE_RESAMPLED = {"image_auroc": weighted_auroc, "image_ap": weighted_ap, "image_f1_max": weighted_best_f1}
"""Image metric -> its value for many resamples at once."""

RARITY_RANGE = (1.0, 5.0)
"""Colours of maps on the common scale: from 1 normal pixel in 10 (dark) to 1 in 100,000 (bright), in powers of ten."""

N_REFERENCE_IMAGES = 200
REFERENCE_STRIDE = 4
"""Every fourth pixel in both directions of up to 200 normal images: a rank of 1 in 100,000 is still resolved, in a
tenth of a second.
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs over their N common test images. `images` has the columns row, sample_id, path,
    mask_path, defect, is_defective.

    The first four and `rows` count in the first run's own table; there may be no image at all.
    """

    runs: tuple[RunResults, ...]
    images: pd.DataFrame
    scores: np.ndarray
    """float64 (K, N) image scores of each run."""
    rows: np.ndarray
    """int (K, N) rows of each run's own table and maps."""
    n_images: tuple[int, ...]
    """Test images of each run, common or not."""
    relabelled: tuple[str, ...] = ()
    """Ids of images that all runs scored, but normal for one and defective for another: not common."""
    trained_on: tuple[tuple[str, ...], ...] = ()
    """For each run the ids of images that a run tested and it was trained on, by their contents, but not all runs: not
    common, because what a run has learned from is no test of it.
    """

    @property
    def is_same_set(self) -> bool:
        """All runs were tested on exactly these images."""
        return all(n == len(self.images) for n in self.n_images)

    @property
    def labels(self) -> np.ndarray:
        return self.images.is_defective.to_numpy(bool)

    def ids_of(self, k: int) -> np.ndarray:
        """(N,) the ids of the common images in run k, which may call files otherwise than the first run does."""
        return self.runs[k].table.set_index("row").sample_id.loc[self.rows[k]].to_numpy()

    @property
    def n_renamed(self) -> tuple[int, ...]:
        """For each run, how many of the common images have another id in it than in the first."""
        first = self.ids_of(0)
        return tuple(int((self.ids_of(k) != first).sum()) for k in range(len(self.runs)))


def align(runs: Sequence[RunResults], data: Sequence[dict[str, Any] | None]) -> Comparison:
    """The runs over their common test images, in the first run's order. data: the content of each run's data.json.

    Raises MetricError unless there are 2 to MOST_RUNS runs, DamagedRunError when one does not record the contents of
    its images.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise MetricError(f"{len(runs)} runs cannot be compared.", fix=f"Choose 2 to {MOST_RUNS}.")
    tables = [tested_images(run, known) for run, known in zip(runs, data, strict=True)]
    places = np.stack([places_of(tables[0], table) for table in tables])
    trained = [trained_contents(known) for known in data]
    everybody = frozenset.intersection(*trained)  # learned from by all alike: an old fault of the folder, and fair
    trained = [one - everybody for one in trained]
    is_common = (places >= 0).all(axis=0) & ~tables[0].sha256.isin(frozenset.union(*trained)).to_numpy()
    ordered = [table.iloc[place[is_common]] for table, place in zip(tables, places, strict=True)]
    return Comparison(
        runs=tuple(runs),
        images=ordered[0][["row", "sample_id", "path", "mask_path", "defect", "is_defective"]].reset_index(drop=True),
        scores=np.array([table.score for table in ordered], dtype=np.float64),
        rows=np.array([table.row for table in ordered], dtype=np.int64),
        n_images=tuple(len(table) for table in tables),
        relabelled=relabelled_ids(tables),
        trained_on=tuple(tested_of(tables, one) for one in trained),
    )


# -- settings ----------------------------------------------------------------------------------------------------------


def settings_rows(settings: Sequence[Settings]) -> tuple[list[tuple[str, list[Any]]], list[tuple[str, list[Any]]]]:
    """(name, values of all runs): those that differ, and those that do not, in the order of `Settings`."""
    rows = [(name, [getattr(one, name) for one in settings]) for name in Settings.model_fields]
    differ = [row for row in rows if any(value != row[1][0] for value in row[1])]
    return differ, [row for row in rows if row not in differ]


# -- metrics -----------------------------------------------------------------------------------------------------------


def compare_images(comparison: Comparison, n_resamples: int = N_RESAMPLES, seed: int = 0) -> tuple[MetricRow, ...]:
    """Image metrics of all runs with intervals, and paired differences to the first run."""
    labels = comparison.labels
    if reason := undefined_reason(labels):
        return tuple(MetricRow(key, (None,) * len(comparison.runs), reason=reason) for key in IMAGE_RESAMPLED)
    weights = resample(labels, n_resamples, seed)
    rows = []
    for key, metric in IMAGE_RESAMPLED.items():
        found = paired_bootstrap([functools.partial(metric, scores, labels) for scores in comparison.scores], weights)
        rows.append(metric_row(key, found))
    return tuple(rows)


def metric_row(key: str, found: Sequence[tuple[Interval, Interval]]) -> MetricRow:
    """A metric from the value and the difference of each run."""
    return MetricRow(
        key,
        tuple(value.value for value, _ in found),
        tuple(value for value, _ in found),
        tuple(difference for _, difference in found),
    )


def difference_words(difference: Interval) -> str:
    """What a difference to the first run amounts to, in plain words."""
    if difference.value == difference.low == difference.high == 0:
        return "exactly the same"
    if difference.holds_zero:
        return "within noise"
    return "better" if difference.value > 0 else "worse"


# -- calls -------------------------------------------------------------------------------------------------------------


def common_thresholds(comparison: Comparison) -> dict[str, tuple[ThresholdChoice, ...]]:
    """Where thresholds can come from in every run: key -> one choice per run. Never empty."""
    per_run: list[dict[str, ThresholdChoice]] = [
        {choice.key: choice for choice in starts(run.seen.store, run)} for run in comparison.runs
    ]
    shared = {
        key: tuple(choices[key] for choices in per_run)
        for key in per_run[0]
        if all(key in choices for choices in per_run)
    }
    return shared or {"first": tuple(next(iter(choices.values())) for choices in per_run)}


def pair_table(comparison: Comparison, first: int, second: int, thresholds: Sequence[float]) -> pd.DataFrame:
    """`images` with score_first, score_second, called_first, called_second, `agreement` (who is right) and `apart`.

    Each run calls at its own threshold. `apart`: how far the image's ranks among all images lie apart, as a share of
    their number.
    """
    scores = comparison.scores[[first, second]]
    called = scores >= np.array([thresholds[first], thresholds[second]])[:, None]
    right = called == comparison.labels
    agreement = np.select([right[0] & right[1], right[0], right[1]], ["both", "first", "second"], "neither")
    ranks = pd.DataFrame(scores.T).rank(pct=True).to_numpy()
    return comparison.images.assign(
        score_first=scores[0],
        score_second=scores[1],
        called_first=called[0],
        called_second=called[1],
        agreement=agreement,
        apart=np.abs(ranks[:, 0] - ranks[:, 1]),
    )


def disagreements(table: pd.DataFrame, agreement: str | None = None, defects: Sequence[str] = ()) -> pd.DataFrame:
    """Images that one run calls defective and the other does not, those farthest apart first; ties by name."""
    keep = table.agreement.isin(["first", "second"] if agreement is None else [agreement])
    if defects:
        keep &= table.defect.isin(defects)
    return table[keep].sort_values(["apart", "sample_id"], ascending=[False, True], ignore_index=True)


def disagreement_words(table: pd.DataFrame, first: str, second: str) -> str:
    """How many images are called differently, who is right, and whether that could be chance. first, second: names
    of the runs.
    """
    counts = table.agreement.value_counts()
    n_first, n_second = int(counts.get("first", 0)), int(counts.get("second", 0))
    n = n_first + n_second
    if not n:
        return f"{first} and {second} call all {len(table)} images the same."
    low, high = wilson_interval(n_second, n)
    better, n_better = (second, n_second) if n_second >= n_first else (first, n_first)
    if n_second < n_first:
        low, high = 1 - high, 1 - low
    verdict = "so either may be the better one: within noise" if low <= 0.5 else "more than chance"
    return (
        f"{first} and {second} call {n} of {len(table)} images differently: {first} is right on {n_first}, {second} on"
        f" {n_second}. {better} has {percent(n_better / n)} of them (95\N{NBSP}% interval"
        f" {percent_range(low, high)}), {verdict}."
    )


# -- maps --------------------------------------------------------------------------------------------------------------


def normal_reference(run: RunResults) -> np.ndarray | None:
    """Pixel scores of the run's normal test images (held-out ones where there are none), rising;
    None without any normal image.
    """
    test = run.test[~run.test.is_defective.astype(bool)]
    normals = test if len(test) else run.holdout
    if normals.empty:
        return None
    chosen = normals.row.to_numpy()[spaced(len(normals), N_REFERENCE_IMAGES)]
    return np.sort(
        np.concatenate([pixel_map(run, int(row))[::REFERENCE_STRIDE, ::REFERENCE_STRIDE].ravel() for row in chosen])
    )


def rarity(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """How rare a score is among normal pixels, as a power of ten: 2 means 1 normal pixel in 100 scores as high. Same
    shape, >= 0.

    One scale for all runs, although their scores are on different ones. It ends where no reference pixel is as high.
    """
    n_as_high = len(reference) - np.searchsorted(reference, values, side="left")
    return np.log10(len(reference) / np.maximum(n_as_high, 1)).astype(np.float32)
