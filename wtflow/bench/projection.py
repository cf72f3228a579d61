"""UMAP of features, against the principal axes of the same points."""

import numpy as np

from wtflow.bench.children import seconds_of
from wtflow.bench.figures import Figure, Spread, interleaved
from wtflow.bench.workshop import Workshop
from wtflow.studies.pca import project_pca
from wtflow.studies.projection import project_umap

REPEATS = 3
"""At most: a fit takes seconds."""
NEIGHBOURS = 15


def measure(shop: Workshop) -> list[Figure]:
    """Seconds of a UMAP, the first in this process (which compiles) and later ones."""
    channels, n = shop.features.shape[-1], 2 * shop.sizes.points
    points = np.random.default_rng(0).normal(size=(n, channels)).astype(np.float32)

    def umap() -> None:
        project_umap(
            points,
            1.0,
            np.arange(n),
            n_neighbors=min(NEIGHBOURS, n - 1),
            min_dist=0.1,
            metric="euclidean",
            seed=0,
            tell=lambda stage, share, words: None,
        )

    first = seconds_of(umap)
    seconds = interleaved(
        {"axes": lambda: project_pca(points[None], np.ones(1), points), "umap": umap}, min(REPEATS, shop.sizes.repeats)
    )
    floor_name, floor = "principal axes of the same points", Spread.of(seconds["axes"])
    what = f"{n} points of {channels} channels"
    return [
        Figure("projection", f"UMAP, {what}", "s", Spread.of(seconds["umap"]), floor_name, floor),
        Figure("projection", f"UMAP, {what}, first in a process", "s", Spread.of([first]), floor_name, floor),
    ]
