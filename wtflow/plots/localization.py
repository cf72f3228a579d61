"""One image, its map and both in one: what the browser needs to show where the run saw a defect.
assets/localization/ draws it.
"""

import base64
from collections.abc import Mapping
from typing import Final

import numpy as np

from wtflow.plots.contours import outline
from wtflow.plots.pictures import colour_map, data_uri, encode_jpeg, shrunk, thumbnail

MAX_SIDE_PX: Final = 900
"""A picture is about 430 px wide on a screen of up to two pixels per point; larger ones only travel longer."""
MAX_MAP_PX: Final = 512
"""Maps are smooth: their positions lie 8 pixels and more apart."""
LEVELS: Final = np.iinfo(np.uint16).max
"""Steps between the lowest and the highest score of a map: none is seen on any scale."""


def encode_localization(
    image: np.ndarray,
    pixel_map: np.ndarray,
    position_scores: np.ndarray,
    *,
    mask: np.ndarray | None,
    ignored: np.ndarray | None,
    color_range: tuple[float, float],
) -> dict[str, object]:
    """Everything that is drawn of one image, as plain values.

    image: uint8 (H, W, 3); pixel_map: finite floats (S, T), stretched over the image; position_scores: floats (h, w),
    what hovering shows; mask and ignored: bool of any size each, stretched over the image, or None; color_range: (low,
    high) scores at the ends of the run's colour scale. Coordinates are pixels of the image, y downwards.
    """
    height, width = image.shape[:2]
    own = float(pixel_map.min()), float(pixel_map.max())
    return {
        "width": width,
        "height": height,
        "image": data_uri(encode_jpeg(thumbnail(image, MAX_SIDE_PX))),
        "map": _encode_map(shrunk(pixel_map, MAX_MAP_PX)),
        "grid": {
            "rows": position_scores.shape[0],
            "columns": position_scores.shape[1],
            "scores": _text(position_scores.astype("<f4")),
        },
        "scales": {"run": list(map(float, color_range)), "image": list(own)},
        "heat": _text(colour_map(np.arange(256.0)[None], (0.0, 255.0))),
        "truth": _path(mask, width, height),
        "left_out": _path(ignored, width, height),
    }


def _encode_map(values: np.ndarray) -> Mapping[str, object]:
    low, high = float(values.min()), float(values.max())
    span = high - low
    share = (values - low) / span if span > 0 else np.zeros_like(values)
    steps = np.rint(share * LEVELS).astype("<u2")
    return {"width": values.shape[1], "height": values.shape[0], "low": low, "high": high, "values": _text(steps)}


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _path(mask: np.ndarray | None, width: int, height: int) -> str:
    """The border of a mask as a path of SVG, in pixels of the image; empty where it marks nothing."""
    if mask is None or not mask.any():
        return ""
    scale_x, scale_y = width / mask.shape[1], height / mask.shape[0]
    lines = []
    for x, y in outline(mask):
        points = zip((x[:-1] * scale_x).tolist(), (y[:-1] * scale_y).tolist(), strict=True)
        lines.append("M" + "L".join(f"{a:.6g} {b:.6g}" for a, b in points) + "Z")
    return "".join(lines)
