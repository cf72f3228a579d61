"""What is measured on training normals: how high they score near the edge, how whole images vary. Imports torch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wtflow.config import Settings
from wtflow.datasets.run_images import RunData
from wtflow.machine.progress import Progress
from wtflow.records.edges import EdgeFactors
from wtflow.records.shapes import Shape, at_once, shape_of
from wtflow.records.whole import WholeImage
from wtflow.scoring.detector import Detector, Maps
from wtflow.scoring.edges import chosen_images, edge_factors, level
from wtflow.scoring.pixels import image_scores, upsample
from wtflow.scoring.rows import compute_maps, describe_rows
from wtflow.scoring.whole import fit_whole
from wtflow.store.features import FeatureCache

BATCH = 8
ENOUGH = 80
"""Normals to learn from; with fewer, whole images are left out. Measured on three categories by leaving normals out,
change of image AUROC on their mean: with 30 and 54 none (one gains .02 and .04, the others lose as much), with 80
+.013, with 120 +.017, with all (135 to 288) +.024.
"""
MOST_IMAGES = 512
"""Normals described at most; they take some 4 ms each."""


@dataclass(frozen=True, slots=True)
class NormalMaps:
    """How to get maps of training normals that are not levelled yet, by their indices."""

    n_fitted: int
    """Normals that the flow learned from."""
    n_held_out: int
    fitted: Callable[[np.ndarray], Maps]
    held_out: Callable[[np.ndarray], Maps]
    shape: Shape
    """(height, width) of maps in pixels."""


def measure_normals(
    detector: Detector,
    cache: FeatureCache,
    key: str,
    data: RunData,
    progress: Progress,
    known: WholeImage | None = None,
) -> Detector:
    """The detector with the edge factors and whole images that its settings ask for, from the run's feature file.

    `known`: the Gaussian, if it was fitted before; it depends on no setting of scoring. With fewer normals than
    `ENOUGH` whole images are left out. `progress(0, 1)` is called during the work and may raise to stop.
    """
    settings, fitted, held_out = detector.settings, data.fit_rows, np.array(data.held_out, int)
    plain = detector.scoring_as(settings, None, None)
    gaussian = None
    if settings.whole_image and len(fitted) >= ENOUGH:
        described = fitted[chosen_images(len(fitted), MOST_IMAGES)]
        gaussian = known or fit_whole(describe_rows(plain, cache, key, described, progress))
    normals = NormalMaps(
        len(fitted),
        len(held_out),
        lambda indices: compute_maps(plain, cache, key, fitted[indices], progress),
        lambda indices: compute_maps(plain, cache, key, held_out[indices], progress),
        shape_of(data.canvas or settings.image_size),
    )
    return calibrate(plain, normals, gaussian)


def calibrate(plain: Detector, normals: NormalMaps, gaussian: WholeImage | None) -> Detector:
    """The plain detector with the edge factors that its settings ask for, and with the Gaussian in
    the unit of its maps.

    gaussian: that of whole images, or None to leave them out.
    """
    settings = plain.settings
    if settings.edge_quantile == 0 and gaussian is None:
        return plain
    fitted, edges, whole = normals.fitted(chosen_images(normals.n_fitted)), None, None
    if settings.edge_quantile:
        after, before = (edge_factors(maps, settings.edge_quantile) for maps in (fitted.after, fitted.before))
        edges = EdgeFactors(after, before, len(fitted.after))
    if gaussian is not None:
        held_out = normals.held_out(chosen_images(normals.n_held_out))
        factors = None if edges is None else edges.after
        whole = gaussian.in_map_units(
            *(highest_places(maps.after, factors, settings, normals.shape) for maps in (fitted, held_out))
        )
    return plain.scoring_as(settings, edges, whole)


def highest_places(maps: np.ndarray, factors: np.ndarray | None, settings: Settings, shape: Shape) -> np.ndarray:
    """Scores of the highest pixels of raw maps (N, h, w), N may be 0, levelled with these factors and brought to this
    (height, width): float64 (N,).
    """
    if not len(maps):
        return np.empty(0)
    levelled = maps if factors is None else level(maps, factors)
    n = at_once(BATCH, settings.image_size, shape)
    return np.concatenate(
        [
            image_scores(upsample(levelled[i : i + n], shape, settings.score), settings.top_fraction)
            for i in range(0, len(maps), n)
        ]
    )
