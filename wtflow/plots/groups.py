"""Colours and words of position groups: normal, each defect type, and what no mask covers."""

from collections.abc import Sequence
from typing import Final

from wtflow.plots.theme import COLOURS
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED

DEFECT_COLOURS: Final = (COLOURS["defect"], "#7F0DF2", "#E0B285", "#8A4266", "#F2A60D", "#8A4E42")
"""Far apart from each other, from `normal` and from grey, also for red-green blind eyes (a test measures it); no blue,
which means normal. Beyond six types they are used again.
"""

UNMARKED_COLOUR: Final = "#8F97A6"


def group_colours(groups: Sequence[str]) -> dict[str, str]:
    """Group -> colour, in the order given. A type keeps its colour as long as the other types present stay the same."""
    defects = [name for name in groups if name not in (GOOD, UNMARKED)]
    fixed = {GOOD: COLOURS["normal"], UNMARKED: UNMARKED_COLOUR}
    return {name: fixed.get(name) or DEFECT_COLOURS[defects.index(name) % len(DEFECT_COLOURS)] for name in groups}


def group_words(group: str) -> str:
    """A group's name in figures and on pages."""
    return {GOOD: "normal", UNMARKED: "outside the masks"}.get(group, group)
