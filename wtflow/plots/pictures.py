"""Pictures from arrays: bytes, thumbnails, heat colours and overlays."""

import base64
import io
from typing import Final

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from wtflow.plots.contours import outline
from wtflow.plots.theme import COLOURS, HEAT

__all__ = [
    "colour_map",
    "crop_around",
    "data_uri",
    "draw_outline",
    "encode_heat",
    "encode_jpeg",
    "encode_png",
    "no_picture",
    "outline",
    "overlay",
    "shrunk",
    "thumbnail",
    "to_uint8",
]

CROP_CELLS: Final = 7
"""Positions along a side of a crop: enough to recognise the place."""

NOTHING: Final = (128, 128, 128)
NOTHING_CROSS: Final = (160, 160, 160)
"""Neither light nor dark, so that a map shows on it."""

JPEG_QUALITY: Final = 90
"""Fine scratches survive; at 80 they begin to smear."""


def to_uint8(image: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) of an image that is float in [0, 1] or uint8, (H, W, 3) or grey (H, W).
    Floats beyond [0, 1] are cut.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8:
        image = (np.clip(image.astype(np.float32), 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image


def thumbnail(image: np.ndarray, size_px: int) -> np.ndarray:
    """uint8 (h, w, 3) with its longer side `size_px` or, where the image is smaller, unchanged."""
    picture = Image.fromarray(to_uint8(image))
    picture.thumbnail((size_px, size_px), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def shrunk(values: np.ndarray, most_px: int) -> np.ndarray:
    """float32 (h, w): a map (H, W) with its longer side `most_px` or, where it is smaller, unchanged."""
    values = np.asarray(values, dtype=np.float32)
    factor = most_px / max(values.shape)
    if factor >= 1:
        return values
    height, width = (max(1, round(side * factor)) for side in values.shape)
    return np.asarray(Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR))


def no_picture(height: int, width: int) -> np.ndarray:
    """uint8 (height, width, 3) that stands for an image of which nothing is left: grey, crossed out."""
    picture = Image.new("RGB", (width, height), NOTHING)
    draw = ImageDraw.Draw(picture)
    thickness = max(1, min(height, width) // 64)
    draw.line([0, 0, width, height], fill=NOTHING_CROSS, width=thickness)
    draw.line([0, height, width, 0], fill=NOTHING_CROSS, width=thickness)
    return np.asarray(picture)


def crop_around(image: np.ndarray, grid_row: int, grid_column: int, shape: tuple[int, int], size_px: int) -> np.ndarray:
    """uint8 (size_px, size_px, 3): seven by seven positions of a grid of `shape` (h, w) around one
    of them, which is framed.

    At the border of the image the window moves inward, so that it is always full; a grid smaller than the window is
    shown whole.
    """
    image = to_uint8(image)
    cell = image.shape[0] / shape[0], image.shape[1] / shape[1]
    window = [min(CROP_CELLS, n) * side for n, side in zip(shape, cell, strict=True)]
    first = [
        max(min((at + 0.5) * side - length / 2, total - length), 0.0)
        for at, side, length, total in zip((grid_row, grid_column), cell, window, image.shape[:2], strict=True)
    ]
    last = [
        min(start + length, total) for start, length, total in zip(first, window, image.shape[:2], strict=True)
    ]  # rounding may reach beyond
    box = (first[1], first[0], last[1], last[0])
    picture = Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BILINEAR, box=box)
    scale = size_px / window[1], size_px / window[0]
    left, top = (grid_column * cell[1] - first[1]) * scale[0], (grid_row * cell[0] - first[0]) * scale[1]
    frame = [left, top, left + cell[1] * scale[0], top + cell[0] * scale[1]]
    draw = ImageDraw.Draw(picture)
    draw.rectangle([frame[0] - 1, frame[1] - 1, frame[2] + 1, frame[3] + 1], outline=COLOURS["halo"], width=3)
    draw.rectangle(frame, outline=COLOURS["truth"], width=1)
    return np.asarray(picture)


def colour_map(pixel_map: np.ndarray, color_range: tuple[float, float]) -> np.ndarray:
    """uint8 (H, W, 3): scores (H, W) in heat colours; scores beyond `color_range` (low, high) get its end colours."""
    return _HEAT_TABLE[_heat_index(_share(pixel_map, color_range))]


def encode_heat(pixel_map: np.ndarray, color_range: tuple[float, float], max_side_px: int) -> bytes:
    """PNG bytes of `colour_map`, lossless up to `max_side_px`; a larger map is shrunk first.

    One byte a pixel and a palette: half the size of three bytes a pixel, and written ten times faster.
    """
    share = _share(pixel_map, color_range)
    height, width = share.shape
    factor = min(1.0, max_side_px / max(height, width))
    picture = Image.fromarray(_heat_index(_stretch(share, round(width * factor), round(height * factor))))
    picture.putpalette(_HEAT_TABLE.ravel().tolist())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def overlay(
    image: np.ndarray,
    pixel_map: np.ndarray,
    color_range: tuple[float, float],
    opacity: float,
    mask: np.ndarray | None = None,
) -> np.ndarray:
    """uint8 (H, W, 3): the image with its map in heat colours over it and, given a mask, the
    outline of the true defect.

    image (H, W, 3) float in [0, 1] or uint8; pixel_map (h, w) is stretched over it; opacity from 0 (the image) to 1
    (the map). In between, low scores cover less than high ones, so that the normal part of the image stays visible.
    """
    image = to_uint8(image)
    height, width = image.shape[:2]
    share = _stretch(_share(pixel_map, color_range), width, height)
    cover = (opacity * share ** (2.0 - 2.0 * opacity))[..., None]
    heat = _HEAT_TABLE[_heat_index(share)]
    mixed = np.rint(image + cover * (heat.astype(np.float32) - image)).astype(np.uint8)
    return mixed if mask is None else draw_outline(mixed, mask)


def draw_outline(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): the image, uint8, with the outline of a mask, bool (h, w), stretched over it: light within dark,
    so that it shows on any ground.
    """
    height, width = image.shape[:2]
    scale = np.array([width / mask.shape[1], height / mask.shape[0]])
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    thin = max(1, round(max(height, width) / 200))
    lines = [[tuple(point) for point in np.stack(line, axis=1) * scale - 0.5] for line in outline(mask)]
    for name, thickness in (("halo", 3 * thin), ("truth", thin)):
        for line in lines:
            draw.line(line, fill=COLOURS[name], width=thickness, joint="curve")
    return np.asarray(picture)


def encode_jpeg(image: np.ndarray) -> bytes:
    """JPEG bytes of an image, full colour resolution."""
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def encode_png(image: np.ndarray) -> bytes:
    """PNG bytes of an image, lossless."""
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(image)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_uri(encoded: bytes) -> str:
    """The bytes of a JPEG or PNG as an address that a browser shows without a request to the server."""
    kind = "png" if encoded.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(encoded).decode()}"


def _heat_table() -> np.ndarray:
    """uint8 (256, 3): `HEAT` in 256 steps, interpolated as Plotly does, so that colour bar and picture agree."""
    stops = np.array([ImageColor.getrgb(colour) for _, colour in HEAT], dtype=float)
    at = [position for position, _ in HEAT]
    steps = np.linspace(0, 1, 256)
    return np.rint(np.stack([np.interp(steps, at, stops[:, c]) for c in range(3)], axis=1)).astype(np.uint8)


_HEAT_TABLE: Final = _heat_table()


def _share(pixel_map: np.ndarray, color_range: tuple[float, float]) -> np.ndarray:
    """float32 (H, W) in [0, 1]: where each score lies in the range; 0 everywhere when the range is empty."""
    low, high = color_range
    span = float(high) - float(low)
    values = np.asarray(pixel_map, dtype=np.float32)
    return np.clip((values - np.float32(low)) / np.float32(span), 0.0, 1.0) if span > 0 else np.zeros_like(values)


def _heat_index(share: np.ndarray) -> np.ndarray:
    return np.rint(share * 255).astype(np.uint8)


def _stretch(share: np.ndarray, width: int, height: int) -> np.ndarray:
    if share.shape == (height, width):
        return share
    return np.clip(np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR)), 0.0, 1.0)
