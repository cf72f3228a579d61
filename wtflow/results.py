"""What a finished run found, read from the store. NumPy and pandas only, so a page pays for no torch."""

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
import pandas as pd

from wtflow.config import Settings
from wtflow.datasets.masks.live import FileTruth, file_truth
from wtflow.datasets.seen import SeenImages, open_seen
from wtflow.errors import DamagedRunError, ImageReadError, RunNotFoundError
from wtflow.numbers import percent
from wtflow.records.core import Sample
from wtflow.records.decision import ThresholdChoice
from wtflow.records.normals import NormalScores
from wtflow.records.notes import RunNotes
from wtflow.records.pixel_images import PixelImages, pixel_images_of
from wtflow.records.shapes import Shape, shape_of
from wtflow.records.truth import RunTruth, Truth
from wtflow.scoring.pixels import upsample
from wtflow.store.layout import RunConfig
from wtflow.store.runs import RunStore

OUTCOMES = ("TP", "FP", "TN", "FN")
Sort = Literal["score descending", "score ascending", "closest", "name"]


class ScoreRow(Protocol):
    """An image as a row of the score table holds it, from `image_at` or `itertuples`;
    layout.SCORE_COLUMNS explains the columns.
    """

    row: np.integer
    sample_id: str
    path: str
    mask_path: str
    """Empty without a mask."""
    split: str
    defect: str
    is_defective: bool
    score: float
    whole_score: float
    peak_row: np.integer
    peak_column: np.integer


class CalledRow(ScoreRow, Protocol):
    """The same at a threshold: a row of what `add_outcomes` returns."""

    outcome: str


@dataclass(frozen=True)
class RunResults:
    """Scores, maps and metrics of one finished run. `maps` is memory-mapped; row `table.row` belongs to an image."""

    run_id: str
    config: RunConfig
    table: pd.DataFrame
    metrics: dict[str, Any]
    maps: np.ndarray
    truth: RunTruth | FileTruth
    """The run's own truth; runs that hold none are counted by their masks as they are now."""
    seen: SeenImages
    """The run's own pictures, and originals compared with what the run recorded."""
    canvas: Shape | None = None
    """What images were resized to where they are cut into tiles; None: the square of the settings."""
    normals: NormalScores | None = None
    """Scores of training normals by detectors that did not learn from them; None for a run that holds none."""

    @property
    def shape(self) -> Shape:
        """(height, width) of images and maps in pixels."""
        return shape_of(self.canvas or self.settings.image_size)

    @property
    def settings(self) -> Settings:
        return self.config.settings

    @functools.cached_property
    def test(self) -> pd.DataFrame:
        return self.table[self.table.split == "test"]

    @property
    def holdout(self) -> pd.DataFrame:
        return self.table[self.table.split == "holdout"]

    @property
    def has_defects(self) -> bool:
        return bool(self.test.is_defective.any())

    @property
    def pixel_images(self) -> PixelImages:
        """Of how many test images the pixel metrics are."""
        test = self.test
        return pixel_images_of(self.metrics, len(test), int(test.is_defective.sum()))

    @property
    def color_range(self) -> tuple[float, float]:
        try:
            low, high = self.metrics["color_range"]
            return float(low), float(high)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedRunError(
                f"metrics.json of {self.run_id} has no colour range.",
                fix="Resume the run to write it again, or delete it.",
            ) from error

    @property
    def source_label(self) -> str:
        """Backbone and weights in words."""
        return str(self.metrics.get("source", self.settings.backbone))


def open_results(store: RunStore, run_id: str) -> RunResults:
    """Everything a finished run wrote. Raises RunNotFoundError before that, DamagedRunError when files disagree."""
    config = store.config(run_id)
    if (state := store.status(run_id).state) != "finished" and not store.has_results(run_id):
        raise RunNotFoundError(
            f"Run {run_id} has no results: it is {state}.",
            fix="Wait until it has finished, or resume it on the train page.",
        )
    table, maps, metrics = store.scores(run_id), store.maps(run_id), store.metrics(run_id)
    if len(table) != len(maps):
        raise DamagedRunError(
            f"Run {run_id} has {len(table)} scores but {len(maps)} maps.", fix="Delete the run, or train again."
        )
    canvas = store.canvas(run_id)
    truth = _truth(store, config, table, shape_of(canvas or config.settings.image_size))
    return RunResults(
        run_id, config, table, metrics, maps, truth, open_seen(store, run_id), canvas, store.normals(run_id)
    )


def _truth(store: RunStore, config: RunConfig, table: pd.DataFrame, shape: Shape) -> RunTruth | FileTruth:
    own = store.truth(config.run_id)
    return own if own is not None else file_truth(store, config, tested_samples(table), shape)


def pixel_map(results: RunResults, row: int) -> np.ndarray:
    """The score of every pixel of one image, float32 of the run's shape."""
    return upsample(np.asarray(results.maps[row : row + 1]), results.shape, results.settings.score)[0]


def sample_of(image: ScoreRow) -> Sample:
    """The image of a row of the score table as a data set lists it; held-out normals count as test images."""
    return Sample(
        image.sample_id, Path(image.path), "test", image.defect, Path(image.mask_path) if image.mask_path else None
    )


def tested_samples(table: pd.DataFrame) -> list[Sample]:
    """The test images of a score table as a data set lists them."""
    return [sample_of(image) for image in each_image(table[table.split == "test"])]


