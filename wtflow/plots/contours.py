"""The border of a mask as closed lines, along the edges of its pixels."""

import numpy as np

Line = tuple[np.ndarray, np.ndarray]
"""x (n,) and y (n,) float64 in pixel edges: the pixel in row r, column c covers x from c to c
+ 1 and y from r to r + 1.
"""

EAST, SOUTH, WEST, NORTH = range(4)
STEP = {EAST: (1, 0), SOUTH: (0, 1), WEST: (-1, 0), NORTH: (0, -1)}


def outline(mask: np.ndarray) -> list[Line]:
    """Closed lines around the True pixels of a mask (H, W), clockwise; the last point repeats the first.

    Only corners are listed. Pixels that touch at a corner share one line (8-connected, as regions are in the metrics);
    a hole has its own line, counter-clockwise.
    """
    ahead = _headings(np.asarray(mask, dtype=bool))
    lines = []
    # Every loop has an edge that runs east, and the first one left in reading order starts at a corner of its loop.
    for start, headings in ahead.items():
        while EAST in headings:
            lines.append(_walk(ahead, start))
    return lines


def _headings(mask: np.ndarray) -> dict[tuple[int, int], set[int]]:
    """Corner (x, y) -> headings of the border edges that leave it, with the True pixel to their right;
    corners in reading order.
    """
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    borders = (
        (EAST, inside & ~padded[:-2, 1:-1], (0, 0)),  # above is False: from the pixel's left upper corner to the right
        (SOUTH, inside & ~padded[1:-1, 2:], (1, 0)),
        (WEST, inside & ~padded[2:, 1:-1], (1, 1)),
        (NORTH, inside & ~padded[1:-1, :-2], (0, 1)),
    )
    ahead: dict[tuple[int, int], set[int]] = {}
    for heading, border, (dx, dy) in borders:
        for row, column in np.argwhere(border).tolist():
            ahead.setdefault((column + dx, row + dy), set()).add(heading)
    return dict(sorted(ahead.items(), key=lambda item: item[0][::-1]))


def _walk(ahead: dict[tuple[int, int], set[int]], start: tuple[int, int]) -> Line:
    """Follow one loop from an edge that runs east, taking its edges out of `ahead`."""
    corners, corner, heading = [start], start, EAST
    while True:
        ahead[corner].remove(heading)
        corner = (corner[0] + STEP[heading][0], corner[1] + STEP[heading][1])
        left = (heading - 1) % 4
        if corner == start and left not in ahead[corner]:
            break
        # Two edges leave a corner where pixels touch diagonally; the left one goes on along the other pixel.
        turned = left if left in ahead[corner] else next(iter(ahead[corner]))
        if turned != heading:
            corners.append(corner)
        heading = turned
    x, y = np.array([*corners, start], dtype=float).T
    return x, y
