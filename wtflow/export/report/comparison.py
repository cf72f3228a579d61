"""What a report shows of several runs next to each other. Records and plain values, no markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from wtflow.compare.common_truth import CommonTruth, common_truth
from wtflow.compare.differences import input_sentences, trained_sentences, truth_sentences
from wtflow.compare.intervals import N_RESAMPLES
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.pixel_rows import compare_pixels
from wtflow.compare.pixel_tally import load_tally, make_tally, pro_curve
from wtflow.compare.runs import (
    LETTERS,
    Comparison,
    align,
    compare_images,
    disagreement_words,
    pair_table,
    settings_rows,
)
from wtflow.compare.truths import TruthDifferences, find_differences
from wtflow.errors import MetricError
from wtflow.export.report.reproduce import setting_words
from wtflow.export.report.run_part import SEED, RunPart, Show
from wtflow.records.compare import MetricRow, PixelTally
from wtflow.records.core import Curve
from wtflow.results import RunResults
from wtflow.store.runs import RunStore

MOST_NAMED = 20
"""Images that a sentence names."""


@dataclass(frozen=True, slots=True)
class ComparisonPart:
    """Runs on their common test images, of which there may be none: then only settings are compared."""

    comparison: Comparison
    names: tuple[str, ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]
    """Those that differ: name, value of each run."""
    inputs: tuple[str, ...]
    """What else differs, but for masks, in sentences."""
    masks: tuple[str, ...]
    """On which images the masks of the runs differ and which run holds none, in sentences."""
    truth: CommonTruth
    """What pixel metrics of all runs are counted on."""
    pro: tuple[Curve | None, ...]
    """Region overlap of each run on this truth."""
    metrics: tuple[MetricRow, ...]
    disagreements: tuple[str, ...]
    """In a sentence, of the first run with each other."""
    pixel_images: tuple[str, ...] = ()
    """Of how many images the pixel metrics are, in sentences."""

    @property
    def n_common(self) -> int:
        return len(self.comparison.images)

    @property
    def has_intervals(self) -> bool:
        """Any metric has intervals, and with them differences to the first run."""
        return any(row.intervals for row in self.metrics)


def align_runs(store: RunStore, runs: Sequence[RunResults], *, on_common: bool) -> Comparison:
    """The runs over their common test images. Quick, so that runs which do not fit are refused
    before anything long begins.

    Raises MetricError where their test images differ, unless `on_common`; DamagedRunError.
    """
    comparison = align(runs, [store.data(run.run_id) for run in runs])
    if not (comparison.is_same_set or on_common):
        counts = ", ".join(f"{name} {n}" for name, n in zip(LETTERS, comparison.n_images, strict=False))
        raise MetricError(
            f"These runs were not tested on the same images: {len(comparison.images)} are common to all (tested on:"
            f" {counts}).",
            fix="Choose runs of one test set, or compare them on the common images (--common).",
        )
    return comparison


def collect_comparison(
    store: RunStore,
    comparison: Comparison,
    runs: Sequence[RunPart],
    truth_key: str | None,
    show: Show,
    *,
    with_paths: bool = False,
) -> ComparisonPart:
    """What sets the runs apart, each called at its own threshold. truth_key: of the masks that all runs are counted on
    where theirs differ; None: nobody chose. `show` gets percents of this alone. Raises StoreError,
    DiskFullError.
    """
    names = tuple(LETTERS[: len(runs)])
    differ, _ = settings_rows([run.results.settings for run in runs])
    settings = tuple(
        (name, tuple(setting_words(name, value, with_paths=with_paths) for value in values)) for name, values in differ
    )
    data, own = [store.data(run.results.run_id) for run in runs], [run.truth for run in runs]
    found = find_differences(comparison, own, data)
    truth = common_truth(store, comparison, own, found, data, truth_key)
    apart = (
        (*input_sentences(comparison, data), *trained_sentences(comparison)),
        truth_sentences(found, own, MOST_NAMED),
        truth,
    )
    if comparison.images.empty:
        return ComparisonPart(comparison, names, settings, *apart, tuple(run.pro for run in runs), (), ())
    tallies = _tallies(store, comparison, runs, found, truth, show)
    metrics = compare_images(comparison, N_RESAMPLES, SEED)
    metrics += compare_pixels(comparison, truth, tallies, N_RESAMPLES, SEED)
    thresholds = tuple(run.threshold for run in runs)
    sentences = tuple(
        disagreement_words(pair_table(comparison, 0, second, thresholds), names[0], names[second])
        for second in range(1, len(runs))
    )
    if found.are_same:
        pro = tuple(run.pro for run in runs)
    elif tallies is None:
        pro = (None,) * len(runs)
    else:
        pro = tuple(pro_curve(tally, rows) for tally, rows in zip(tallies, comparison.rows, strict=True))
    images = pixel_images_words(comparison, own, truth)
    return ComparisonPart(comparison, names, settings, *apart, pro, metrics, sentences, images)


def _tallies(
    store: RunStore,
    comparison: Comparison,
    runs: Sequence[RunPart],
    found: TruthDifferences,
    truth: CommonTruth,
    show: Show,
) -> list[PixelTally] | None:
    """The pixels of all runs, counted on one truth; None where there is none."""
    if found.are_same:
        own = [run.tally for run in runs if run.tally is not None]
        return own if len(own) == len(runs) else None
    tallies = []
    for k, (run, drawn) in enumerate(zip(comparison.runs, truth.truths, strict=False)):

        def count(done: int, total: int, k: int = k) -> None:
            show("counting pixels on one truth", 100 * (k + done / max(1, total)) / len(runs))

        tallies.append(load_tally(store, run.run_id, drawn) or make_tally(store, run, drawn, count))
    return tallies or None
