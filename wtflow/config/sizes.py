"""The setting `smaller_sizes`: at which sizes below image_size an image is seen as well."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

SMALLEST, MOST = 32, 3


def read_sizes(value: Any) -> Any:
    """Accept "256,128", 256 and the empty text as well as (256, 128)."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return (value,) if isinstance(value, int) else value


def in_order(value: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes, falling. Raises ValueError for too many, one twice, or one that is too small."""
    if len(value) > MOST or len(set(value)) != len(value) or any(size < SMALLEST for size in value):
        raise ValueError(f"expected up to {MOST} different sizes of {SMALLEST} pixels or more, such as 256")
    return tuple(sorted(value, reverse=True))


SmallerSizes = Annotated[tuple[int, ...], BeforeValidator(read_sizes), AfterValidator(in_order)]
"""In pixels, falling."""
