"""Two principal axes of normal features: against the spread of the normals at the same time, and as they are.

All features shrink on their way, so on fixed axes everything becomes one dot at t=1, and defects look as if they had
fallen in. Divided by the normals' spread at the same time the picture keeps its size, and who moves away is seen to.

Shapes: S saved times, N positions.
"""

from typing import Final

import numpy as np

from wtflow.numbers import percent
from wtflow.plots.disc import SMALLEST, draw_in
from wtflow.plots.disc_views import SCALES, is_normal
from wtflow.plots.field import Guide, View
from wtflow.records.flow import Travel

WELL_QUANTILE: Final = 0.99
"""The disc holds this share of the normals at every time, as the well does in all dimensions."""

AXES_WORDS: Final = (
    "Two directions in which normal features at t = 0 vary most, the same at all times. They hold {share} of that"
    " variance: what happens in the others is not shown here, so the disc here is not the well."
)
OVER_WORDS: Final = (
    "Distances from the middle of the normals are divided by the radius that holds 99\N{NBSP}% of them here at the same"
    " time, so that the picture keeps its size while all features shrink. Beyond the disc they are drawn in"
    " logarithmically, nothing is cut off."
)
RAW_WORDS: Final = "As they are: a straight path stays straight, and toward t = 1 all may shrink to a dot."


def plane_views(travel: Travel) -> tuple[View, ...]:
    """The axes against the normals, where there are any, then as they are; each titled with its share of the variance
    of normal features at t=0.
    """
    first, second = travel.explained
    titles = (f"principal axis 1 ({percent(first)} of variance)", f"principal axis 2 ({percent(second)})")
    words = AXES_WORDS.format(share=percent(first + second))
    raw = View(
        "plane_raw",
        "Principal axes",
        travel.plane,
        titles,
        f"{words} {RAW_WORDS}",
        equal=True,
        family="plane",
        variant=SCALES["raw"],
    )
    if not is_normal(travel.positions).any():
        return (raw,)
    over = View(
        "plane",
        "Principal axes",
        over_the_normals(travel),
        titles,
        f"{words} {OVER_WORDS}",
        (Guide("disc", (1.0,), "99\N{NBSP}% of normals on these two axes"),),
        equal=True,
        ticks=False,
        whole=True,
        family="plane",
        variant=SCALES["over"],
    )
    return over, raw


def over_the_normals(travel: Travel) -> np.ndarray:
    """(S, N, 2) float32 plane coordinates from the middle of the normals (their median), over the radius around it
    that holds WELL_QUANTILE of them at the same time, drawn in beyond that.
    """
    normal = is_normal(travel.positions)
    plane = np.asarray(travel.plane, dtype=float)
    away = plane - np.median(plane[:, normal], axis=1, keepdims=True)
    distance = np.linalg.norm(away, axis=-1)
    reach = np.quantile(distance[:, normal], WELL_QUANTILE, axis=1)
    radius = distance / np.maximum(reach, SMALLEST)[:, None]
    return (away / np.maximum(distance, SMALLEST)[..., None] * draw_in(radius)[..., None]).astype(np.float32)
