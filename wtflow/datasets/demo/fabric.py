"""Demo texture `fabric`: a three-to-one twill with dark warp and light weft, as it passes over an inspection table."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from wtflow.datasets.demo.flaws import Flaw, blob, centred, stroke, wander
from wtflow.datasets.demo.scene import Pose, colour, mix, pixel_grid, smooth_noise, smoothstep, white_noise

DEFECTS = ("cut", "foreign_fibre", "missing_thread", "oil_stain")

_WARP_PX, _WEFT_PX = 5.2, 5.9
"""Distance between threads."""
_REPEAT = 4
"""A weft thread comes to the face at every fourth warp thread, one further in each row: the diagonal of a twill."""
_N_THREADS = 128
"""More than fit across the picture at any pose."""
_WARP, _WEFT, _WORN = colour(0.052, 0.078, 0.135), colour(0.40, 0.39, 0.36), colour(0.055, 0.062, 0.07)
_GROUND = colour(0.012, 0.013, 0.017)
"""What is seen through a gap."""
_FIBRES = (colour(0.62, 0.60, 0.55), colour(0.46, 0.07, 0.05), colour(0.54, 0.38, 0.07), colour(0.06, 0.20, 0.10))
_RELIEF = 1.55
"""Pixels by which a thread of radius 1 stands out of the cloth."""

_FINE_STEPS = 64
_tau = (np.arange(_REPEAT * _FINE_STEPS) / _FINE_STEPS - 0.5 + _REPEAT / 2) % _REPEAT - _REPEAT / 2
_BUMP = np.exp(-(_tau**2) * 2.6).astype(np.float32)
"""1 in the middle of each crossing where the weft is on the face, falling off over one thread;
by 1/64 of a crossing.
"""
_PLY = np.sin(2 * np.pi * np.arange(256) / 256).astype(np.float32)
"""The strands of which a thread is twisted, over one turn."""


class _Threads(NamedTuple):
    """One system of threads, at every point: its `height` in thread radii above the middle plane,
    its `shade` about 1.
    """

    height: np.ndarray
    shade: np.ndarray


class FabricScene:
    """One piece of fabric under its lamp; the same `seed` gives the same piece."""

    def __init__(self, seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        self._x, self._y = pixel_grid()
        self._pose = Pose(rng.uniform(-40, 40), rng.uniform(-40, 40), rng.normal(0, 0.022), rng.normal(1, 0.02))
        a, b = self._pose.to_object(self._x, self._y)
        self._u = a / _WARP_PX + 0.10 * smooth_noise(rng, 45) + (_N_THREADS / 2)
        self._v = b / _WEFT_PX + 0.13 * smooth_noise(rng, 45) + (_N_THREADS / 2)
        self._warp = _threads(rng, self._u, self._v, lambda bump: 0.30 - 0.95 * bump)
        self._weft = _threads(rng, self._v, self._u, lambda bump: 1.02 * bump - 0.62)
        self._fuzz = 0.6 * white_noise(rng) + smooth_noise(rng, 1.1, 3.4)
        self._cloth = smooth_noise(rng, 90)
        self._lamp = _Lamp(rng)
        self._clean = self._weave(self._warp.height, self._weft.height)

    def light(self, flaw: Flaw | None = None) -> np.ndarray:
        """Light that reaches the camera (SIDE, SIDE, 3), without or with a defect."""
        if flaw is None:
            picture = self._clean
        else:
            rng = flaw.rng()
            draw = dict(
                zip(DEFECTS, (self._cut, self._foreign_fibre, self._missing_thread, self._oil_stain), strict=True)
            )
            picture = draw[flaw.kind](flaw, rng, rng.uniform(-68, 68), rng.uniform(-68, 68))
        return picture * self._lamp.colour

    def _weave(self, warp_height: np.ndarray, weft_height: np.ndarray) -> np.ndarray:
        """The cloth whose threads lie at these heights: the higher one is seen, creases between them are dark."""
        is_warp = warp_height > weft_height
        height = np.maximum(warp_height, weft_height)
        slope_y, slope_x = np.gradient(height * _RELIEF)
        lit = self._lamp.on(slope_x, slope_y) * self._lamp.field(self._x, self._y)
        lit *= 0.22 + 0.78 * smoothstep(-0.75, 0.85, height)
        lit *= np.where(is_warp, self._warp.shade, self._weft.shade)
        lit *= (1 + 0.115 * self._fuzz) * (1 + 0.03 * self._cloth)
        worn = smoothstep(0.45, 1.15, height) * (1 + 0.22 * self._cloth)
        on_warp, on_weft = lit * is_warp, lit * ~is_warp
        worn *= on_warp
        tones = zip(_WARP * self._lamp.dye, _WORN, _WEFT, strict=True)
        return np.stack([on_warp * warp + worn * bare + on_weft * weft for warp, bare, weft in tones], axis=-1)

    def _missing_thread(self, flaw: Flaw, rng: np.random.Generator, x: float, y: float) -> np.ndarray:
        """Weft threads absent over a stretch of their length: the warp floats there, without support from below."""
        n = round(flaw.grade(0.6, 3.4))
        half = flaw.grade(32, 150) / _WARP_PX / 2
        a, b = self._pose.to_object(np.asarray(x, np.float32), np.asarray(y, np.float32))
        row, column = np.float32(int(b / _WEFT_PX + _N_THREADS / 2)), np.float32(a / _WARP_PX + _N_THREADS / 2)
        inside = (self._v >= row) & (self._v < row + n)
        absent = inside * smoothstep(half + 0.5, half - 0.5, np.abs(self._u - column))
        return self._weave(self._warp.height - flaw.grade(0.12, 0.3) * absent, self._weft.height - 3 * absent)

    def _cut(self, flaw: Flaw, rng: np.random.Generator, x: float, y: float) -> np.ndarray:
        """A slash: a dark gap that narrows to its ends, its lips lifted, with light frayed ends of threads along it."""
        width = flaw.grade(0.9, 4.4)
        line = stroke(
            [centred(wander(rng, rng.uniform(0, 2 * np.pi), flaw.grade(28, 130), 0.15, rng.normal(0, 0.4)), x, y)], 14
        )
        taper = np.sqrt(np.clip(4 * line.along * (1 - line.along), 0, 1))
        outside = line.distance - width * taper * (1 + 0.3 * smooth_noise(rng, 5))
        lips = smoothstep(5, 0, outside) * (line.side_x + line.side_y) * taper
        picture = self._clean * (1 - flaw.grade(0.1, 0.35) * lips)[..., None]
        picture = mix(picture, _GROUND, smoothstep(0.7, -0.7, outside) * flaw.grade(0.75, 0.97))
        ends = smoothstep(
            0.55,
            1.25,
            smooth_noise(rng, 9, 1.5) * np.abs(line.side_x) + smooth_noise(rng, 1.5, 9) * np.abs(line.side_y),
        )
        fray = ends * smoothstep(3.2, 0.8, np.abs(outside + 0.4 * width) * 2 / (0.6 + width))
        return mix(picture, _WEFT * 1.15, fray * flaw.grade(0.35, 0.85))

    def _foreign_fibre(self, flaw: Flaw, rng: np.random.Generator, x: float, y: float) -> np.ndarray:
        """A stray fibre on the surface: round, tapering, with a soft shadow to the lower right."""
        dye = _FIBRES[rng.integers(len(_FIBRES))]
        path = centred(wander(rng, rng.uniform(0, 2 * np.pi), flaw.grade(34, 170), 0.9, rng.normal(0, 2.2)), x, y)
        line, shadow = stroke([path], 4), stroke([path + (1.6, 2.0)], 7)
        radius = flaw.grade(0.55, 1.35)
        dark = flaw.grade(0.22, 0.5) * smoothstep(radius + 2.2, 0, shadow.distance)
        picture = self._clean * (1 - dark)[..., None]
        cover = smoothstep(radius + 0.45, radius - 0.45, line.distance) * flaw.grade(0.55, 1.0)
        lean = -(line.side_x * self._lamp.x + line.side_y * self._lamp.y) * np.minimum(line.distance / radius, 1)
        body = (1.05 - 0.6 * lean + 0.12 * self._fuzz) * (self._lamp.level * 0.8)
        return mix(picture, body[..., None] * dye, cover)

    def _oil_stain(self, flaw: Flaw, rng: np.random.Generator, x: float, y: float) -> np.ndarray:
        """Oil that the cloth has drawn in: darker and warmer, creeping further along some threads than along others."""
        creep = rng.normal(0, 1.3, (2, _N_THREADS)).astype(np.float32)
        depth = blob(rng, self._x, self._y, (x, y), flaw.grade(10, 36), 0.14)
        depth += creep[0, self._v.astype(np.int32)] + creep[1, self._u.astype(np.int32)]
        soaked = smoothstep(-2.5, 6.5, depth) * (0.82 + 0.18 * smoothstep(16, 3, depth))
        return self._clean * (1 - flaw.grade(0.26, 0.64) * soaked[..., None] * colour(0.88, 0.95, 1.08))


class _Lamp:
    """A lamp to the upper left, never at quite the same place, brightness or colour; and the dye lot of the piece."""

    def __init__(self, rng: np.random.Generator) -> None:
        angle, steep = rng.normal(np.deg2rad(-128), 0.14), rng.normal(0.62, 0.03)
        self.x, self.y = np.float32(np.cos(angle) * steep), np.float32(np.sin(angle) * steep)
        self.level = rng.normal(1.5, 0.06)
        self.tilt_x, self.tilt_y = rng.normal(-0.0009, 0.0004), rng.normal(-0.0007, 0.0004)
        self.colour = colour(*(1 + rng.normal(0, 0.012, 3)))
        self.dye = rng.normal(1, 0.045)

    def on(self, slope_x: np.ndarray, slope_y: np.ndarray) -> np.ndarray:
        """Brightness of a matte surface with these slopes, with some light from all around."""
        facing = (0.78 - self.x * slope_x - self.y * slope_y) / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
        return 0.3 + 0.9 * np.maximum(facing, 0)

    def field(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Uneven lighting over the picture, and the corners that a lens darkens."""
        fall = 1 - (x * x + y * y) * 5.5e-6
        return self.level * fall * (1 + self.tilt_x * x + self.tilt_y * y)


