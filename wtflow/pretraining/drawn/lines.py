"""Patterns made of strokes, drawn with Pillow at twice the size and halved:
fibres, scratches, cracks, tracks, writing.
"""

import numpy as np
from PIL import Image, ImageDraw

_FINE = 2
"""Strokes are drawn this much larger and averaged, so that their edges are soft."""


class Strokes:
    """A sheet of `size` pixels on which strokes are drawn with widths in pixels and tones in [0, 1]."""

    def __init__(self, size: int, ground: float = 0.0) -> None:
        self.size = size
        self._image = Image.new("L", (size * _FINE, size * _FINE), round(255 * ground))
        self._pen = ImageDraw.Draw(self._image)

    def line(self, points: np.ndarray, width: float, tone: float, *, is_round: bool = False) -> None:
        """A stroke through points (n, 2), x before y, from the upper left corner."""
        xy = [(float(x), float(y)) for x, y in points * _FINE]
        fill, wide = round(255 * tone), max(1, round(width * _FINE))
        self._pen.line(xy, fill=fill, width=wide, joint="curve" if is_round else None)
        if is_round:
            for end in (points[0], points[-1]):
                self.disc(end, width / 2, tone)

    def disc(self, centre: np.ndarray, radius: float, tone: float) -> None:
        x, y, r = float(centre[0]) * _FINE, float(centre[1]) * _FINE, radius * _FINE
        self._pen.ellipse((x - r, y - r, x + r, y + r), fill=round(255 * tone))

    def block(self, centre: np.ndarray, wide: float, high: float, tone: float) -> None:
        x, y = float(centre[0]) * _FINE, float(centre[1]) * _FINE
        self._pen.rectangle(
            (x - wide * _FINE / 2, y - high * _FINE / 2, x + wide * _FINE / 2, y + high * _FINE / 2),
            fill=round(255 * tone),
        )

    def field(self) -> np.ndarray:
        """What was drawn, float32 (S, S) in [0, 1]."""
        return np.asarray(self._image.reduce(_FINE), dtype=np.float32) / 255


def draw_fibres(rng: np.random.Generator, size: int) -> np.ndarray:
    """Curved threads lying over each other, in all directions or about one."""
    sheet = Strokes(size, rng.uniform(0, 0.4))
    main, spread = rng.uniform(0, np.pi), rng.choice([np.pi, rng.uniform(0.05, 0.6)])
    length, width, bend = rng.uniform(0.1, 0.8) * size, rng.uniform(0.6, 5), rng.uniform(0, 0.5)
    for _ in range(rng.integers(40, 250)):
        points = _walk(
            rng,
            rng.uniform(-20, size + 20, 2),
            main + rng.uniform(-spread, spread),
            length * rng.uniform(0.3, 1),
            8,
            bend,
        )
        sheet.line(points, width * rng.uniform(0.5, 1.3), rng.uniform(0.3, 1))
    return sheet.field()


def draw_scratches(rng: np.random.Generator, size: int) -> np.ndarray:
    """A few thin, nearly straight marks, 0 where there are none."""
    sheet = Strokes(size)
    for _ in range(rng.integers(1, 12)):
        points = _walk(rng, rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.9) * size, 6, 0.08)
        sheet.line(points, rng.uniform(0.5, 2.5), rng.uniform(0.3, 1))
    return sheet.field()


def draw_cracks(rng: np.random.Generator, size: int) -> np.ndarray:
    """Jagged lines that branch, 0 where there are none."""
    sheet = Strokes(size)
    tips = [(rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi), rng.uniform(1, 5)) for _ in range(rng.integers(1, 4))]
    for _ in range(60):
        if not tips:
            break
        place, angle, width = tips.pop(0)
        points = _walk(rng, place, angle, rng.uniform(0.05, 0.25) * size, 7, 0.6)
        sheet.line(points, width, 1.0)
        tips += [
            (points[-1], angle + rng.normal(0, 0.6), width * rng.uniform(0.6, 0.95))
            for _ in range(rng.integers(1, 3))
            if width > 0.6
        ]
    return sheet.field()


