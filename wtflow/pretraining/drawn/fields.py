"""What drawn images are made of: coordinates that turn, bend and shrink, and random fields on them.

All fields are float32 (S, S). Lengths are in pixels unless a name shows another unit.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image


class Plane(NamedTuple):
    """Coordinates of a surface at each pixel: `u` and `v`, float32 (S, S), in pixels of a surface
    seen from straight above.
    """

    u: np.ndarray
    v: np.ndarray

    @property
    def size(self) -> int:
        return self.u.shape[0]


def level_plane(size: int) -> Plane:
    """The picture's own coordinates, from its centre."""
    line = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return Plane(*(np.ascontiguousarray(part) for part in np.meshgrid(line, line)))


def turned(plane: Plane, angle: float, shift: tuple[float, float] = (0.0, 0.0)) -> Plane:
    """The plane turned by `angle` radians about `shift`, which becomes its origin."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u, v = plane.u - np.float32(shift[0]), plane.v - np.float32(shift[1])
    return Plane(cos * u + sin * v, cos * v - sin * u)


def random_plane(rng: np.random.Generator, size: int) -> Plane:
    """A surface in a random position: turned, often a little bent, sometimes tilted away from the eye."""
    plane = turned(level_plane(size), rng.uniform(0, np.pi), tuple(rng.uniform(-size / 2, size / 2, 2)))
    if rng.random() < 0.25:  # seen at a slant: what is farther off is smaller
        depth = 1 + rng.uniform(0.1, 0.6) * plane.v / np.abs(plane.v).max()
        plane = Plane(plane.u * depth, plane.v * depth)
    if rng.random() < 0.5:
        cell, strength = rng.uniform(size / 10, size), rng.uniform(0, 0.12)
        plane = Plane(
            plane.u + strength * cell * smooth(rng, size, cell), plane.v + strength * cell * smooth(rng, size, cell)
        )
    return plane


def smooth(rng: np.random.Generator, size: int, cell: float) -> np.ndarray:
    """A random field, mean 0 and deviation about 1, that changes over `cell` pixels."""
    n = max(2, round(size / cell)) + 3
    coarse = rng.standard_normal((n, n), dtype=np.float32)
    return 1.35 * np.asarray(
        Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC, box=(1.0, 1.0, n - 1.0, n - 1.0))
    )


def noise(
    rng: np.random.Generator,
    size: int,
    slope: float,
    low: float = 0.0,
    high: float = 1.0,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> np.ndarray:
    """Gaussian noise with amplitude f^-slope between the frequencies `low` and `high` (1:
    the finest), mean 0 and deviation 1.

    `stretch` above 1 draws it out along `angle`, the more the steeper the slope. It repeats at the edges of the
    picture, as what comes from a spectrum does.
    """
    fy = np.fft.fftfreq(size).astype(np.float32)[:, None] * 2
    fx = np.fft.rfftfreq(size).astype(np.float32)[None, :] * 2
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    f = np.hypot((cos * fx + sin * fy) * np.float32(stretch), cos * fy - sin * fx)
    f[0, 0] = 1.0  # the mean, which is taken out below
    spectrum = f ** np.float32(-slope)
    if low > 0:
        spectrum *= 1 - np.exp(-((f / low) ** 4))
    if high < 1:
        spectrum *= np.exp(-((f / high) ** 4))
    spectrum[0, 0] = 0
    wave = np.fft.rfft2(rng.standard_normal((size, size), dtype=np.float32)) * spectrum
    return standard(np.fft.irfft2(wave, s=(size, size)).astype(np.float32))


def streaks(rng: np.random.Generator, along: np.ndarray, slope: float) -> np.ndarray:
    """A field that changes along one coordinate only, as an irregular sequence of lines; mean 0, deviation 1."""
    n = 512
    f = np.fft.rfftfreq(n)
    f[0] = np.inf
    line = standard(np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * f**-slope, n).astype(np.float32))
    return np.interp(along, np.arange(n) - n / 2, line, period=n).astype(np.float32)


def cells(
    rng: np.random.Generator, plane: Plane, cell: float, jitter: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A Voronoi pattern of one seed point per square of `cell` pixels, moved by up to `jitter` half squares.

    (distance to the nearest point, distance to the border about, a random number of each cell in [0, 1)); distances in
    cells.
    """
    n = 64  # squares before the pattern repeats
    offset = rng.uniform(-0.5, 0.5, (2, n, n)).astype(np.float32) * np.float32(jitter) + 0.5
    tone = rng.random((n, n), dtype=np.float32)
    u, v = plane.u / np.float32(cell), plane.v / np.float32(cell)
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    u -= column
    v -= row
    first, second = np.full_like(u, 9.0), np.full_like(u, 9.0)
    own = np.zeros_like(u)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            j, i = (row + dy) & (n - 1), (column + dx) & (n - 1)
            distance = np.hypot(dx + offset[0, j, i] - u, dy + offset[1, j, i] - v)
            is_nearer = distance < first
            second = np.where(is_nearer, first, np.minimum(second, distance))
            own = np.where(is_nearer, tone[j, i], own)
            first = np.minimum(first, distance)
    return first, second - first, own


def standard(field: np.ndarray) -> np.ndarray:
    """The field with mean 0 and deviation 1; a flat one becomes 0."""
    return (field - field.mean()) / np.float32(max(float(field.std()), 1e-6))


def unit(field: np.ndarray) -> np.ndarray:
    """The field brought to [0, 1]: its 1st and 99th percentile, estimated on a part of it, become 0.02 and 0.98."""
    low, high = np.percentile(field[::5, ::5], (1, 99))
    return np.clip(0.02 + 0.96 * (field - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1)


def step(value: np.ndarray, edge: float, width: float) -> np.ndarray:
    """0 below `edge`, 1 above, smooth over `width`."""
    t = np.clip((value - np.float32(edge)) / np.float32(max(width, 1e-6)) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)