def _threads(
    rng: np.random.Generator, position: np.ndarray, along: np.ndarray, lift_of: Callable[[np.ndarray], np.ndarray]
) -> _Threads:
    """One system: every thread has its own place, thickness, tone and twist, and is thicker here and thinner there."""
    offset, tone = (
        rng.normal(0, 0.05, _N_THREADS).astype(np.float32),
        rng.normal(1, 0.085, _N_THREADS).astype(np.float32),
    )
    slack, twist = (
        rng.normal(0.52, 0.022, _N_THREADS).astype(np.float32),
        rng.uniform(0, 1, _N_THREADS).astype(np.float32),
    )
    slub = smooth_noise(rng, 60)
    whole = np.floor(position)
    index = whole.astype(np.int32)
    across = position - whole - (offset + 0.5)[index]
    crossing = ((along + whole) * _FINE_STEPS).astype(np.int32) % len(_BUMP)
    half = slack[index] + 0.022 * slub
    round_ = np.sqrt(np.maximum(1 - (across / half) ** 2, 0))
    turn = along * 1.7 + across * 1.5 + twist[index]
    ply = _PLY[(turn * 256).astype(np.int32) & 255]
    height = lift_of(_BUMP[crossing]) + 0.75 * round_ + 0.045 * ply
    shade = tone[index] * (1 + 0.10 * ply + 0.05 * slub)
    return _Threads(height, shade)