def draw_tracks(rng: np.random.Generator, size: int) -> np.ndarray:
    """A printed circuit: tracks at multiples of 45 degrees that end in pads, with holes, and a few areas."""
    sheet = Strokes(size)
    pitch = rng.uniform(8, 40)
    width = pitch * rng.uniform(0.15, 0.7)
    is_round = rng.random() < 0.6
    for _ in range(rng.integers(0, 4)):
        sheet.block(rng.uniform(0, size, 2), rng.uniform(0.1, 0.6) * size, rng.uniform(0.1, 0.5) * size, 1.0)
    for _ in range(round(rng.uniform(0.1, 0.8) * (size / pitch) ** 1.5)):
        points = [np.round(rng.uniform(0, size, 2) / pitch) * pitch]
        heading = rng.integers(8)
        for _ in range(rng.integers(1, 6)):
            points.append(points[-1] + rng.integers(1, 8) * pitch * _COMPASS[heading])
            heading = (heading + rng.choice([-1, 1])) % 8
        sheet.line(np.array(points), width, 1.0, is_round=is_round)
        if rng.random() < 0.7:
            _draw_pad(rng, sheet, points[-1], pitch)
    return sheet.field()


_COMPASS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)], dtype=np.float32)


def _draw_pad(rng: np.random.Generator, sheet: Strokes, centre: np.ndarray, pitch: float) -> None:
    radius = pitch * rng.uniform(0.3, 1.2)
    if rng.random() < 0.3:
        sheet.block(centre, 2 * radius, radius * rng.uniform(0.6, 3), 1.0)
        return
    sheet.disc(centre, radius, 1.0)
    if rng.random() < 0.5:
        sheet.disc(centre, radius * rng.uniform(0.3, 0.7), 0.0)


def draw_writing(rng: np.random.Generator, size: int) -> np.ndarray:
    """Rows of made-up letters: each a few strokes between nine points, the same alphabet all over the sheet."""
    sheet = Strokes(size)
    high = rng.uniform(8, 60)
    wide, weight, is_round = high * rng.uniform(0.4, 0.9), high * rng.uniform(0.06, 0.25), rng.random() < 0.5
    alphabet = [_letter(rng) for _ in range(rng.integers(3, 12))]
    gap, lead, slant = rng.uniform(1.15, 1.6), rng.uniform(1.2, 2.2), rng.choice([0.0, rng.uniform(-0.3, 0.3)])
    for y in np.arange(rng.uniform(0, high), size, high * lead):
        for x in np.arange(rng.uniform(0, wide), size, wide * gap):
            if rng.random() < 0.12:  # a space between words
                continue
            for stroke in alphabet[rng.integers(len(alphabet))]:
                points = stroke * (wide, high) + (x, y)
                points[:, 0] += slant * (y - points[:, 1])
                sheet.line(points, weight, 1.0, is_round=is_round)
    return sheet.field()


def _letter(rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes (n, 2) in the unit square."""
    corners = np.stack(np.meshgrid([0, 0.5, 1], [0, 0.5, 1]), -1).reshape(-1, 2)
    return [corners[rng.choice(9, rng.integers(2, 5), replace=False)] for _ in range(rng.integers(1, 3))]


def _walk(rng: np.random.Generator, start: np.ndarray, angle: float, length: float, n: int, bend: float) -> np.ndarray:
    """Points (n + 1, 2) of a way whose direction drifts by about `bend` radians a step."""
    angles = angle + np.cumsum(rng.normal(0, bend, n))
    steps = np.stack([np.cos(angles), np.sin(angles)], 1) * (length / n)
    return np.concatenate([start[None], start + np.cumsum(steps, 0)]).astype(np.float32)
