"""Small pictures of scored images, which a run keeps for itself: what it saw, as WebP of some 10 to 20 kB."""

import io

import numpy as np
from PIL import Image

from wtflow.datasets.decode import decode_image
from wtflow.records.shapes import Shape

QUALITY = 90
"""Fine scratches survive. Measured: 4 kB for screws and 7 kB for circuit boards of 256 x 256, 21 kB for magnetic tiles
of 252 x 603.
"""
MOST_OF_TILES = 512
"""Shorter side of a picture of an image that was cut into tiles: some 40 kB."""
MOST_TIMES_LONGER = 4
"""A strip that is longer than so many times the shorter side of the run's size is kept smaller."""


def side_of(image_size: int, canvas: Shape | None) -> int:
    """Shorter side in pixels of the pictures of a run: its image size, or that of the whole image where it is cut into
    tiles, within limits.
    """
    return image_size if canvas is None else max(image_size, min(*canvas, MOST_OF_TILES))


def shrink_picture(pixels: np.ndarray, size_px: int) -> np.ndarray:
    """uint8 (h, w, 3): a picture (H, W, 3) with its shorter side `size_px` and its longer side at most four times as
    long. The aspect stays, and nothing is made larger.
    """
    sides = sorted(pixels.shape[:2])
    factor = min(1.0, size_px / sides[0], MOST_TIMES_LONGER * size_px / sides[1])
    if factor == 1.0:
        return pixels
    height, width = (max(1, round(side * factor)) for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def encode_picture(pixels: np.ndarray) -> bytes:
    """WebP of uint8 (H, W, 3)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()


def decode_picture(encoded: bytes, name: str) -> np.ndarray:
    """uint8 (H, W, 3) of what `encode_picture` made. Raises ImageReadError."""
    return decode_image(encoded, name).pixels


def stretch_picture(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """float32 (height, width, 3) in [0, 1] of uint8 (H, W, 3): a picture brought to the shape of a map."""
    resized = Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(resized).astype(np.float32) / 255
