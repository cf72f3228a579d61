"""Shapes that defects are made of: strokes that wander, and blobs with an uneven edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from wtflow.datasets.demo.scene import FINE, SIDE, SIZE_PX, smooth_noise

FAR = 1e6


@dataclass(frozen=True)
class Flaw:
    """A defect to draw: its type, how obvious it is from 1 (at a glance) to 0 (hard to see), and the seed of its
    place and shape.
    """

    kind: str
    severity: float
    seed: tuple[int, ...]

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def grade(self, hard: float, easy: float) -> float:
        """A value between the one of the hardest and the one of the most obvious defect."""
        return hard + self.severity * (easy - hard)


class Stroke(NamedTuple):
    """A line in the image. All (SIDE, SIDE) float32; beyond the reach given to `stroke`, `distance` is FAR."""

    distance: np.ndarray
    """Pixels to the line."""
    along: np.ndarray
    """0 at its start, 1 at its end."""
    side_x: np.ndarray
    side_y: np.ndarray
    """Unit vector away from the line."""


def wander(rng: np.random.Generator, heading: float, length: float, curl: float, bend: float = 0.0) -> np.ndarray:
    """Points (n, 2) of a smooth line from the origin; its heading strays at random by `curl` and turns by `bend`
    radians in all.
    """
    n = max(4, int(length / 2))
    knots = rng.standard_normal(max(3, int(length / 16) + 2)) * curl
    strays = ndimage.zoom(knots, (n + 2) / len(knots), order=3)[:n]
    headings = heading + strays + np.linspace(0, bend, n)
    steps = np.stack([np.cos(headings), np.sin(headings)], axis=1) * (length / n)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def centred(points: np.ndarray, x: float, y: float) -> np.ndarray:
    """The same line moved so that the middle of its extent is at (x, y)."""
    return points - (points.min(axis=0) + points.max(axis=0)) / 2 + (x, y)


def stroke(lines: Sequence[np.ndarray], reach: float) -> Stroke:
    """Distances to the nearest of some `lines`, each (n, 2) in image pixels, up to `reach`."""
    distance = np.full((SIDE, SIDE), FAR, np.float32)
    along, side_x, side_y = (np.zeros((SIDE, SIDE), np.float32) for _ in range(3))
    for line in lines:
        n = len(line) - 1
        for i in range(n):
            (ax, ay), (bx, by) = line[i], line[i + 1]
            rows, columns = _span(min(ay, by), max(ay, by), reach), _span(min(ax, bx), max(ax, bx), reach)
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            y, x = _coordinates(rows)[:, None] - np.float32(ay), _coordinates(columns)[None, :] - np.float32(ax)
            dx, dy = np.float32(bx - ax), np.float32(by - ay)
            t = np.clip((x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
            off_x, off_y = x - t * dx, y - t * dy
            d = np.sqrt(off_x * off_x + off_y * off_y)
            near = (d < distance[rows, columns]) & (d < reach)
            scale = 1 / np.maximum(d, 1e-4)
            for target, value in (
                (distance, d),
                (along, (i + t) / n),
                (side_x, off_x * scale),
                (side_y, off_y * scale),
            ):
                target[rows, columns][near] = value[near]
    return Stroke(distance, along, side_x, side_y)


def window(x: float, y: float, reach: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """The part of the drawing grid within `reach` of a point:
    its slices, and x (1, n) and y (m, 1) counted from the point.
    """
    rows, columns = _span(y, y, reach), _span(x, x, reach)
    return (rows, columns), _coordinates(columns)[None, :] - np.float32(x), _coordinates(rows)[:, None] - np.float32(y)


def blob(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, centre: tuple[float, float], radius: float, uneven: float
) -> np.ndarray:
    """Depth below the edge of an irregular patch in pixels (SIDE, SIDE): positive inside, negative outside."""
    stretch, angle = rng.uniform(1.0, 1.5), rng.uniform(0, np.pi)
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    distance = np.sqrt(((cos * dx + sin * dy) / stretch) ** 2 + ((cos * dy - sin * dx) ** 2) * stretch)
    edge = smooth_noise(rng, max(6.0, radius * 0.8)) + 0.5 * smooth_noise(rng, max(3.0, radius * 0.3))
    return radius * (1 + uneven * edge) - distance


def _span(low: float, high: float, reach: float) -> slice:
    """The drawing points within `reach` of [low, high], as far as they are in the picture."""
    first = int(np.floor((low - reach + SIZE_PX / 2) * FINE))
    last = int(np.ceil((high + reach + SIZE_PX / 2) * FINE)) + 1
    return slice(min(SIDE, max(0, first)), min(SIDE, max(0, last)))


def _coordinates(points: slice) -> np.ndarray:
    return ((np.arange(points.start, points.stop) + 0.5) / FINE - SIZE_PX / 2).astype(np.float32)
