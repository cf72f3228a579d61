"""Paths of a run's features as a particle field: its views, colours by meaning, charts over time.

Shapes: S saved times, N positions.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from wtflow.numbers import percent
from wtflow.plots.field import Chart, Colour, Field, Guide, Pictures, View
from wtflow.plots.groups import group_colours, group_words
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import PositionSet, Travel

RADIUS_NOTE: Final = (
    "Exact, not projected: the distance to the cross at (0, 0) is the true distance from the origin in all dimensions,"
    " and the angle is the true angle to where the feature started. A path that reaches the left half has crossed over"
    " to the other side of the origin."
)
PLANE_NOTE: Final = (
    "A projection on the two directions in which normal features at t = 0 vary most; the same axes at all times, so a"
    " straight path stays straight. These two directions hold {share} of that variance: what happens in the"
    " others is not shown here."
)
CHARTS: Final = {
    "norm": ("Distance from the origin", "|x|"),
    "speed": ("Speed", "|v|"),
    "straightness": ("Along its own straight line", "cosine"),
    "score": ("Score if it ended here", "½ mean square"),
    "divergence": ("Divergence (estimate)", "div v"),
}
"""Key -> label and axis title of the charts over time."""


def travel_field(travel: Travel, shell: tuple[float, float, float], pictures: Pictures | None = None) -> Field:
    """The field of a travel. shell: mean, 5 % and 95 % quantile of the norm of noise."""
    views = [radius_view(travel, shell), plane_view(travel)]
    values = {name: getattr(travel, name) for name in ("norm", "speed", "straightness")}
    values["score"] = travel.norm**2 / (2 * travel.n_channels)
    if travel.divergence is not None:
        values["divergence"] = travel.divergence
    references = {"norm": (("noise", shell[0]),), "score": (("noise", 0.5),), "straightness": (("straight", 1.0),)}
    charts = [
        Chart(name, CHARTS[name][0], values[name].astype(np.float32), CHARTS[name][1], references.get(name, ()))
        for name in values
    ]
    return Field(
        t=travel.t,
        ids=np.arange(len(travel.positions)),
        views=tuple(views),
        colours=position_colours(travel.positions, travel),
        charts=tuple(charts),
        pictures=pictures,
        alt=f"Paths of {count_groups(travel.positions)}, moving from data at t = 0 to noise at t = 1",
    )


def map_field(travel: Travel, well_radius: np.ndarray | None, pictures: Pictures | None = None) -> Field:
    """The map of a travel's positions at start, middle and end on principal axes.

    well_radius: (S,) the normals' 99 % radius, None without normals; if given, one colour shows which
    positions escape.
    """
    times = np.unique([0, (len(travel.t) - 1) // 2, len(travel.t) - 1])  # a single step has no middle
    views = [replace(plane_view(travel), points=travel.plane[times])]
    return Field(
        t=travel.t[times],
        ids=np.arange(len(travel.positions)),
        views=tuple(views),
        colours=map_colours(travel, well_radius),
        pictures=pictures,
        alt=f"Map of {count_groups(travel.positions)}, at the start, the middle and the end of their paths",
    )


def radius_view(travel: Travel, shell: tuple[float, float, float]) -> View:
    """Distance from the origin and angle to the start, as plane coordinates: start on the right, origin at (0, 0),
    shell a circle.
    """
    cosine = np.clip(travel.alignment, -1, 1)
    points = travel.norm[..., None] * np.stack([cosine, np.sqrt(1 - cosine**2)], axis=-1)
    mean, low, high = shell
    guides = (
        Guide("x", (0.0,), ""),
        Guide("circle", (mean,), "noise shell √d (5 to 95\N{NBSP}%)"),
        Guide("circle", (low,), ""),
        Guide("circle", (high,), ""),
    )
    titles = ("toward its own start  |x| cos θ", "away from its start's direction  |x| sin θ")
    return View("radius", "Radius and angle", points.astype(np.float32), titles, RADIUS_NOTE, guides, equal=True)


def plane_view(travel: Travel) -> View:
    """The first two principal axes of normal features at t=0, each with its share of their variance."""
    first, second = travel.explained
    titles = (f"principal axis 1 ({percent(first)} of variance)", f"principal axis 2 ({percent(second)})")
    return View(
        "plane", "Principal axes", travel.plane, titles, PLANE_NOTE.format(share=percent(first + second)), equal=True
    )


def map_colours(travel: Travel, well_radius: np.ndarray | None) -> tuple[Colour, ...]:
    """What positions can be coloured by, with `escape` where well_radius (S,), the normals' 99 % radius, is given."""
    colours = list(position_colours(travel.positions, travel))
    if well_radius is not None:
        outside = (travel.norm[-1] > well_radius[-1]).astype(int)
        names = ("inside the well at t = 1", "escaped")
        colours.insert(1, Colour("escape", "Escape", "group", outside, names, (COLOURS["normal"], COLOURS["defect"])))
    return tuple(colours)


def position_colours(positions: PositionSet, travel: Travel | None = None) -> tuple[Colour, ...]:
    """What positions can be coloured by: group, map score, image, place in the image and, with a
    travel, its radii and escape.
    """
    groups = positions.groups
    colours = group_colours(groups)
    code = {name: i for i, name in enumerate(groups)}
    of = np.array([code[str(name)] for name in positions.group])
    found = [
        Colour(
            "group",
            "Defect type",
            "group",
            of,
            tuple(group_words(name) for name in groups),
            tuple(colours[name] for name in groups),
        ),
        Colour("score", "Score on the map", "value", positions.score),
    ]
    if travel is not None:
        found += [
            Colour("start", "Distance from the origin at t = 0", "value", travel.norm[0]),
            Colour("end", "Distance from the origin at t = 1", "value", travel.norm[-1]),
            Colour("deepest", "Smallest distance on the way", "value", travel.norm.min(0)),
            Colour("turn", "Cosine of end with start", "value", travel.alignment[-1]),
        ]
    found += [
        Colour("image", "Image (number in the run)", "value", positions.row.astype(np.float32)),
        Colour("row", "Row in the image", "value", positions.grid_row.astype(np.float32)),
        Colour("column", "Column in the image", "value", positions.grid_column.astype(np.float32)),
    ]
    return tuple(found)


def position_pictures(
    positions: PositionSet,
    shape: tuple[int, int],
    rows: list[int],
    names: list[str],
    images: list[str],
    maps: list[str],
) -> Pictures:
    """Pictures to hover over: rows (M,) of the score table in the order of names, images and maps (data URIs); shape
    of the grid.
    """
    index = {row: i for i, row in enumerate(rows)}
    height, width = shape
    place = np.stack([(positions.grid_column + 0.5) / width, (positions.grid_row + 0.5) / height], axis=1)
    of = np.array([index[int(row)] for row in positions.row])
    return Pictures(tuple(names), tuple(images), tuple(maps), of, place.astype(np.float32), (1 / width, 1 / height))


def count_groups(positions: PositionSet) -> str:
    """The positions in words, such as "60 positions (40 normal, 20 crack)"."""
    groups = ", ".join(
        f"{np.count_nonzero(positions.group == name):,} {group_words(name)}" for name in positions.groups
    )
    return f"{len(positions):,} position{'s' * (len(positions) != 1)} ({groups})"
