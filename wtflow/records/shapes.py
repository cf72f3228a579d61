"""Heights and widths in pixels."""

Shape = tuple[int, int]
"""(height, width)."""


def shape_of(size: int | Shape) -> Shape:
    """(height, width) of a size: a number is the side of a square."""
    return (size, size) if isinstance(size, int) else size


def at_once(most: int, side: int, shape: Shape) -> int:
    """How many images of this shape to hold at once: as many as have the pixels of `most` squares, at least one."""
    return max(1, most * side * side // (shape[0] * shape[1]))
