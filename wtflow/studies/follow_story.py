"""The story of one image, put together from its paths and what the run knows. NumPy, no torch."""

import numpy as np

from wtflow.pictures import Shown
from wtflow.plots.contours import outline
from wtflow.plots.follow import Story
from wtflow.plots.pictures import thumbnail
from wtflow.records.core import GOOD
from wtflow.records.follow import OverTime, OwnPaths, Yardstick, norm_at, only
from wtflow.results import RunResults, ScoreRow, truth_to_draw
from wtflow.scoring.edges import distance_to_edge
from wtflow.scoring.pixels import grid_mask
from wtflow.store.runs import RunStore
from wtflow.studies.follow import (
    band,
    drawn_normals,
    fine_times,
    ring_angles,
)
from wtflow.studies.well import moves_of_normals

PICTURE_PX = 900
"""Longer side of the picture: a patch of one position in 32 is then still 28 pixels wide."""

HIGH = 0.999
"""Quantile at the upper end of the colour scale where the run has none for the endpoint score, as the run's own."""


def build_story(
    store: RunStore,
    results: RunResults,
    image: ScoreRow,
    shown: Shown,
    yardstick: Yardstick,
    paths: OwnPaths,
    alike: np.ndarray,
    over: OverTime | None,
) -> Story:
    """All that the strip of one image shows. paths: of all its positions, P is (h, w), and alike (h, w) as
    `paths_of_image` gives them; over: where it was computed.

    Raises FlowError without normal test images.
    """
    times = fine_times(paths.t)
    well, median = band(yardstick, times)
    chosen = drawn_normals(yardstick)
    normals = only(yardstick.paths, chosen)
    truth = truth_to_draw(results, image)
    lines = () if truth is None or truth.is_normal else outline(truth.mask)
    height, width = results.shape
    ratio = [float((norm_at(one, times) / _column(well, one)).max()) for one in (paths, normals)]
    return Story(
        sample_id=image.sample_id,
        defect=image.defect,
        is_defective=bool(image.is_defective),
        picture=thumbnail(shown.pixels, PICTURE_PX),
        note=shown.note,
        inside=cells_inside(results, image),
        outline=tuple((x / width, y / height) for x, y in lines),
        paths=paths,
        factors=edge_factors(store, results, paths, over),
        angles=ring_angles(yardstick, paths.plane_end),
        normals=normals,
        normal_angles=ring_angles(yardstick, normals.plane_end),
        well=well,
        median=median,
        times=times,
        n_normals=int(np.count_nonzero(yardstick.positions.group == GOOD)),
        farthest=max(1.0, *ratio),
        color_range=color_range(results, yardstick, over),
        alike=alike,
        about_normals=f"Normal positions {moves_of_normals(times, median)}.",
        score_note=score_note(results),
        over=over,
    )


def cells_inside(results: RunResults, image: ScoreRow) -> np.ndarray | None:
    """bool (h, w): positions in the true defect of an image; None where it is unknown."""
    truth, grid = truth_to_draw(results, image), results.maps.shape[1:]
    if truth is None:
        return None
    return np.zeros(grid, bool) if truth.is_normal else grid_mask(truth.defect, grid)


def edge_factors(store: RunStore, results: RunResults, paths: OwnPaths, over: OverTime | None) -> np.ndarray:
    """(S, h, w): what scores are divided by after each step. Until they were measured after every step, those of the
    run's own end stand for all but the start; none where the run scores by something else than the endpoint.
    """
    distance = distance_to_edge(*paths.norm.shape[1:])
    own = store.edges(results.run_id)
    if over is not None:
        rings = over.factors
    elif own is None or score_note(results):
        return np.ones(paths.norm.shape, np.float32)
    else:
        rings = np.stack([own.before, *[own.after] * (len(paths.t) - 1)])
    return rings[:, distance]


def color_range(results: RunResults, yardstick: Yardstick, over: OverTime | None) -> tuple[float, float]:
    """Ends of the colour scale of the endpoint score: the run's own where it scores by that."""
    if over is not None:
        return over.color_range
    if not score_note(results):
        return results.color_range
    ends = yardstick.paths.norm[-1].astype(float) ** 2 / (2 * yardstick.paths.n_channels)
    low, high = float(np.median(ends[yardstick.positions.group == GOOD])), float(np.quantile(ends, HIGH))
    return low, high if high > low else low + 1.0


def score_note(results: RunResults) -> str:
    """What is shown where the run scores by something else; empty where it scores by the endpoint."""
    score = results.settings.score
    if score == "endpoint":
        return ""
    return (
        f"This run scores by {score}. A path is read by its endpoint, so map and number here show the endpoint score:"
        " the last map is not the run's own."
    )


def _column(well: np.ndarray, paths: OwnPaths) -> np.ndarray:
    return well.reshape(-1, *(1,) * (paths.norm.ndim - 1))
