"""Paths of a run's features as a particle field: views, colours by meaning, charts over time.

Shapes: S saved times, N positions.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from wtflow.errors import FlowError
from wtflow.numbers import count
from wtflow.plots.among import own_readings, pictures_of_own, with_others
from wtflow.plots.disc_views import Yardstick, disc_view, end_angles, radius_view, scales_of, turn_of
from wtflow.plots.field import Chart, Colour, Field, Pictures, Polar, Reading, View
from wtflow.plots.groups import DEFECT_SHAPES, group_colours, group_shapes, group_words
from wtflow.plots.plane_views import plane_views
from wtflow.plots.straight import straight_views
from wtflow.plots.theme import COLOURS
from wtflow.records.flow import PositionSet, StraightLines, Travel, at_times, joined
from wtflow.records.spacing import spaced

OUTSIDE: Final = "outside the well"
"""What the shares beside t are shares of."""

MOST_PLACES: Final = 400_000
"""Places (times x positions) that a map sends to the browser: of more positions, fewer of the saved times."""

CHARTS: Final = {
    "norm": ("Distance from the origin", "|x|"),
    "speed": ("Speed", "|v|"),
    "straightness": ("Along its own straight line", "cosine"),
    "score": ("Score if it ended here", "½ mean square"),
    "divergence": ("Divergence (estimate)", "div v"),
}
"""Key -> label and axis title of the charts over time."""


def travel_field(
    travel: Travel,
    yardstick: Yardstick,
    pictures: Pictures | None = None,
    umap_end: np.ndarray | None = None,
    among: Travel | None = None,
    straight: StraightLines | None = None,
) -> Field:
    """The field of a travel. umap_end: (N, 2) a UMAP of the same positions at t = 1, which then gives the angles;
    among: other positions, which then follow in grey, and the travel's image stands beside; straight: lines to noise of
    all positions shown.

    Raises FlowError if the UMAP shows other positions.
    """
    n_own, whole = len(travel.positions), travel if among is None else joined(travel, among)
    colours = position_colours(whole.positions, whole, yardstick.well_radius)
    title, readings = OUTSIDE, share_readings(yardstick)
    if among is not None:
        colours = tuple(with_others(colour, n_own) for colour in colours)
        pictures = pictures and pictures_of_own(pictures, len(among.positions))
        title, readings = own_readings(travel, yardstick)
    views = exact_views(whole, yardstick, umap_end)
    others = "" if among is None else f", among {count(len(among.positions), 'normal position')} in grey"
    return Field(
        t=whole.t,
        ids=np.arange(len(whole.positions)),
        views=(*views, *plane_views(whole)),
        colours=colours,
        charts=path_charts(whole, yardstick),
        pictures=pictures,
        alt=f"Paths of {count_groups(travel.positions)}, moving from data at t = 0 to noise at t = 1{others}",
        readings_title=title,
        readings=readings,
        lines=None
        if straight is None
        else straight_views(whole, yardstick, straight, end_angles(whole, umap_end), n_own),
        portrait=0 if among is not None and pictures else None,
    )


def path_charts(travel: Travel, yardstick: Yardstick) -> tuple[Chart, ...]:
    """What is drawn against t next to the paths."""
    values = {name: getattr(travel, name) for name in ("norm", "speed", "straightness")}
    values["score"] = travel.norm**2 / (2 * travel.n_channels)
    if travel.divergence is not None:
        values["divergence"] = travel.divergence
    noise = yardstick.shell[0]
    references = {"norm": (("noise", noise),), "score": (("noise", 0.5),), "straightness": (("straight", 1.0),)}
    return tuple(
        Chart(name, CHARTS[name][0], values[name].astype(np.float32), CHARTS[name][1], references.get(name, ()))
        for name in values
    )


def map_field(
    travel: Travel,
    yardstick: Yardstick,
    pictures: Pictures | None = None,
    umap_end: np.ndarray | None = None,
) -> Field:
    """The map of a travel's positions: the well as a disc, and principal axes. umap_end as in `travel_field`.

    Raises FlowError if the UMAP shows other positions.
    """
    times = spaced(len(travel.t), max(2, MOST_PLACES // max(1, len(travel.positions))))
    shown, short = at_times(travel, times), None if yardstick.well_radius is None else yardstick.well_radius[times]
    cut = replace(yardstick, well_radius=short, shares={name: v[times] for name, v in yardstick.shares.items()})
    views = [view for view in exact_views(shown, cut, umap_end) if view.family == "disc"]
    return Field(
        t=shown.t,
        ids=np.arange(len(travel.positions)),
        views=(*views, *plane_views(shown)),
        colours=position_colours(travel.positions, travel, yardstick.well_radius),
        pictures=pictures,
        alt=f"Map of {count_groups(travel.positions)} around the well, from data at t = 0 to noise at t = 1",
        readings_title=OUTSIDE,
        readings=share_readings(cut),
    )


def exact_views(travel: Travel, yardstick: Yardstick, umap_end: np.ndarray | None = None) -> list[View]:
    """The disc, then radius and angle, each in every scale; views in the same scale share their radii."""
    if umap_end is not None and umap_end.shape != (len(travel.positions), 2):
        raise FlowError(
            f"The UMAP shows {len(umap_end)} positions; the paths are of {len(travel.positions)}.",
            fix="Compute the UMAP of these paths.",
        )
    angles, turn = end_angles(travel, umap_end), turn_of(travel.alignment)
    scales = [(drawn, drawn.radius(travel.norm)) for drawn in scales_of(travel, yardstick)]
    discs = [disc_view(drawn, Polar(radius, angles), umap_end is not None) for drawn, radius in scales]
    return [*discs, *(radius_view(drawn, Polar(radius, turn)) for drawn, radius in scales)]


def share_readings(yardstick: Yardstick) -> tuple[Reading, ...]:
    """The shares outside the well, of how many."""
    return tuple(
        Reading(f"of {count(yardstick.counts[kind], f'{kind} position')}", shares, "share", COLOURS[kind])
        for kind, shares in yardstick.shares.items()
    )


def position_colours(
    positions: PositionSet, travel: Travel | None = None, well_radius: np.ndarray | None = None
) -> tuple[Colour, ...]:
    """What positions can be coloured by: group, map score, image, place in the image and, with a
    travel, its radii, and escape if the normals' radius (S,) is known.
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
            tuple(group_shapes(groups).values()),
        ),
        Colour("score", "Score on the map", "value", positions.score),
    ]
    if travel is not None:
        if well_radius is not None:
            outside = (travel.norm[-1] > well_radius[-1]).astype(int)
            names = ("inside the well at t = 1", "escaped")
            look = (COLOURS["normal"], COLOURS["defect"]), ("disc", DEFECT_SHAPES[0])
            found.insert(1, Colour("escape", "Escape", "group", outside, names, *look))
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
