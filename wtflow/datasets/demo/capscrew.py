"""Demo object `capscrew`: a zinc-plated cap screw lying on a light table at any angle; the lamp stays where it is."""

import numpy as np

from wtflow.datasets.demo.flaws import Flaw, blob, centred, stroke, wander, window
from wtflow.datasets.demo.scene import Pose, colour, enlarge, mix, pixel_grid, smooth_noise, smoothstep, white_noise

DEFECTS = ("rust", "scratch", "stripped_thread", "swarf")

_HEAD_END, _HEAD_FOOT, _THREAD_START, _TIP = -80.0, -48.0, -22.0, 80.0
"""Along the axis, in pixels from the middle of the screw."""
_HEAD, _SHANK, _MAJOR, _MINOR, _PITCH = 25.0, 14.2, 14.5, 11.2, 6.4
"""Radii of head, smooth shank, and thread outside and at its root; distance from turn to turn."""
_N_KNURLS = 34
_MARGIN_PX = 9.0
"""Kept free between the screw and the edge of the picture."""

_ZINC, _TABLE = colour(0.98, 0.99, 1.0), colour(0.74, 0.73, 0.70)
_STEEL, _STRAW = colour(1.0, 1.0, 1.0), colour(1.0, 0.84, 0.56)
_RUST = (colour(0.17, 0.060, 0.020), colour(0.34, 0.130, 0.035))

_turn = np.arange(256) / 256
_THREAD = np.clip(np.abs(2 * _turn - 1) * 1.45 - 0.20, 0, 1).astype(np.float32)
"""Height of the thread over one turn, from its root (0) to its crest (1), in 256 steps."""
_FLANK = (np.roll(_THREAD, -3) - np.roll(_THREAD, 3)) * np.float32(256 / 6)


