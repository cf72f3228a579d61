"""Choosing grid positions of scored images: at random, by score, inside the true defects. NumPy only."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from wtflow.errors import FlowError, ImageReadError
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, PositionSet, Travel, at_positions
from wtflow.results import RunResults, ScoreRow, each_image, truth_of
from wtflow.scoring.pixels import grid_mask

How = Literal["balanced", "random", "top", "defect"]
"""balanced: half normal, half inside masks; the normal half comes from normal images, or from outside the masks where
no normal image is chosen. random: anywhere. top: the highest-scoring. defect: inside masks only. All spread evenly over
the images; where a defective image has no mask, its highest positions stand in for the defect.
"""


def choose_positions(results: RunResults, rows: np.ndarray, how: How, n: int, seed: int) -> PositionSet:
    """n positions of the images `rows` (column `row` of the score table), fewer where they have no more; ordered by
    image, then place.

    Drawn as evenly over the images as their numbers of positions allow, repeatable for a seed. Raises FlowError for an
    image that the run does not have, and when there is nothing to choose from.
    """
    if how not in get_args(How) or n < 1:
        raise FlowError(
            f"Cannot choose {n} positions by {how!r}.", fix=f"Choose 1 or more, by one of: {', '.join(get_args(How))}."
        )
    images = _images(results, rows)
    if not images:
        raise FlowError("No image is chosen.", fix="Choose at least one image of the run.")
    generator = np.random.default_rng(seed)
    good, bad = [image for image in images if not image.is_defective], [image for image in images if image.is_defective]
    if how == "balanced" and bad:
        inside = _draw(results, bad, "defect", n // 2, generator)
        normal = (good, "random") if good else (bad, "outside")
        parts = [*inside, *_draw(results, *normal, n - n // 2, generator)]
    else:
        parts = _draw(results, images, "random" if how == "balanced" else how, n, generator)
    if not any(len(flat) for _, flat in parts):
        raise FlowError(
            "None of the chosen images has a defect pixel in a mask.", fix="Choose other images, or positions by score."
        )
    return _joined(results, parts)


def one_position(results: RunResults, row: int, grid_row: int, grid_column: int) -> PositionSet:
    """The single position of a row of the score table, grouped by that image's mask. Raises FlowError outside the
    run's images and grid.
    """
    height, width = results.maps.shape[1:]
    if not (0 <= grid_row < height and 0 <= grid_column < width):
        raise FlowError(
            f"There is no position ({grid_row}, {grid_column}) on a grid of {height} x {width}.",
            fix="Click inside the picture.",
        )
    (image,) = _images(results, np.array([row]))
    return _joined(results, [(image, np.array([grid_row * width + grid_column]))])


def drawn_evenly(group: np.ndarray, n: int, seed: int) -> np.ndarray:
    """At most n indices, the same number from every group as far as it has them, rising."""
    generator = np.random.default_rng(seed)
    waiting = [list(generator.permutation(np.flatnonzero(group == name))) for name in sorted(set(group.tolist()))]
    chosen: list[int] = []
    while len(chosen) < n and any(waiting):
        for members in waiting:
            if members and len(chosen) < n:
                chosen.append(int(members.pop()))
    return np.sort(np.array(chosen, int))


def thin(travel: Travel, n: int) -> Travel:
    """At most n of the positions, drawn evenly over the groups; the travel itself when it has n or fewer."""
    if len(travel.positions) <= n:
        return travel
    return at_positions(travel, drawn_evenly(travel.positions.group, n, seed=0))


@dataclass(frozen=True, slots=True)
class _Image:
    """One image to draw from. `inside`: bool, flat over its grid; None for a defective image without a valid mask."""

    row: int
    defect: str
    inside: np.ndarray | None

    @property
    def is_defective(self) -> bool:
        return self.defect != GOOD


def _images(results: RunResults, rows: np.ndarray) -> list[_Image]:
    """The images of these rows, each once, in the order of the table.
    Raises FlowError for a row that the run does not have.
    """
    table = results.table[results.table.row.isin(rows)].sort_values("row")
    if missing := sorted({int(row) for row in rows} - set(table.row.tolist())):
        raise FlowError(f"Run {results.run_id} has no image row {missing[0]}.", fix="Choose images of this run.")
    return [_Image(int(image.row), image.defect, _inside(results, image)) for image in each_image(table)]


def _inside(results: RunResults, image: ScoreRow) -> np.ndarray | None:
    shape = results.maps.shape[1:]
    if image.defect == GOOD:
        return np.zeros(shape, bool).ravel()
    try:
        truth = truth_of(results, image)  # the very regions that the metrics count
    except ImageReadError:
        return None
    return None if truth is None else grid_mask(truth.defect, shape).ravel()


def _draw(
    results: RunResults, images: list[_Image], how: str, n: int, generator: np.random.Generator
) -> list[tuple[_Image, np.ndarray]]:
    """Images with flat cells of their grids, the likeliest first and cut to its share of the n. how: as in How, or
    outside (no mask).
    """
    ranked = []
    for image in images:
        if how == "top" or (how == "defect" and image.inside is None):  # without a mask the highest positions stand in
            cells = np.argsort(-np.asarray(results.maps[image.row]).ravel(), kind="stable")
        elif how == "defect" and image.inside is not None:
            cells = generator.permutation(np.flatnonzero(image.inside))
        elif how == "outside" and image.inside is not None:
            cells = generator.permutation(np.flatnonzero(~image.inside))
        else:
            cells = generator.permutation(results.maps[0].size)
        ranked.append((image, cells))
    shares = _shared_out(n, np.array([len(cells) for _, cells in ranked]))
    return [(image, cells[:share]) for (image, cells), share in zip(ranked, shares, strict=True)]


def _shared_out(n: int, room: np.ndarray) -> np.ndarray:
    """n split over images that have `room` (K,) for so many each: as even as that allows, remainders spread over all
    of the order.
    """
    shares = np.zeros(len(room), int)
    while (left := min(n, int(room.sum())) - int(shares.sum())) > 0:
        free = np.flatnonzero(shares < room)
        extra = np.diff(np.arange(len(free) + 1) * left // len(free))
        shares[free] = np.minimum(shares[free] + extra, room[free])
    return shares


def _joined(results: RunResults, parts: list[tuple[_Image, np.ndarray]]) -> PositionSet:
    """One set, ordered, each position once (without a mask, stand-ins and the rest may meet)."""
    n_cells, width = results.maps[0].size, results.maps.shape[2]
    images = {image.row: image for image, _ in parts}
    places = np.unique(np.concatenate([image.row * n_cells + flat for image, flat in parts]))
    row, flat = places // n_cells, places % n_cells
    group, score = np.empty(len(places), object), np.empty(len(places), np.float32)
    for one in np.unique(row):
        here, image = row == one, images[int(one)]
        score[here] = np.asarray(results.maps[one]).ravel()[flat[here]]
        hit = np.zeros(here.sum(), bool) if image.inside is None else image.inside[flat[here]]
        group[here] = np.where(hit, image.defect, UNMARKED if image.is_defective else GOOD)
    row, grid_row, grid_column = (values.astype(np.int32) for values in (row, flat // width, flat % width))
    return PositionSet(row, grid_row, grid_column, group.astype(str), score)
