"""Colours and words of position groups: normal, each defect type, and what no mask covers."""

from collections.abc import Sequence
from typing import Final, Literal

from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED

Shape = Literal["disc", "triangle", "square", "diamond", "cross", "wedge"]
"""How a dot is drawn; a wedge is a triangle that stands on its tip."""

DEFECT_COLOURS: Final = (COLOURS["defect"], "#9317E5", "#4FA629", "#E50073", "#99503D", "#FF19D1")
"""Far apart from each other and from every colour with another meaning, and readable on both grounds (tests measure
it). For red-green blind eyes some come nearer: `DEFECT_SHAPES` tell them apart. Beyond six types they are used again.
"""

DEFECT_SHAPES: Final[tuple[Shape, ...]] = ("triangle", "square", "diamond", "cross", "wedge")
"""One per type in turn, five against six colours: only every 30th type looks like another. Normals are discs."""

UNMARKED_COLOUR: Final = "#868E9E"


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """Group -> colour, in the order given. A type keeps its colour as long as the other types present stay the same."""
    defects = [name for name in groups if name not in (GOOD, UNMARKED)]
    fixed = {GOOD: COLOURS["normal"], UNMARKED: UNMARKED_COLOUR}
    return {name: fixed.get(name) or DEFECT_COLOURS[defects.index(name) % len(DEFECT_COLOURS)] for name in groups}


def group_shapes(groups: Sequence[str]) -> dict[str, Shape]:
    """Group -> shape of its dots, in the order given: discs but for defects."""
    defects = [name for name in groups if name not in (GOOD, UNMARKED)]
    return {
        name: DEFECT_SHAPES[defects.index(name) % len(DEFECT_SHAPES)] if name in defects else "disc" for name in groups
    }


def group_words(group: str) -> str:
    """A group's name in figures and on pages."""
    return {GOOD: "normal", UNMARKED: "outside the masks"}.get(group, group)
