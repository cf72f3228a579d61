"""What the three demo products share: the drawing grid, random fields, and the camera that
turns light into a photograph.

Scenes are drawn twice as fine as the image and averaged, so that edges are as soft as a lens makes them. Coordinates
are image pixels from the centre: x to the right, y down, both from -128 to 128.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

SIZE_PX = 256
"""Side of a demo image."""
FINE = 2
"""Drawing points per image pixel and axis."""
SIDE = SIZE_PX * FINE

_LENS_BLUR_PX = 0.55
_WHITE = 2.2
"""Light at which the film is fully exposed; highlights roll off towards it instead of being cut."""
_READ_NOISE, _SHOT_NOISE = 0.0045, 0.0085
"""Noise of the sensor in units of full scale: in the dark, and added in the light."""


class Pose(NamedTuple):
    """Where a product lies: `shift_x`, `shift_y` in pixels, `angle` in radians clockwise as seen, `scale` about 1."""

    shift_x: float
    shift_y: float
    angle: float
    scale: float

    def to_object(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Image coordinates seen from the product."""
        cos, sin = np.float32(np.cos(self.angle) / self.scale), np.float32(np.sin(self.angle) / self.scale)
        dx, dy = x - np.float32(self.shift_x), y - np.float32(self.shift_y)
        return cos * dx + sin * dy, cos * dy - sin * dx

    def to_image(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the product as image coordinates."""
        cos, sin = np.cos(self.angle) * self.scale, np.sin(self.angle) * self.scale
        a, b = points[:, 0], points[:, 1]
        return np.stack([cos * a - sin * b + self.shift_x, sin * a + cos * b + self.shift_y], axis=1)

    def turn(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Directions of the product as directions in the image."""
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        return cos * a - sin * b, sin * a + cos * b


def pixel_grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y of every drawing point, float32, shapes (1, SIDE) and (SIDE, 1)."""
    line = ((np.arange(SIDE, dtype=np.float32) + 0.5) / FINE) - SIZE_PX / 2
    return line[None, :], line[:, None]


def smooth_noise(rng: np.random.Generator, cell_px: float, cell_y_px: float | None = None) -> np.ndarray:
    """A random field (SIDE, SIDE), mean 0 and deviation near 1, that changes over `cell_px` pixels (per axis when
    two are given).
    """
    wide = max(2, round(SIZE_PX / cell_px)) + 3
    high = max(2, round(SIZE_PX / (cell_y_px or cell_px))) + 3
    coarse = rng.standard_normal((high, wide), dtype=np.float32)
    inner = (1.0, 1.0, wide - 1.0, high - 1.0)
    field = Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=inner)
    return np.asarray(field) * 1.35


def enlarge(field: np.ndarray) -> np.ndarray:
    """A soft field that was worked out on fewer points, over the whole grid (SIDE, SIDE)."""
    return np.asarray(Image.fromarray(field).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def white_noise(rng: np.random.Generator) -> np.ndarray:
    """Independent values (SIDE, SIDE), mean 0, deviation 1."""
    return rng.standard_normal((SIDE, SIDE), dtype=np.float32)


def smoothstep(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between; `low` may be the larger one."""
    t = np.clip((value - low) * (1 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def colour(*rgb: float) -> np.ndarray:
    return np.array(rgb, dtype=np.float32)


def mix(base: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`base` with `share` (H, W) of it replaced by `other`; both (H, W), or both (H, W, 3) or a colour."""
    return base + (share if base.ndim == 2 else share[..., None]) * (other - base)


def photograph(light: np.ndarray) -> np.ndarray:
    """The picture a camera without noise would take, float32 (SIZE_PX, SIZE_PX, 3) in [0, 1], of a scene's light
    (SIDE, SIDE, 3).
    """
    small = light[0::2, 0::2] + light[1::2, 0::2] + light[0::2, 1::2] + light[1::2, 1::2]
    small = ndimage.gaussian_filter(small * 0.25, (_LENS_BLUR_PX, _LENS_BLUR_PX, 0), truncate=3.0)
    small = np.maximum(small, 0)
    exposed = small * (1 + small / _WHITE**2) / (1 + small)
    return np.minimum(exposed, 1) ** (1 / 2.2)


def add_sensor_noise(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture as the sensor delivers it, uint8:
    noise that grows with light, in part shared by neighbours and colours.
    """
    height, width = picture.shape[:2]
    grain = 0.8 * rng.standard_normal((height + 1, width + 1, 3), dtype=np.float32)
    grain += 0.6 * rng.standard_normal((height + 1, width + 1, 1), dtype=np.float32)
    grain = 0.85 * grain[1:, 1:] + 0.25 * (grain[:-1, 1:] + grain[1:, :-1] + grain[:-1, :-1])
    grain *= _READ_NOISE + _SHOT_NOISE * np.sqrt(picture)
    grain += picture
    return np.rint(np.clip(grain, 0, 1) * 255).astype(np.uint8)
