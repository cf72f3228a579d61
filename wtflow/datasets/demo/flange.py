"""Demo object `flange`: a machined bearing flange, always placed alike: brushed plate, turned hub, four drilled
holes, laser mark.
"""

import numpy as np

from wtflow.datasets.demo.flaws import Flaw, blob, centred, stroke, wander, window
from wtflow.datasets.demo.scene import Pose, colour, enlarge, mix, pixel_grid, smooth_noise, smoothstep, white_noise

DEFECTS = ("bad_hole", "misprint", "scratch", "stain")

_HALF, _CORNER = 102.0, 28.0
"""Half the side of the plate and the radius of its corners, in pixels."""
_HUB, _RIM, _GROOVE, _BORE = 56.0, 61.0, 46.0, 29.0
"""Radii: turned face, foot of its slope, groove for the seal, bore."""
_HOLES = ((-71.0, -71.0), (71.0, -71.0), (71.0, 71.0), (-71.0, 71.0))
_HOLE, _SINK = 9.8, 14.5
"""Radii of a bolt hole and of its countersink."""
_PIN = (0.0, -82.0)
"""A small hole for a locating pin: the only mark that shows which side is up."""
_PIN_HOLE, _PIN_SINK = 3.6, 5.2

_METAL = colour(1.0, 1.0, 1.0)
_TABLE = colour(0.150, 0.158, 0.168)
_INK = colour(0.040, 0.036, 0.036)
_OIL = colour(0.30, 0.17, 0.06)

_GLYPHS = {
    "W": (((0, 0), (1, 6), (2, 2), (3, 6), (4, 0)),),
    "T": (((0, 0), (4, 0)), ((2, 0), (2, 6))),
    "-": (((0.8, 3), (3.2, 3)),),
    "6": (
        (
            (3.7, 0.3),
            (2, 0),
            (0.6, 1),
            (0, 3),
            (0, 4.8),
            (1, 6),
            (3, 6),
            (4, 4.9),
            (4, 3.7),
            (3, 2.7),
            (1, 2.7),
            (0, 3.8),
        ),
    ),
    "2": (((0, 1.2), (0.8, 0.1), (3, 0), (4, 1), (3.8, 2.2), (0, 6), (4, 6)),),
    "0": (((2, 0), (0.7, 0.5), (0, 2), (0, 4), (0.7, 5.5), (2, 6), (3.3, 5.5), (4, 4), (4, 2), (3.3, 0.5), (2, 0)),),
    "4": (((3, 6), (3, 0), (0, 4.2), (4, 4.2)),),
}
"""Strokes of the mark's letters on a grid of 4 x 6."""
_MARK, _MARK_Y, _MARK_STEP, _MARK_UNIT, _MARK_PEN = "WT-6204", 81.5, 11.6, 1.9, 0.95


