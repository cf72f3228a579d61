"""Masks that a person drew in the browser."""

import numpy as np

from wtflow.datasets.decode import decode_image
from wtflow.intake.masks import item_of, remove_mask, write_mask
from wtflow.records.intake import DataSet
from wtflow.store.datasets import mask_of, open_set
from wtflow.store.files import explained
from wtflow.store.runs import RunStore


def keep_drawn(store: RunStore, name: str, item_id: str, png: bytes, *, seen: int | None = None) -> DataSet:
    """The state with the mask that this black and white PNG shows; without one where it is empty. Raises
    ImageReadError for bytes that are no picture, DatasetError for another size, ChangedMeanwhileError.
    """
    marks = marks_of(png)
    if marks is None:
        return remove_mask(store, name, item_id, seen=seen)
    return write_mask(store, name, item_id, marks, seen=seen)


def marks_of(png: bytes) -> np.ndarray | None:
    """bool (H, W), True where a black and white PNG is white; None where it is empty. Raises ImageReadError."""
    if not png:
        return None
    pixels = decode_image(png, "The drawn mask").pixels
    return (pixels if pixels.ndim == 2 else pixels[..., 0]) > 127


def mask_picture(store: RunStore, name: str, item_id: str) -> bytes:
    """The PNG of an image's mask, empty without one. Raises DatasetError for an unknown image."""
    item = item_of(open_set(store, name), item_id)
    path = mask_of(store, name, item)
    with explained(path):
        return path.read_bytes() if item.has_mask and path.is_file() else b""
