"""The setting `stages`: which stages of the backbone are read."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def read_stages(value: Any) -> Any:
    """Accept "2,3" and 3 as well as (2, 3)."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, int) else value


def in_order(value: tuple[int, ...]) -> tuple[int, ...]:
    """The stages, rising. Raises ValueError for none, too many, or one twice."""
    if not value or any(s < 0 or s > 7 for s in value) or len(set(value)) != len(value):
        raise ValueError("expected one to eight different stages between 0 and 7, such as 2,3")
    return tuple(sorted(value))


Stages = Annotated[tuple[int, ...], BeforeValidator(read_stages), AfterValidator(in_order)]
"""Counted from 0, rising."""
