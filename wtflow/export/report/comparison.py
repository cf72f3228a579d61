"""What a report shows of several runs next to each other. Records and plain values, no markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from wtflow.compare.intervals import N_RESAMPLES
from wtflow.compare.pixel_images import pixel_images_words
from wtflow.compare.runs import (
    LETTERS,
    Comparison,
    align,
    compare_images,
    compare_pixels,
    disagreement_words,
    pair_table,
    settings_rows,
)
from wtflow.errors import MetricError
from wtflow.export.report.reproduce import setting_words
from wtflow.export.report.run_part import SEED, RunPart
from wtflow.records.compare import MetricRow
from wtflow.results import RunResults
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class ComparisonPart:
    """Runs on their common test images, of which there may be none: then only settings are compared."""

    comparison: Comparison
    names: tuple[str, ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]
    """Those that differ: name, value of each run."""
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


def collect_comparison(comparison: Comparison, runs: Sequence[RunPart], *, with_paths: bool = False) -> ComparisonPart:
    """What sets the runs apart, each called at its own threshold."""
    names = tuple(LETTERS[: len(runs)])
    differ, _ = settings_rows([run.results.settings for run in runs])
    settings = tuple(
        (name, tuple(setting_words(name, value, with_paths=with_paths) for value in values)) for name, values in differ
    )
    if comparison.images.empty:
        return ComparisonPart(comparison, names, settings, (), ())
    tallies = [run.tally for run in runs if run.tally is not None]
    counted = tallies if len(tallies) == len(runs) else None
    metrics = compare_images(comparison, N_RESAMPLES, SEED) + compare_pixels(comparison, counted, N_RESAMPLES, SEED)
    thresholds = tuple(run.threshold for run in runs)
    sentences = tuple(
        disagreement_words(pair_table(comparison, 0, second, thresholds), names[0], names[second])
        for second in range(1, len(runs))
    )
    return ComparisonPart(comparison, names, settings, metrics, sentences, pixel_images_words(comparison, counted))