def truth_of(results: RunResults, image: ScoreRow) -> Truth | None:
    """What a person drew on the image of a row of the score table, as pixel metrics count it; None where they leave
    it out. Raises ImageReadError where a run without a truth of its own needs an image that is gone.
    """
    return results.truth.of(image.sample_id, is_defective=image.is_defective)


def truth_to_draw(results: RunResults, image: ScoreRow) -> Truth | None:
    """As `truth_of`, and None where the truth cannot be told any more."""
    try:
        return truth_of(results, image)
    except ImageReadError:
        return None


def outline_of(results: RunResults, image: ScoreRow) -> np.ndarray | None:
    """The true defect of an image to draw, bool at map size; None where it is normal or its truth unknown."""
    truth = truth_to_draw(results, image)
    return None if truth is None or truth.is_normal else truth.mask


def why_left_out(results: RunResults, image: ScoreRow) -> str:
    """Why pixel metrics leave a defective image out, in a sentence."""
    try:
        return results.truth.why(image.sample_id).reason
    except ImageReadError as error:
        return error.message


def threshold_choices(results: RunResults) -> tuple[ThresholdChoice, ...]:
    """Where a threshold may start by what a run stored with its metrics. Never empty."""
    choices = []
    stored = results.metrics.get("thresholds", {})
    if stored.get("best_f1"):
        choices.append(
            ThresholdChoice(
                "best_f1",
                "Highest F1 on the test images",
                float(stored["best_f1"]["value"]),
                "Chosen on the test images themselves, so the figures at this threshold are optimistic.",
            )
        )
    if stored.get("holdout"):
        n, quantile = stored["holdout"]["n"], stored["holdout"]["quantile"]
        choices.append(
            ThresholdChoice(
                "holdout",
                f"{percent(quantile)} of held-out normals pass",
                float(stored["holdout"]["value"]),
                f"The {percent(quantile)} quantile of {n} training normals kept aside; no test label was used."
                + (" With so few it is hardly more than their highest score." if n < 20 else ""),
            )
        )
    if not choices:
        scores = results.table.score
        value = float(scores.max()) if len(scores) else 0.0
        choices.append(
            ThresholdChoice(
                "highest",
                "Highest score seen",
                value,
                "There are no labels and no held-out normals to choose one by; set it by eye.",
            )
        )
    return tuple(choices)


def add_outcomes(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """A copy with the column `outcome`. An image is called defective when its score >= threshold."""
    called, defective = (table.score >= threshold).to_numpy(), table.is_defective.to_numpy(bool)
    outcome = np.where(defective, np.where(called, "TP", "FN"), np.where(called, "FP", "TN"))
    return table.assign(outcome=outcome)


def add_notes(table: pd.DataFrame, notes: RunNotes) -> pd.DataFrame:
    """A copy with the columns `tags` (joined by "; "), `comment` and `label_is_wrong`."""
    found = [notes.note(sample_id) for sample_id in table.sample_id]
    return table.assign(
        tags=["; ".join(note.tags) for note in found],
        comment=[note.comment for note in found],
        label_is_wrong=[note.label_is_wrong for note in found],
    )


def filter_rows(
    table: pd.DataFrame,
    defects: tuple[str, ...] = (),
    outcomes: tuple[str, ...] = (),
    score_range: tuple[float, float] | None = None,
    sort: Sort = "score descending",
    sample_ids: Collection[str] | None = None,
    threshold: float = 0.0,
) -> pd.DataFrame:
    """Rows of any of these defect types and outcomes (empty: all) and of these images (None: all) with low <= score
    < high, sorted; ties by name. threshold: what `closest` is close to.
    """
    keep = np.ones(len(table), bool)
    if defects:
        keep &= table.defect.isin(defects).to_numpy()
    if outcomes:
        keep &= table.outcome.isin(outcomes).to_numpy()
    if score_range is not None:
        keep &= ((table.score >= score_range[0]) & (table.score < score_range[1])).to_numpy()
    if sample_ids is not None:
        keep &= table.sample_id.isin(list(sample_ids)).to_numpy()
    chosen = table[keep]
    if sort in ("name", "closest"):
        keys = [chosen.sample_id.to_numpy(str)] + [(chosen.score - threshold).abs().to_numpy()] * (sort == "closest")
        return chosen.iloc[np.lexsort(keys)].reset_index(drop=True)
    return chosen.sort_values(["score", "sample_id"], ascending=[sort == "score ascending", True], ignore_index=True)


def find_sample(results: RunResults, sample_id: str) -> ScoreRow:
    """The row of an image. Raises RunNotFoundError naming it when the run has no such image."""
    found = results.table[results.table.sample_id == sample_id]
    if found.empty:
        raise RunNotFoundError(
            f"Run {results.run_id} has no image {sample_id[:120]!r}.",
            fix="Choose one from the gallery on the results page.",
        )
    return image_at(found, 0)


def image_at(table: pd.DataFrame, at: int) -> ScoreRow:
    """The image in line `at` of a score table."""
    return cast(ScoreRow, table.iloc[at])


def each_image(table: pd.DataFrame) -> Iterator[ScoreRow]:
    """The images of a score table, line by line."""
    return (cast(ScoreRow, row) for row in table.itertuples())


def image_of_row(table: pd.DataFrame, row: int) -> ScoreRow:
    """The image whose map is row `row` of the maps."""
    return image_at(table, int(np.flatnonzero(table.row.to_numpy() == row)[0]))
