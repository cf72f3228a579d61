"""The setting `stages`: which stages or blocks of the backbone are read, and how large their cells are."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

STAGES_MEANING = (
    "Stages or blocks to read, by number or timm's name, counted from 0. In resnet18 2 has cells of 8 px, 3 of 16 px;"
    " of a transformer's 12 blocks 2,5,8,11 are spread over the depth."
)
FILLED_IN = "cells"
"""The one setting that no person gives."""
CELLS_MEANING = (
    "Pixels of the image from one position of each stage to the next, as the model tells. The app fills it in; empty:"
    " 2, 4, 8 and so on, by the stage's number."
)
FINEST_MEANING = (
    "Stages with smaller cells than 2, 4, 8, 16 px (for 0, 1, 2, 3) are averaged down to the grid of the next that is"
    " read."
)

LAST_STAGE = 63
"""The deepest transformers of timm have 48 blocks."""
MOST_STAGES = 16

Stage = int | str
"""A stage by its number, counted from 0, or by the name that timm has for it."""
_NAME = re.compile(r"[A-Za-z_][\w.]*")


def read_stages(value: Any) -> Any:
    """Accept "2,3", "layer2,layer3" and 3 as well as (2, 3)."""
    parts = value.split(",") if isinstance(value, str) else [value] if isinstance(value, int) else value
    if not isinstance(parts, list | tuple):
        return value
    texts = [part.strip() if isinstance(part, str) else part for part in parts]
    return tuple(int(text) if isinstance(text, str) and text.isdigit() else text for text in texts if text != "")


def in_order(value: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages; numbers rise. Raises ValueError for none, too many, or one twice."""
    is_sound = all(_NAME.fullmatch(one) if isinstance(one, str) else 0 <= one <= LAST_STAGE for one in value)
    if not 0 < len(value) <= MOST_STAGES or not is_sound or len(set(value)) != len(value):
        raise ValueError(
            f"expected one to {MOST_STAGES} different stages, numbers from 0 to {LAST_STAGE} or names, such as 2,3 or"
            " blocks.8"
        )
    return tuple(sorted(one for one in value if isinstance(one, int))) + tuple(
        one for one in value if isinstance(one, str)
    )


Stages = Annotated[tuple[Stage, ...], BeforeValidator(read_stages), AfterValidator(in_order)]
"""Numbers rise; names follow them as they were given, until the model has told their numbers."""


def usual_cells(numbers: Sequence[int]) -> tuple[int, ...]:
    """Pixels of the image from one position of a stage to the next, where each stage halves the grid of the one before
    and the first has half of the image's.
    """
    return tuple(2 ** (number + 1) for number in numbers)