class CapscrewScene:
    """One screw on the table; the same `seed` gives the same screw."""

    def __init__(self, seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        self._x, self._y = pixel_grid()
        self._pose = _any_pose(rng)
        self._roll = rng.uniform(0, 1)
        azimuth, steep = rng.normal(np.deg2rad(-125), 0.08), rng.normal(0.70, 0.03)
        self._lamp = np.array([np.cos(azimuth) * steep, np.sin(azimuth) * steep, np.sqrt(1 - steep**2)], np.float32)
        self._level, self._tint = rng.normal(1.0, 0.04), colour(*(1 + rng.normal(0, 0.006, 3)))
        self._zinc = _ZINC * (1 + 0.012 * rng.standard_normal(3, dtype=np.float32))
        self._grain, self._mottle = white_noise(rng), smooth_noise(rng, 7)
        self._drag = smooth_noise(rng, 3)
        self._table = self._draw_table(rng)
        reach_x, reach_y = _extent(self._pose.angle, self._pose.scale)
        self._part, _, _ = window(self._pose.shift_x, self._pose.shift_y, max(reach_x, reach_y) + 2)
        self._a, self._b = self._pose.to_object(self._x[:, self._part[1]], self._y[self._part[0]])
        self._clean, self._cover = self._on_table(None)

    def light(self, flaw: Flaw | None = None) -> np.ndarray:
        """Light that reaches the camera (SIDE, SIDE, 3), without or with a defect."""
        if flaw is None:
            picture = self._clean
        else:
            draw = {
                "rust": self._rust,
                "scratch": self._scratch,
                "stripped_thread": self._stripped_thread,
                "swarf": self._swarf,
            }
            picture = draw[flaw.kind](flaw, flaw.rng())
        return picture * (self._level * self._tint)

    def _on_table(self, stripped: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The scene, and the share of each point that the screw covers (SIDE, SIDE)."""
        metal, inside = self._body(stripped)
        picture, cover = self._table.copy(), np.zeros_like(self._grain)
        picture[self._part] = mix(picture[self._part], metal[..., None] * self._zinc, inside)
        cover[self._part] = inside
        return picture, cover

    def _draw_table(self, rng: np.random.Generator) -> np.ndarray:
        """A light mat with a fine grain, and the shadow of the screw:
        it ends under the tip and stands off under the head.
        """
        grain = 0.016 * smooth_noise(rng, 45) + 0.028 * smooth_noise(rng, 1.3) + 0.028 * self._grain
        fall = 1 + 0.0013 * (self._lamp[0] * self._x + self._lamp[1] * self._y) - 5e-6 * (self._x**2 + self._y**2)
        a, b = self._pose.to_object(self._x[:, 1::4], self._y[1::4])
        height = np.interp(a, [_HEAD_END, _TIP], [_HEAD, _MAJOR]).astype(np.float32)
        off_a, off_b = Pose(0, 0, self._pose.angle, 1).to_object(self._lamp[:1], self._lamp[1:2])
        shadow = np.zeros_like(a)
        for share, strength, soft in ((0.90, 0.52, 5.5), (0.45, 0.40, 4.0), (0.12, 0.40, 2.5)):
            sa, sb = a + off_a * height * share, b + off_b * height * share
            head = np.minimum(sa - _HEAD_END, _HEAD_FOOT - sa)
            head = np.minimum(head, _HEAD - np.abs(sb))
            shank = np.minimum(sa - _HEAD_FOOT, _TIP - sa)
            shank = np.minimum(shank, _MAJOR - np.abs(sb))
            shadow = 1 - (1 - shadow) * (1 - strength * smoothstep(-soft, soft, np.maximum(head, shank)))
        return (fall * (1 + grain) * (1 - enlarge(shadow)))[..., None] * _TABLE

    def _body(self, stripped: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Light from the metal, and the share of each point it covers, inside the screw's window."""
        a, b = self._a, self._b
        radius, slope, crease = self._profile(a, b, stripped)
        n_b = np.clip(b / radius, -1, 1)
        n_z = np.sqrt(np.maximum(1 - n_b * n_b, 1e-4))
        on_head = a < _HEAD_FOOT
        knurl = (
            on_head * smoothstep(_HEAD_END + 4.5, _HEAD_END + 6, a) * smoothstep(_HEAD_FOOT - 2.5, _HEAD_FOOT - 4, a)
        )
        ridge = np.arcsin(n_b) * _N_KNURLS + 2 * np.pi * self._roll
        n_b = n_b + 0.42 * knurl * np.cos(ridge) * n_z
        grain, mottle = self._grain[self._part], self._mottle[self._part]
        n_a = -slope + 0.02 * mottle
        length = 1 / np.sqrt(n_a * n_a + n_b * n_b + n_z * n_z)
        n_x, n_y = self._pose.turn(n_a * length, n_b * length)
        metal = self._reflect(n_x, n_y, n_z * length)
        metal *= crease * (1 - 0.28 * knurl * (0.5 - 0.5 * np.sin(ridge)))
        metal *= 1 + 0.05 * grain + 0.05 * mottle
        foot = np.maximum(a - _HEAD_FOOT, 0)
        metal *= 1 - 0.6 * np.exp(-foot / 3.5) * ~on_head
        ends = np.minimum(a - _HEAD_END, _TIP - a)
        return metal, smoothstep(-0.35, 0.35, np.minimum(radius - np.abs(b), ends))

    def _profile(
        self, a: np.ndarray, b: np.ndarray, stripped: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Radius of the screw at every point, how it changes along the axis, and how much light reaches its creases."""
        phase = a / _PITCH + np.arcsin(np.clip(b / _MAJOR, -1, 1)) / (2 * np.pi) + self._roll
        step = ((phase + 64) * 256).astype(np.int32) & 255
        deep = smoothstep(_THREAD_START - 5, _THREAD_START + 5, a)
        kept = deep if stripped is None else deep * (1 - stripped)
        worn = _MAJOR - (0 if stripped is None else 1.3 * stripped)
        cut = (_MAJOR - _MINOR) * kept
        radius = worn - cut * (1 - _THREAD[step]) - (_MAJOR - _SHANK) * (1 - deep)
        slope = cut * _FLANK[step] / _PITCH
        crease = 1 - 0.72 * kept * (1 - _THREAD[step])
        to_tip = _TIP - a
        point = smoothstep(6.0, 5.0, to_tip)
        radius = np.minimum(radius, (_MINOR - 3.0) + to_tip * 1.05)
        slope = slope * (1 - point) - 0.8 * point
        on_head = a < _HEAD_FOOT
        from_end, from_foot = a - _HEAD_END, _HEAD_FOOT - a
        round_end, round_foot = np.clip(1 - from_end / 4, 0, 1), np.clip(1 - from_foot / 1.8, 0, 1)
        head = _HEAD - 3.2 * round_end**2 - 1.0 * round_foot**2
        head_slope = 1.6 * round_end - 1.1 * round_foot
        return np.where(on_head, head, radius), np.where(on_head, head_slope, slope), np.where(on_head, 1, crease)

    def _reflect(self, n_x: np.ndarray, n_y: np.ndarray, n_z: np.ndarray) -> np.ndarray:
        """What satin metal with this normal mirrors: a large lamp, a weaker one across from it, the
        table, the dark room above.
        """
        r_x, r_y, r_z = 2 * n_z * n_x, 2 * n_z * n_y, 2 * n_z * n_z - 1
        lamp = r_x * self._lamp[0] + r_y * self._lamp[1] + r_z * self._lamp[2]
        across = -r_x * self._lamp[0] - r_y * self._lamp[1] + r_z * 0.55
        matte = np.maximum(n_x * self._lamp[0] + n_y * self._lamp[1] + n_z * self._lamp[2], 0)
        table = smoothstep(0.15, -0.55, r_z) * (0.13 + 0.16 * (n_x * self._lamp[0] + n_y * self._lamp[1]))
        room = 0.045 + 0.20 * matte + table
        return room + 1.9 * smoothstep(0.55, 1.02, lamp) + 0.28 * smoothstep(0.72, 1.0, across)

    def _spot(self, rng: np.random.Generator, low: float, high: float) -> tuple[float, float]:
        """A place on the screw between two points of its axis, away from the outline."""
        a = rng.uniform(low, high)
        b = rng.uniform(-0.6, 0.6) * (_HEAD if a < _HEAD_FOOT else _MAJOR)
        return tuple(self._pose.to_image(np.array([[a, b]]))[0])

    def _rust(self, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """Patches where the plating has gone: two browns, rough, with an edge that spreads outward."""
        depth = blob(rng, self._x, self._y, self._spot(rng, -72, 68), flaw.grade(4.2, 18), 0.30)
        rough = smooth_noise(rng, 2.2)
        share = smoothstep(-1.2, 1.6, depth + 1.1 * rough) * flaw.grade(0.38, 0.95) * self._cover
        tone = mix(np.broadcast_to(_RUST[0], (1, 1, 3)), _RUST[1], smoothstep(-1.0, 1.3, rough + 0.6 * self._grain))
        lit = (0.35 + 1.1 * np.minimum(self._clean.mean(axis=2), 1))[..., None]
        return mix(self._clean, tone * lit, share)

    def _scratch(self, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """A groove through the plating: bright steel in it, one wall lit and one dark."""
        low, high = ((-74, -54), (-44, 60))[rng.integers(2)]
        path = centred(
            wander(rng, rng.uniform(0, 2 * np.pi), flaw.grade(14, 70), 0.08, rng.normal(0, 0.25)),
            *self._spot(rng, low, high),
        )
        width = flaw.grade(0.6, 1.4)
        line = stroke([path], 7)
        taper = np.sqrt(np.clip(6 * line.along * (1 - line.along), 0, 1)) * self._cover
        tilt = line.side_x * self._lamp[0] + line.side_y * self._lamp[1]
        strength = flaw.grade(0.40, 0.95)
        wall = smoothstep(width * 2.6 + 0.6, width * 0.6, line.distance) * taper
        picture = self._clean * (1 - strength * wall * (0.35 + tilt))[..., None]
        return mix(picture, _STEEL * 0.95, smoothstep(width + 0.45, width - 0.45, line.distance) * taper * strength)

    def _stripped_thread(self, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """Turns of the thread torn down, all around or on one side only, with a ragged end."""
        half = flaw.grade(5.5, 27)
        middle = rng.uniform(_THREAD_START + 6 + half, _TIP - 8 - half)
        ragged = 1.6 * self._drag[self._part]
        along = smoothstep(half + 1.5, half - 1.5, np.abs(self._a - middle) + ragged)
        side, open_ = int(rng.choice([-1, 1])), flaw.grade(0.2, 2.2)
        around = smoothstep(-0.9, 0.3, side * self._b / _MAJOR + open_ - 0.6)
        return self._on_table(flaw.grade(0.45, 1.0) * along * around)[0]

    def _swarf(self, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """A curled chip from the lathe that was left on the screw: a bright ribbon in loops, with its shadow."""
        n_loops, radius = flaw.grade(0.7, 5.0), flaw.grade(3.0, 8.0)
        phase = np.linspace(0, 2 * np.pi * n_loops, int(12 * n_loops) + 8)
        heading = rng.uniform(0, 2 * np.pi)
        drift = radius * phase / (2 * np.pi) * 1.35 + 0.6 * np.sin(phase * 0.31 + rng.uniform(0, 6))
        wide = radius * (1 + 0.15 * np.sin(phase * 0.23 + rng.uniform(0, 6)))
        u, v = drift + wide * 0.62 * np.cos(phase), wide * np.sin(phase)
        path = np.stack([np.cos(heading) * u - np.sin(heading) * v, np.sin(heading) * u + np.cos(heading) * v], axis=1)
        path = centred(path, *self._spot(rng, -70, 70))
        shadow, line = stroke([path + (2.6, 3.2)], 6), stroke([path], 4)
        width = flaw.grade(0.7, 1.35)
        picture = self._clean * (1 - flaw.grade(0.35, 0.6) * smoothstep(width + 2.4, 0, shadow.distance))[..., None]
        turned = np.cos(line.along * (2 * np.pi * n_loops) + heading)
        glint = 0.34 + 0.30 * turned + 0.85 * smoothstep(0.75, 1.0, turned)
        away = -(line.side_x * self._lamp[0] + line.side_y * self._lamp[1])
        glint *= 1 - 0.35 * away * np.minimum(line.distance / width, 1)
        return mix(
            picture,
            glint[..., None] * _STRAW,
            smoothstep(width + 0.4, width - 0.4, line.distance) * flaw.grade(0.75, 1.0),
        )


def _extent(angle: float, scale: float) -> tuple[float, float]:
    """Half the width and height of a screw lying at this angle."""
    cos, sin = abs(np.cos(angle)), abs(np.sin(angle))
    return scale * (cos * _TIP + sin * _HEAD), scale * (sin * _TIP + cos * _HEAD)


def _any_pose(rng: np.random.Generator) -> Pose:
    """Any angle, and any place where the whole screw is in the picture."""
    angle, scale = rng.uniform(0, 2 * np.pi), rng.normal(1.19, 0.012)
    free_x, free_y = (128 - _MARGIN_PX - reach for reach in _extent(angle, scale))
    return Pose(rng.uniform(-free_x, free_x), rng.uniform(-free_y, free_y), angle, scale)
