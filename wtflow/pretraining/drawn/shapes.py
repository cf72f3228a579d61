"""Outlines and bodies of drawn things. Each gives a signed distance, about in pixels and above 0 inside, and a height.

A shape is computed on a plane whose origin is its centre; `radius` is half its size in pixels.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from wtflow.pretraining.drawn.fields import Plane


class Shape(NamedTuple):
    """inside: signed distance (S, S), above 0 inside; height:
    relief of the body (S, S) in pixels, valid inside only.
    """

    inside: np.ndarray
    height: np.ndarray


def blob(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """A closed line about the centre: circles, ellipses, flowers, gears, stars, pebbles."""
    squeeze = np.float32(rng.choice([1.0, rng.uniform(0.3, 1)]))
    u, v = plane.u, plane.v / squeeze
    angle, distance = np.arctan2(v, u), np.hypot(u, v)
    edge = np.full_like(angle, 1.0)
    kind = rng.integers(4)
    if kind == 1:  # a pebble
        for k in range(2, 8):
            edge += np.float32(rng.normal(0, 0.35) / k) * np.cos(k * angle + np.float32(rng.uniform(0, 6.3)))
    elif kind == 2:  # teeth or petals
        wave = np.cos(rng.integers(3, 24) * angle)
        edge += np.float32(rng.uniform(0.03, 0.3)) * np.clip(wave * np.float32(rng.choice([1.0, 4.0])), -1, 1)
    elif kind == 3:  # a regular polygon
        n = int(rng.integers(3, 9))
        edge = np.float32(np.cos(np.pi / n)) / np.cos(np.mod(angle, 2 * np.pi / n) - np.float32(np.pi / n))
    inside = (np.clip(edge, 0.2, 2) * np.float32(radius) - distance) * squeeze
    return Shape(inside, _body(rng, inside, radius))


def plate(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """A rectangle with sharp, round or cut corners, sometimes with holes."""
    half = np.array([radius, radius * rng.choice([1.0, rng.uniform(0.1, 1)])], dtype=np.float32)
    corner = np.float32(rng.choice([0.0, rng.uniform(0, 1)]) * half.min())
    x, y = np.abs(plane.u) - half[0] + corner, np.abs(plane.v) - half[1] + corner
    outer = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) if rng.random() < 0.7 else np.maximum(x, 0) + np.maximum(y, 0)
    inside = corner - outer - np.minimum(np.maximum(x, y), 0)
    if rng.random() < 0.4:  # holes where the corners, or the middle, are
        place = half * np.float32(rng.choice([0.0, rng.uniform(0.5, 0.8)]))
        hole = np.hypot(np.abs(plane.u) - place[0], np.abs(plane.v) - place[1]) - np.float32(
            half.min() * rng.uniform(0.08, 0.3)
        )
        inside = np.minimum(inside, hole)
    return Shape(inside, _body(rng, inside, radius))


def polygon(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """A convex polygon of three to six sides, sometimes open on one: shards, wedges, arrows."""
    n = int(rng.integers(3, 7))
    inside = np.full_like(plane.u, np.inf)
    for angle in np.sort(rng.uniform(0, 2 * np.pi / n, n) + np.arange(n) * 2 * np.pi / n):
        inside = np.minimum(
            inside,
            np.float32(radius * rng.uniform(0.4, 1))
            - plane.u * np.float32(np.cos(angle))
            - plane.v * np.float32(np.sin(angle)),
        )
    return Shape(inside, _body(rng, inside, radius))


def ring(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """Washers, tyres, rims, arcs."""
    middle, thick = radius * rng.uniform(0.4, 0.9), radius * rng.uniform(0.04, 0.3)
    distance = np.hypot(plane.u, plane.v)
    inside = np.float32(thick) - np.abs(distance - np.float32(middle))
    if rng.random() < 0.3:
        inside = np.minimum(inside, plane.v + np.float32(radius * rng.uniform(-0.5, 0.5)))
    return Shape(
        inside, np.sqrt(np.maximum(thick**2 - (distance - np.float32(middle)) ** 2, 0)) * np.float32(rng.uniform(0, 1))
    )


def turned_part(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """What a lathe makes, seen from the side: a radius that changes along the axis in steps and
    tapers, parts of it ribbed.
    """
    n = int(rng.integers(2, 7))
    at = np.concatenate([[-1.0], np.sort(rng.uniform(-0.9, 0.9, n - 1)), [1.0]]) * radius
    wide = radius * rng.uniform(0.08, 0.5)
    knots, radii = [], []
    for left, right in zip(
        at[:-1], at[1:], strict=True
    ):  # each part straight, tapered or pointed, with a step to the next
        begin = wide * rng.uniform(0.3, 1)
        knots += [left + 0.3, right - 0.3]
        radii += [begin, begin * rng.choice([1.0, rng.uniform(0.2, 1.4)])]
    profile = np.interp(plane.u, knots, radii, left=-1.0, right=-1.0).astype(np.float32)
    profile[(plane.u < -radius) | (plane.u > radius)] = -5
    ribbed = int(rng.integers(n))
    if rng.random() < 0.7:
        phase = (plane.u + np.float32(rng.uniform(-0.5, 0.5)) * plane.v) * np.float32(2 * np.pi / rng.uniform(3, 14))
        is_here = (plane.u > at[ribbed]) & (plane.u < at[ribbed + 1])
        profile = np.where(
            is_here, profile * (1 - np.float32(rng.uniform(0.05, 0.3)) * (0.5 + 0.5 * np.sin(phase))), profile
        )
    return Shape(profile - np.abs(plane.v), np.sqrt(np.maximum(profile**2 - plane.v**2, 0)))


def turned_face(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    """What a lathe makes, seen along the axis: rings of different heights, a hole, a slot or sockets around it."""
    distance = np.hypot(plane.u, plane.v)
    knots = np.sort(rng.uniform(0, radius, int(rng.integers(2, 8))))
    height = np.interp(
        distance,
        np.repeat(knots, 2) + np.tile([-1.0, 1.0], len(knots)),
        np.repeat(rng.uniform(0, 12, len(knots) + 1), 2)[1:-1],
    )
    inside = np.float32(radius) - distance
    if rng.random() < 0.5:
        inside = np.minimum(inside, distance - np.float32(radius * rng.uniform(0.05, 0.5)))
    if rng.random() < 0.5:
        n, place = int(rng.integers(2, 9)), radius * rng.uniform(0.4, 0.8)
        angle = np.mod(np.arctan2(plane.v, plane.u), 2 * np.pi / n) - np.float32(np.pi / n)
        hole = np.hypot(distance * np.cos(angle) - np.float32(place), distance * np.sin(angle)) - np.float32(
            radius * rng.uniform(0.04, 0.15)
        )
        height = np.where(hole < 0, height - 8, height)
    return Shape(inside, height.astype(np.float32))


SHAPES: tuple[Callable[[np.random.Generator, Plane, float], Shape], ...] = (
    blob,
    plate,
    polygon,
    ring,
    turned_part,
    turned_face,
)


def random_shape(rng: np.random.Generator, plane: Plane, radius: float) -> Shape:
    return SHAPES[rng.integers(len(SHAPES))](rng, plane, radius)


def _body(rng: np.random.Generator, inside: np.ndarray, radius: float) -> np.ndarray:
    """The height of a body with this outline: flat with a bevelled edge, or round like a pillow."""
    if rng.random() < 0.5:
        return np.clip(inside, 0, np.float32(rng.uniform(0.5, 6))) * np.float32(rng.uniform(-0.5, 1.5))
    return np.sqrt(np.clip(inside, 0, None) * np.float32(radius)) * np.float32(rng.uniform(0.2, 1.2))
