"""The images that a report shows: which ones, and each drawn again.

A picture is drawn from pixels, so nothing that a camera wrote into the file (place, time, owner) comes along.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

from wtflow.compare.runs import RARITY_RANGE, Comparison, disagreements, normal_reference, pair_table, rarity
from wtflow.failures.calls import failures_of
from wtflow.pictures import picture_of
from wtflow.plots.pictures import data_uri, encode_jpeg, overlay, thumbnail
from wtflow.plots.theme import OUTCOMES
from wtflow.results import RunResults, add_outcomes, each_image, outline_of, pixel_map

OPACITY: Final = 0.6
"""That of the gallery."""

GROUPS: Final = {
    "FN": ("Missed defects", "Farthest below the threshold first."),
    "FP": ("False alarms", "Farthest above the threshold first."),
    "TP": ("Defects found", "Highest score first."),
    "TN": ("Normal images passed", "Lowest score first."),
}
"""Outcome -> title, order. The first two are what the run gets wrong."""

_BEST_SHARE: Final = 3
"""Of what the run gets right a third as many are shown: they are less instructive."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One image and what is drawn of it, as data addresses. Without `image` nothing is left of it, and there is nothing
    to show.
    """

    sample_id: str
    defect: str
    words: str
    image: str
    overlays: tuple[tuple[str, str], ...]
    """Title (of the run, or empty) and picture, each."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Some of `n_all` images that belong together."""

    title: str
    caption: str
    n_all: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How large pictures are (their longer side) and how many a gallery shows at most."""

    size_px: int
    n_each: int

    @property
    def words(self) -> str:
        return f"pictures of {self.size_px} px, at most {self.n_each} images in a group" if self.n_each else "no images"


def galleries_of(
    results: RunResults, threshold: float, plan: Plan, progress: Callable[[], None]
) -> tuple[Gallery, ...]:
    """The run's worst and best images. `progress` is called after each image."""
    table = add_outcomes(results.test, threshold)
    found = []
    for outcome, (title, caption) in GROUPS.items():
        own = _in_order(table[table.outcome == outcome], outcome, threshold)
        pictures = []
        for row in each_image(own.head(plan.n_each if outcome in ("FN", "FP") else plan.n_each // _BEST_SHARE)):
            pictures.append(
                _draw(
                    results,
                    row,
                    f"score {row.score:.4g}, {OUTCOMES[outcome]}",
                    plan.size_px,
                    {"": (pixel_map(results, int(row.row)), results.color_range)},
                )
            )
            progress()
        if len(own):
            found.append(Gallery(title, caption, len(own), tuple(pictures)))
    return tuple(found)


def disagreement_gallery(
    comparison: Comparison,
    second: int,
    thresholds: tuple[float, ...],
    names: tuple[str, ...],
    plan: Plan,
    progress: Callable[[], None],
) -> Gallery:
    """Images that the first run and another call differently, the maps of both on one scale."""
    table = pair_table(comparison, 0, second, thresholds)
    found = disagreements(table)
    place = {sample_id: i for i, sample_id in enumerate(comparison.images.sample_id)}
    own = comparison.runs[0].test.set_index("row", drop=False)
    references = {run: normal_reference(comparison.runs[run]) for run in (0, second)} if len(found) else {}
    pictures = []
    for image in found.head(plan.n_each).itertuples():
        at = place[image.sample_id]
        maps = {}
        for run, reference in references.items():
            values = pixel_map(comparison.runs[run], int(comparison.rows[run, at]))
            maps[names[run]] = (
                (values, comparison.runs[run].color_range)
                if reference is None
                else (rarity(values, reference), RARITY_RANGE)
            )
        right = names[0] if image.agreement == "first" else names[second]
        pictures.append(
            _draw(comparison.runs[0], own.loc[comparison.rows[0, at]], f"{right} is right", plan.size_px, maps)
        )
        progress()
    caption = (
        "Those whose ranks lie farthest apart first. Maps are on one scale: how rare a score is among normal pixels."
    )
    return Gallery(f"Where {names[0]} and {names[second]} disagree", caption, len(found), tuple(pictures))


def _in_order(table: pd.DataFrame, outcome: str, threshold: float) -> pd.DataFrame:
    if outcome in ("FN", "FP"):
        return failures_of(table, threshold)
    return table.sort_values(["score", "sample_id"], ascending=[outcome == "TN", True])


def _draw(results: RunResults, row, words: str, size_px: int, maps: dict[str, tuple]) -> Picture:
    """row: of the score table; maps: title -> (pixel scores (S, S), colour range)."""
    shown = picture_of(results, row)
    if not shown.is_there:
        return Picture(row.sample_id, row.defect, words, "", ())
    small, mask = thumbnail(shown.pixels, size_px), outline_of(results, row)
    drawn = tuple(
        (title, data_uri(encode_jpeg(overlay(small, values, scale, OPACITY, mask))))
        for title, (values, scale) in maps.items()
    )
    return Picture(row.sample_id, row.defect, words, data_uri(encode_jpeg(small)), drawn)
