"""Heights and widths in pixels."""

Shape = tuple[int, int]
"""(height, width)."""


def shape_of(size: int | Shape) -> Shape:
    """(height, width) of a size: a number is the side of a square."""
    return (size, size) if isinstance(size, int) else size
