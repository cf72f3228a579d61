"""The setting `tile`: off, side, or a number of pixels."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

SMALLEST_TILE = 16
"""Pixels along a side; smaller ones show nothing but noise."""


def read_tile(value: Any) -> Any:
    """The setting from a person's text or a number. Raises ValueError for anything else."""
    if value in ("off", "side"):
        return value
    try:
        number = 0 if isinstance(value, bool) else int(value)
    except (TypeError, ValueError):
        number = 0
    if number < SMALLEST_TILE:
        raise ValueError(f"expected off, side, or a number of pixels, {SMALLEST_TILE} or more")
    return number


Tile = Annotated[Literal["off", "side"] | int, BeforeValidator(read_tile)]
"""off: images are resized whole. Otherwise the side of the squares that they are cut into, in their own pixels; side:
as long as their shorter side.
"""
