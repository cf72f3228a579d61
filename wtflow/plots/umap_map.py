"""A UMAP of positions at one time as a field: a map that stands still, with its lasso."""

from typing import Final

import numpy as np

from wtflow.errors import FlowError
from wtflow.plots.field import Field, Pictures, View
from wtflow.plots.paths import count_groups, position_colours
from wtflow.records.flow import Projection, Travel

NOTE: Final = (
    "UMAP preserves which points are near each other, not distances, sizes or densities of groups: a well does not look"
    " denser here. Fitted on {fitted}."
)


def umap_field(
    travel: Travel, umap: Projection, well_radius: np.ndarray | None, pictures: Pictures | None = None
) -> Field:
    """The map of a travel's positions at the one time of `umap`.

    well_radius: (S,) the normals' 99 % radius, None without normals; if given, one colour shows which positions escape.
    Raises FlowError if the umap shows other positions or more than one time.
    """
    n = len(travel.positions)
    if umap.points.shape[:2] != (1, n):
        raise FlowError(
            f"The UMAP shows {umap.points.shape[1]} positions at {len(umap.t)} times; the paths are of {n} positions.",
            fix="Compute the UMAP of these paths.",
        )
    note = NOTE.format(
        fitted="all of them" if umap.n_fitted >= n else f"{umap.n_fitted:,}, the others placed afterwards"
    )
    return Field(
        t=umap.t,
        ids=np.arange(n),
        views=(View("umap", f"UMAP at t = {umap.t[0]:.0f}", umap.points, ("UMAP 1", "UMAP 2"), note, equal=True),),
        colours=position_colours(travel.positions, travel, well_radius),
        pictures=pictures,
        alt=f"UMAP of {count_groups(travel.positions)} at t = {umap.t[0]:.0f}",
    )


def trust_in_words(umap: Projection) -> str:
    """How well the map keeps neighbourhoods, such as "Keeps neighbourhoods: .93 of 1 (2,000 of 4,000 positions)"."""
    if umap.trust is None:
        return "Too few positions to say how well it keeps neighbourhoods"
    n = umap.points.shape[1]
    share = f"{umap.n_trusted:,} of {n:,} positions compared" if umap.n_trusted < n else f"all {n:,} positions compared"
    return f"Keeps neighbourhoods: {f'{umap.trust:.2f}'.removeprefix('0')} of 1 (trustworthiness, {share})"
