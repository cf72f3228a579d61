"""Positions shown among others that they are to be compared with, in grey. Shapes: N own positions, M others."""

from dataclasses import replace
from typing import Final

import numpy as np

from wtflow.numbers import count
from wtflow.plots.disc import disc_radius
from wtflow.plots.disc_views import Yardstick
from wtflow.plots.field import Colour, Pictures, Reading
from wtflow.plots.groups import UNMARKED_COLOUR, Shape, group_words
from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED, Travel

COMPARED: Final = "normal, to compare"
"""How the legend names the others."""


def with_others(colour: Colour, n_own: int) -> Colour:
    """The colour of own and other positions together, in which all but the first n_own are grey and lie below. Own ones
    outside the masks, grey elsewhere, are then those of the image that was chosen.
    """
    if colour.kind == "value":
        return replace(colour, values=np.where(np.arange(len(colour.values)) < n_own, colour.values, np.nan))
    values = np.where(np.arange(len(colour.values)) < n_own, colour.values, len(colour.names))
    used = [k for k in range(len(colour.names) + 1) if (values == k).any()]
    place = {k: i for i, k in enumerate(used)}
    names, colours = (*colour.names, COMPARED), (*colour.colours, UNMARKED_COLOUR)
    shapes: tuple[Shape, ...] = (*colour.shapes, "disc") if colour.shapes else ("disc",) * len(names)
    is_unmarked = [name == group_words(UNMARKED) for name in names]
    return replace(
        colour,
        values=np.array([place[int(k)] for k in values]),
        names=tuple(names[k] for k in used),
        colours=tuple(COLOURS["selected"] if is_unmarked[k] else colours[k] for k in used),
        shapes=tuple(shapes[k] for k in used),
        back=place[len(colour.names)],
    )


def pictures_of_own(pictures: Pictures, n_others: int) -> Pictures:
    """The pictures of own positions, when others without any follow."""
    of = np.concatenate([pictures.of, np.full(n_others, -1)])
    return replace(pictures, of=of, place=np.concatenate([pictures.place, np.zeros((n_others, 2), np.float32)]))


def own_readings(travel: Travel, yardstick: Yardstick) -> tuple[str, tuple[Reading, ...]]:
    """Title and numbers beside t for the positions of one image: how many of each kind are outside the well; for a
    single one how far out it is. Nothing without a well.
    """
    if yardstick.well_radius is None:
        return "", ()
    if len(travel.positions) == 1:
        special = {GOOD: COLOURS["normal"], UNMARKED: COLOURS["selected"]}
        colour = special.get(str(travel.positions.group[0]), COLOURS["defect"])
        ratio = disc_radius(travel.norm, yardstick.well_radius)[:, 0]
        return "from the origin", (Reading("the well's radius", ratio, "times", colour),)
    outside, group = travel.norm > yardstick.well_radius[:, None], travel.positions.group
    kinds = {
        "normal": (group == GOOD, COLOURS["normal"]),
        "defect": (~np.isin(group, (GOOD, UNMARKED)), COLOURS["defect"]),
        group_words(UNMARKED): (group == UNMARKED, COLOURS["selected"]),
    }
    own = {kind: (chosen, colour) for kind, (chosen, colour) in kinds.items() if chosen.any()}
    return "outside the well", tuple(
        Reading(f"of {_counted(int(chosen.sum()), kind)}", outside[:, chosen].mean(1), "share", colour)
        for kind, (chosen, colour) in own.items()
    )


def _counted(n: int, kind: str) -> str:
    if kind == group_words(UNMARKED):
        return f"{count(n, 'position')} {kind}"
    return count(n, f"{kind} position")
