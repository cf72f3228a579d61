"""The pictures of inspected images, small and large, never of another image than was scored; and where a score comes
from. Imports no torch.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wtflow.datasets.pictures import decode_picture
from wtflow.errors import ImageChangedError, ImageReadError
from wtflow.failures.score_origin import origin
from wtflow.inspecting import kept
from wtflow.plots.localization import MAX_SIDE_PX, encode_localization
from wtflow.plots.pictures import encode_jpeg, no_picture, overlay, thumbnail, to_uint8
from wtflow.records.inspect import Inspected, Inspection
from wtflow.store.runs import RunStore

OPACITY: Final = 0.6
"""Of the map over a small picture, as in the gallery of a run."""
CHANGED: Final = "The file has changed since it was inspected; this is the small picture that was kept."
GONE: Final = "The file is gone; this is the small picture that was kept."
NOTHING: Final = "Nothing is left of this image: no picture was kept, and the file is gone or has changed."


@dataclass(frozen=True, slots=True)
class ShownImage:
    """What stands for an inspected image, uint8 (H, W, 3), and why it is not the file itself; empty where it is."""

    pixels: np.ndarray
    note: str = ""
    is_there: bool = True


def small_picture(store: RunStore, inspection: Inspection, row: Inspected, *, with_map: bool, size_px: int) -> bytes:
    """JPEG of an image, its longer side at most `size_px`, under its map or alone. Of an image of which nothing is
    left, a grey picture that is crossed out, under its map.
    """
    shown = kept_picture(store, inspection, row) or full_picture(store, inspection, row)
    pixels = thumbnail(shown.pixels, size_px)
    values = kept.pixel_map(store, inspection, row) if with_map else None
    if values is not None and inspection.facts is not None:
        pixels = overlay(pixels, values, inspection.facts.color_range, OPACITY)
    return encode_jpeg(pixels)


def kept_picture(store: RunStore, inspection: Inspection, row: Inspected) -> ShownImage | None:
    """The small picture that was kept with an inspection; None where there is none, or where it is damaged."""
    encoded = kept.picture(store, inspection, row)
    if encoded is None:
        return None
    try:
        return ShownImage(decode_picture(encoded, row.image))
    except ImageReadError:
        return None


def full_picture(store: RunStore, inspection: Inspection, row: Inspected) -> ShownImage:
    """An image at its full size if the file is unchanged; else the small picture, and why."""
    try:
        return ShownImage(to_uint8(kept.original(inspection, row)))
    except ImageReadError as error:
        small = kept_picture(store, inspection, row)
        if small is not None:
            return ShownImage(small.pixels, CHANGED if isinstance(error, ImageChangedError) else GONE)
        height, width = (row.height, row.width) if row.height and row.width else (256, 256)
        return ShownImage(no_picture(height, width), NOTHING, is_there=False)


def encode_inspected(
    store: RunStore, inspection: Inspection, row: Inspected
) -> tuple[dict[str, object] | None, bytes, str]:
    """What the browser draws of an image with its map (None where no map was kept), the image alone as a JPEG, and why
    it is not the file as it is now. What reaches the threshold is outlined.
    """
    shown = full_picture(store, inspection, row)
    raw, values = kept.raw_map(store, inspection, row), kept.pixel_map(store, inspection, row)
    encoded = None
    if raw is not None and values is not None and inspection.facts is not None:
        outlined, color_range = values >= row.threshold, inspection.facts.color_range
        encoded = encode_localization(shown.pixels, values, raw, mask=outlined, ignored=None, color_range=color_range)
    return encoded, encode_jpeg(thumbnail(shown.pixels, MAX_SIDE_PX)), shown.note


def origin_words(store: RunStore, inspection: Inspection, row: Inspected) -> str:
    """Whether a place or the image as a whole determined the score, in a sentence; empty where that cannot be told."""
    values = kept.pixel_map(store, inspection, row)
    if values is None or inspection.facts is None:
        return ""
    return origin(row.score, row.whole_score, values, inspection.facts.top_fraction, row.threshold)