class FlangeScene:
    """One flange on the table under a large lamp to the upper left; the same `seed` gives the same flange."""

    def __init__(self, seed: tuple[int, ...]) -> None:
        rng = np.random.default_rng(seed)
        self._x, self._y = pixel_grid()
        self._pose = Pose(rng.normal(0, 1.6), rng.normal(0, 1.6), rng.normal(0, 0.011), rng.normal(1, 0.005))
        self._a, self._b = self._pose.to_object(self._x, self._y)
        self._azimuth = rng.normal(np.deg2rad(-132), 0.10)
        self._lamp_x, self._lamp_y = np.float32(np.cos(self._azimuth)), np.float32(np.sin(self._azimuth))
        self._level = rng.normal(1.0, 0.045)
        self._tint = colour(*(1 + rng.normal(0, 0.006, 3)))
        self._grain = white_noise(rng)
        self._depth, self._out_a, self._out_b = _plate_edge(self._a, self._b)
        self._radius = np.sqrt(self._a * self._a + self._b * self._b) + 1e-3
        self._on_plate = smoothstep(-0.3, 0.3, self._depth)
        metal = self._plate(rng)
        middle, _, _ = window(self._pose.shift_x, self._pose.shift_y, _RIM + 3)
        metal[middle] = mix(
            metal[middle], self._hub(rng, middle), smoothstep(_RIM + 0.4, _RIM - 0.4, self._radius[middle])
        )
        table = self._table(rng)
        alloy = 1 + 0.012 * rng.standard_normal(3, dtype=np.float32)
        self._bare = mix(table, metal[..., None] * alloy, self._on_plate)
        self._holes = [(a + rng.normal(0, 0.25), b + rng.normal(0, 0.25), _HOLE, _SINK) for a, b in _HOLES]
        self._holes += [(*_PIN, _PIN_HOLE, _PIN_SINK), (0.0, 0.0, _BORE, _BORE + 3.6)]
        self._ink = rng.normal(0.80, 0.035)
        self._printed = self._mark(self._letters())

    def light(self, flaw: Flaw | None = None) -> np.ndarray:
        """Light that reaches the camera (SIDE, SIDE, 3), without or with a defect."""
        print_, holes, rng = self._printed, self._holes, None if flaw is None else flaw.rng()
        if flaw is not None and rng is not None and flaw.kind == "misprint":
            print_ = self._misprint(flaw, rng)
        picture = mix(self._bare, _INK, print_)
        if flaw is not None and rng is not None:
            if flaw.kind == "stain":
                picture = self._stain(picture, flaw, rng)
            if flaw.kind == "scratch":
                picture = self._scratch(picture, flaw, rng)
            if flaw.kind == "bad_hole":
                holes = self._bad_hole(flaw, rng)
        for hole in holes:
            self._drill(picture, *hole)
        return picture * (self._level * self._tint)

    def _facing(self, out_a: np.ndarray, out_b: np.ndarray) -> np.ndarray:
        """1 where a slope of the part that falls in this direction looks at the lamp, -1 where it looks away."""
        out_x, out_y = self._pose.turn(out_a, out_b)
        return out_x * self._lamp_x + out_y * self._lamp_y

    def _table(self, rng: np.random.Generator) -> np.ndarray:
        """A matte grey mat and the soft shadow of the part:
        deep where it touches, wide on the side away from the lamp.
        """
        mottle = 0.022 * smooth_noise(rng, 50) + 0.05 * smooth_noise(rng, 1.2) + 0.05 * self._grain
        fall = 1 - 0.0016 * (self._lamp_x * -self._x + self._lamp_y * -self._y)
        a, b = self._a[1::4, 1::4], self._b[1::4, 1::4]
        far, _, _ = _plate_edge(a + self._lamp_x * 7, b + self._lamp_y * 7)
        near, _, _ = _plate_edge(a + self._lamp_x * 2, b + self._lamp_y * 2)
        shadow = enlarge(0.58 * smoothstep(-12, 7, far) + 0.30 * smoothstep(-3.5, 2, near))
        return ((1 + mottle) * fall * (1 - shadow))[..., None] * _TABLE

    def _plate(self, rng: np.random.Generator) -> np.ndarray:
        """Brushed along its width: fine streaks, a broad sheen that drifts over the plate, a bevelled
        edge, the hub's shadow.
        """
        streaks = 0.026 * smooth_noise(rng, 70, 0.9) + 0.020 * smooth_noise(rng, 24, 0.6)
        streaks += 0.012 * smooth_noise(rng, 120, 5) + 0.012 * self._grain
        centre = rng.normal(-38, 12)
        sheen = np.exp(-(((self._a + 0.35 * self._b - centre) / 78) ** 2))
        flat = 0.34 + 0.38 * sheen + 0.0005 * (self._lamp_x * self._x + self._lamp_y * self._y)
        flat = flat * (1 + streaks + 0.02 * smooth_noise(rng, 60))
        foot = self._radius - _RIM
        away = -self._facing(self._a / self._radius, self._b / self._radius)
        flat *= 1 - (0.30 + 0.24 * away) * np.exp(-np.maximum(foot, 0) / (4.0 + 2.5 * away))
        bevel = 0.34 + 0.85 * np.maximum(self._facing(self._out_a, self._out_b), -0.34)
        bevel = bevel * (1 + 0.04 * self._grain)
        return mix(flat, bevel, smoothstep(3.1, 2.5, self._depth))

    def _hub(self, rng: np.random.Generator, part: tuple[slice, slice]) -> np.ndarray:
        """Turned on a lathe: rings, and the two bright fans that circular grooves make of one lamp;
        a slope down to the plate.
        """
        r = self._radius[part]
        rings = rng.standard_normal(512).astype(np.float32) + np.repeat(rng.standard_normal(128), 4).astype(np.float32)
        ring = rings[np.minimum((r * 5).astype(np.int32), 511)]
        drift = np.repeat(np.cumsum(rng.normal(0, 0.02, 64)), 8).astype(np.float32)[
            np.minimum((r * 5).astype(np.int32), 511)
        ]
        turn_x, turn_y = self._pose.turn(self._a[part] / r, self._b[part] / r)
        across = turn_x * self._lamp_y - turn_y * self._lamp_x + drift * 0.5
        side = np.float32(rng.normal(1.15, 0.06))
        across2 = turn_x * np.float32(np.sin(self._azimuth + side)) - turn_y * np.float32(np.cos(self._azimuth + side))
        fans = 1.05 * np.exp(-((across / 0.30) ** 2)) + 0.22 * np.exp(-((across2 / 0.2) ** 2))
        face = (0.17 + fans) * (1 + 0.055 * ring + 0.02 * self._grain[part])
        facing = turn_x * self._lamp_x + turn_y * self._lamp_y
        in_groove = smoothstep(1.9, 1.3, np.abs(r - _GROOVE))
        wall = np.where(r > _GROOVE, -facing, facing)
        face = mix(face, 0.10 + 0.30 * np.maximum(wall, 0) ** 2, in_groove)
        edge = smoothstep(0.9, 0.2, np.abs(r - _HUB)) * np.maximum(facing, 0)
        slope = (0.30 + 0.75 * np.maximum(facing, -0.36)) * (1 + 0.03 * ring)
        return mix(face, slope, smoothstep(_HUB - 0.4, _HUB + 0.4, r)) + 0.6 * edge

    def _drill(self, picture: np.ndarray, a: float, b: float, hole: float, sink: float) -> None:
        """Cut a hole with a countersink into the picture: a bright and a dark side of the cone, a wall that goes
        down into the dark.
        """
        if sink <= 0:
            return
        centre = self._pose.to_image(np.array([[a, b]]))[0]
        part, x, y = window(centre[0], centre[1], sink + 3)
        r = np.sqrt(x * x + y * y) + 1e-3
        facing = (x * self._lamp_x + y * self._lamp_y) / r
        grain = self._grain[part]
        rings = np.sin(r * 5.1 + a) * 0.05
        cone = (0.34 - 0.60 * np.minimum(facing, 0.48)) * (1 + rings + 0.03 * grain)
        patch = mix(picture[part], cone[..., None] * _METAL, smoothstep(sink + 0.4, sink - 0.4, r))
        if hole > 0:
            depth = np.clip(1 - r / hole, 0, 1)
            wall = 0.26 * np.maximum(-facing, 0) ** 2 * np.exp(-depth / 0.16)
            inside = 0.006 + wall * (1 + 0.05 * grain) + 0.010 * smoothstep(0.25, 0.8, depth)
            patch = mix(patch, inside[..., None] * _METAL, smoothstep(hole + 0.4, hole - 0.4, r))
        picture[part] = patch

    def _letters(self, move: tuple[float, float] = (0.0, 0.0), angle: float = 0.0) -> list[list[np.ndarray]]:
        """The strokes of each letter of the mark in image pixels, the whole mark moved and turned about its middle."""
        cos, sin = np.cos(angle), np.sin(angle)
        letters = []
        for i, letter in enumerate(_MARK):
            left = (i - len(_MARK) / 2) * _MARK_STEP + (_MARK_STEP - 4 * _MARK_UNIT) / 2
            lines = []
            for points in _GLYPHS[letter]:
                p = np.array(points) * _MARK_UNIT + (left, -3 * _MARK_UNIT)
                p = np.stack(
                    [cos * p[:, 0] - sin * p[:, 1] + move[0], sin * p[:, 0] + cos * p[:, 1] + move[1] + _MARK_Y], axis=1
                )
                lines.append(self._pose.to_image(p))
            letters.append(lines)
        return letters

    def _mark(self, letters: list[list[np.ndarray]], strength: float = 1.0) -> np.ndarray:
        """Share of ink (SIDE, SIDE) where these letters are marked with a strength from 0 to 1."""
        distance = stroke([line for lines in letters for line in lines], 2).distance
        return self._ink * strength * smoothstep(_MARK_PEN + 0.45, _MARK_PEN - 0.45, distance)

    def _misprint(self, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """Some letters of the mark struck twice, out of line, or pale to absent: all seven at worst, one at best."""
        kind, angle, away = rng.integers(3), rng.uniform(0, 2 * np.pi), flaw.grade(1.4, 5.5)
        n = round(flaw.grade(1, len(_MARK)))
        first = rng.integers(len(_MARK) - n + 1)
        letters, some = self._letters(), slice(first, first + n)
        moved = self._letters(
            (away * np.cos(angle), away * np.sin(angle)), int(rng.choice([-1, 1])) * flaw.grade(0.01, 0.14)
        )[some]
        if kind == 0:
            return np.maximum(self._printed, self._mark(moved, flaw.grade(0.45, 0.95)))
        intact = self._mark(letters[:first] + letters[first + n :])
        return np.maximum(
            intact, self._mark(moved) if kind == 1 else self._mark(letters[some], 1 - flaw.grade(0.45, 1.0))
        )

    def _bad_hole(self, flaw: Flaw, rng: np.random.Generator) -> list[tuple[float, float, float, float]]:
        """One bolt hole not drilled at all, only centred, too small, or a little out of place."""
        which, angle = rng.integers(len(_HOLES)), rng.uniform(0, 2 * np.pi)
        a, b, hole, sink = self._holes[which]
        away = flaw.grade(0.8, 2.0)
        size = float(np.interp(flaw.severity, [0, 0.5, 0.7, 0.71], [0.90, 0.55, 0.25, 0.0]))
        cone = float(np.interp(flaw.severity, [0, 0.5, 0.9, 0.91], [0.97, 0.85, 0.35, 0.0]))
        changed = (a + away * np.cos(angle), b + away * np.sin(angle), hole * size, sink * cone)
        return [changed if i == which else other for i, other in enumerate(self._holes)]

    def _spot(self, rng: np.random.Generator) -> tuple[float, float]:
        """A place on the metal, away from the holes."""
        while True:
            a, b = rng.uniform(-80, 80, 2)
            if np.hypot(a, b) > _BORE + 10 and min(np.hypot(a - p, b - q) for p, q in _HOLES) > _SINK + 6:
                return tuple(self._pose.to_image(np.array([[a, b]]))[0])

    def _scratch(self, picture: np.ndarray, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """A groove: the wall that looks at the lamp is bright, the other one dark, bare metal between."""
        path = centred(
            wander(rng, rng.uniform(0, 2 * np.pi), flaw.grade(24, 130), 0.06, rng.normal(0, 0.15)), *self._spot(rng)
        )
        width = flaw.grade(0.45, 1.15)
        line = stroke([path], 7)
        taper = np.sqrt(np.clip(5 * line.along * (1 - line.along), 0, 1)) * (1 + 0.25 * smooth_noise(rng, 6))
        core = smoothstep(width + 0.5, width - 0.5, line.distance) * taper
        wall = smoothstep(width * 2.4 + 0.6, width * 0.6, line.distance) * taper
        tilt = line.side_x * self._lamp_x + line.side_y * self._lamp_y
        strength = flaw.grade(0.30, 0.85)
        shaded = picture * (1 - strength * 0.65 * wall * tilt)[..., None]
        return mix(picture, mix(shaded, _METAL * 1.1, core * strength * 0.8), self._on_plate)

    def _stain(self, picture: np.ndarray, flaw: Flaw, rng: np.random.Generator) -> np.ndarray:
        """Dried coolant: a brown film with the dark rim that a drop leaves."""
        depth = blob(rng, self._x, self._y, self._spot(rng), flaw.grade(6, 24), 0.15)
        film = smoothstep(-0.8, 1.4, depth)
        rim = film * smoothstep(5.0, 0.8, depth)
        share = flaw.grade(0.27, 0.80) * (0.62 * film + 0.38 * rim) * (1 + 0.10 * smooth_noise(rng, 7))
        return mix(picture, picture * _OIL, np.clip(share, 0, 1) * self._on_plate)


def _plate_edge(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels inside the edge of the plate (negative outside), and the direction of that edge for points near it."""
    over_a, over_b = np.abs(a) - (_HALF - _CORNER), np.abs(b) - (_HALF - _CORNER)
    corner_a, corner_b = np.maximum(over_a, 0), np.maximum(over_b, 0)
    reach = np.sqrt(corner_a * corner_a + corner_b * corner_b)
    depth = _CORNER - reach - np.minimum(np.maximum(over_a, over_b), 0)
    reach = np.maximum(reach, 1e-3)
    return depth, np.copysign(corner_a, a) / reach, np.copysign(corner_b, b) / reach
