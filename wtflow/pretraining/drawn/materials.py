"""Surfaces of drawn images: each function gives the relief of one kind of material, float32 (S, S) in [0, 1].

The names are what the pattern resembles. All parameters are drawn from `rng`, over ranges as wide as the picture can
show.
"""

from collections.abc import Callable

import numpy as np

from wtflow.pretraining.drawn.fields import Plane, cells, noise, random_plane, smooth, step, streaks, turned, unit
from wtflow.pretraining.drawn.lines import draw_fibres, draw_tracks, draw_writing


def clouds(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    return unit(
        noise(
            rng,
            plane.size,
            rng.uniform(0.2, 2.5),
            stretch=rng.choice([1.0, rng.uniform(1, 4)]),
            angle=rng.uniform(0, np.pi),
        )
    )


def grain(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Spots of one size, soft or sharp: granite, cork, sponge."""
    scale = np.exp(rng.uniform(np.log(0.03), np.log(0.6)))
    field = noise(rng, plane.size, 0.0, scale * 0.6, min(1.0, scale * 1.6))
    return step(field, rng.uniform(-1, 1.5), rng.uniform(0.1, 3)) if rng.random() < 0.6 else unit(field)


def brushed(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Fine lines in one direction: ground metal, hair, wood."""
    field = noise(rng, plane.size, rng.uniform(0, 1), stretch=rng.uniform(6, 60), angle=rng.uniform(0, np.pi))
    return unit(field + rng.uniform(0, 1) * streaks(rng, plane.u, rng.uniform(0, 1)))


def lines(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Irregular parallel lines that go through the whole picture: rolled sheet, bar codes."""
    field = streaks(rng, plane.u * np.float32(rng.uniform(0.3, 2)), rng.uniform(0, 1.5))
    return (
        step(field, rng.uniform(-0.5, 0.5), 0.1)
        if rng.random() < 0.3
        else unit(field + rng.uniform(0, 0.5) * noise(rng, plane.size, 0.5))
    )


def grating(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    return _wave(rng, plane.u / _period(rng))


def checks(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Two gratings at an angle: grids, nets, checker boards, knurled metal."""
    other = turned(plane, rng.choice([np.pi / 2, np.pi / 3, rng.uniform(0.2, np.pi - 0.2)]))
    period = _period(rng)
    a, b = _wave(rng, plane.u / period), _wave(rng, other.u / (period * rng.choice([1.0, rng.uniform(0.4, 2.5)])))
    kind = rng.integers(5)
    return (a * b, np.maximum(a, b), np.abs(a - b), (a + b) / 2, np.minimum(a, b))[kind]


def woven(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Threads over and under each other: plain weave, twill, satin, basket."""
    period = _period(rng, 4, 24)
    u, v = plane.u / period, plane.v / (period * rng.uniform(0.6, 1.6))
    i, j = np.floor(u), np.floor(v)
    n, shift = rng.integers(2, 6), rng.integers(1, 3)
    is_warp = np.mod(i + shift * j, n) < rng.integers(1, n)
    round_u, round_v = 1 - np.abs(2 * (u - i) - 1) ** 2, 1 - np.abs(2 * (v - j) - 1) ** 2
    strand = _wave(rng, (u + v) * rng.uniform(2, 5)) * rng.uniform(0, 0.3)
    tone = rng.uniform(0, 0.6)
    return np.clip(
        np.where(is_warp, round_u * (0.7 + 0.3 * round_v), (1 - tone) * round_v * (0.7 + 0.3 * round_u)) - strand, 0, 1
    ).astype(np.float32)


def mosaic(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Cells: stones, scales, leather, foam, crackle, pavement."""
    near, border, own = cells(
        rng, plane, np.exp(rng.uniform(np.log(5), np.log(70))), rng.choice([1.0, rng.uniform(0, 1)])
    )
    kind = rng.integers(5)
    return (
        np.clip(near, 0, 1),
        1 - np.clip(near, 0, 1) ** 2,
        step(border, rng.uniform(0.03, 0.2), rng.uniform(0.03, 0.2)),
        own,
        np.clip(step(border, rng.uniform(0.02, 0.15), 0.08) * (0.5 + 0.5 * own), 0, 1),
    )[kind]


def rings(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Circles about a point, round or drawn out: turned metal, growth rings, ripples."""
    radius = np.hypot(plane.u, plane.v * np.float32(rng.choice([1.0, rng.uniform(0.05, 1)])))
    if rng.random() < 0.4:
        return unit(streaks(rng, radius, rng.uniform(0, 1)))
    period = _period(rng)
    return _wave(
        rng,
        (radius + rng.choice([0.0, rng.uniform(0, 2)]) * period * smooth(rng, plane.size, rng.uniform(20, 200)))
        / period,
    )


def veins(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """A wave that noise has bent: marble, agate, sand, zebra."""
    period = _period(rng, 8, 100)
    return _wave(rng, plane.u / period + rng.uniform(0.3, 2.5) * noise(rng, plane.size, rng.uniform(1.2, 2.5)))


def patches(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Areas with ragged or smooth borders: rust, camouflage, islands, flaked paint."""
    field = noise(rng, plane.size, rng.uniform(0.8, 2.2))
    if rng.random() < 0.3:
        field = np.abs(field)
    n = rng.integers(1, 4)
    layers = sum(step(field, edge, rng.uniform(0.02, 0.4)) for edge in np.sort(rng.uniform(-1, 1.2, n)))
    return np.asarray(layers / np.float32(n))


def dots(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Spots on a lattice, all alike or each of a different size, some of them missing:
    perforated sheet, halftone, studs.
    """
    period = _period(rng, 6, 50)
    v = plane.v / np.float32(period * 0.866)
    row = np.floor(v)
    u = plane.u / np.float32(period) + (0.5 * np.mod(row, 2) if rng.random() < 0.5 else 0)
    column = np.floor(u)
    own = rng.random((64, 64), dtype=np.float32)[row.astype(np.int32) & 63, column.astype(np.int32) & 63]
    size = rng.uniform(0.15, 0.45) * (1 - rng.choice([0.0, rng.uniform(0, 1)]) * own)
    radius = np.hypot(u - column - 0.5, (v - row - 0.5) * 0.866)
    return step(size - radius, 0.0, rng.uniform(0.05, 0.4))


def bricks(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Blocks in rows: masonry, tiles, parquet, chain mail, keys."""
    high = _period(rng, 8, 60)
    wide = high * rng.uniform(0.7, 4)
    v = plane.v / high
    row = np.floor(v)
    u = plane.u / wide + rng.choice([0.0, 0.5, rng.uniform(0, 1)]) * row
    column = np.floor(u)
    own = rng.random((64, 64), dtype=np.float32)[row.astype(np.int32) & 63, column.astype(np.int32) & 63]
    edge = np.minimum((0.5 - np.abs(u - column - 0.5)) * wide, (0.5 - np.abs(v - row - 0.5)) * high)
    return step(edge, rng.uniform(0.5, 3), rng.uniform(1, 6)) * (1 - rng.uniform(0, 0.8) * own)


def scales(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    """Rows of slanted teeth: screw threads, roof tiles, zips, corrugation."""
    period = _period(rng, 6, 40)
    bend = _wave(rng, plane.v / (period * rng.uniform(1, 6)))
    return _wave(rng, plane.u / period + rng.uniform(-1, 1) * bend) * (0.6 + 0.4 * bend)


def fibres(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    return draw_fibres(rng, plane.size)


def tracks(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    return draw_tracks(rng, plane.size)


def writing(rng: np.random.Generator, plane: Plane) -> np.ndarray:
    return draw_writing(rng, plane.size)


MATERIALS: tuple[Callable[[np.random.Generator, Plane], np.ndarray], ...] = (
    clouds,
    grain,
    brushed,
    lines,
    grating,
    checks,
    woven,
    mosaic,
    rings,
    veins,
    patches,
    dots,
    bricks,
    scales,
    fibres,
    tracks,
    writing,
)


def random_material(rng: np.random.Generator, size: int) -> np.ndarray:
    """The relief of a material, or of two in one, float32 (S, S) in [0, 1]."""
    relief = _one(rng, size)
    if rng.random() < 0.4:
        other = _one(rng, size)
        kind, share = rng.integers(4), np.float32(rng.uniform(0.1, 0.6))
        if kind == 0:
            relief = relief + share * (other - relief)
        elif kind == 1:
            relief = relief * (1 - share * other)
        elif kind == 2:
            relief = np.where(other > 0.5, relief, 1 - relief)
        else:
            relief = np.maximum(relief, other * share * 1.5)
    return np.clip(relief, 0, 1).astype(np.float32)


def _one(rng: np.random.Generator, size: int) -> np.ndarray:
    return MATERIALS[rng.integers(len(MATERIALS))](rng, random_plane(rng, size))


def _period(rng: np.random.Generator, low: float = 3.0, high: float = 70.0) -> np.float32:
    """A length in pixels; each octave is as likely as the next."""
    return np.float32(np.exp(rng.uniform(np.log(low), np.log(high))))


def _wave(rng: np.random.Generator, phase: np.ndarray) -> np.ndarray:
    """A periodic profile of period 1 in [0, 1]: sine, triangle, saw, soft square, ridges or narrow lines."""
    t = phase - np.floor(phase)
    kind = rng.integers(6)
    if kind == 0:
        return 0.5 + 0.5 * np.sin(2 * np.pi * t, dtype=np.float32)
    if kind == 1:
        return 1 - np.abs(2 * t - 1)
    if kind == 2:
        return np.minimum(t / np.float32(0.9), (1 - t) * 10)  # the drop takes a tenth, so that it is not jagged
    if kind == 3:
        return step(0.5 - np.abs(t - np.float32(0.5)), rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.2))
    if kind == 4:
        return np.abs(np.sin(np.pi * t, dtype=np.float32))
    return np.exp(-(((t - np.float32(0.5)) / np.float32(rng.uniform(0.05, 0.2))) ** 2))
