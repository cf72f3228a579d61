"""Masks of a data set: black and white (0 and 255) PNGs at the full size of their images, as drawn here or read from
files. Versions that were published keep the masks that they were published with.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PIL import Image

from wtflow.datasets.decode import read_stored
from wtflow.errors import DatasetError
from wtflow.records.intake import DataSet, Item
from wtflow.store.datasets import change_set, mask_of, open_set
from wtflow.store.files import write_atomic
from wtflow.store.runs import RunStore


def read_mask(store: RunStore, name: str, item_id: str) -> np.ndarray | None:
    """bool (H, W) at the size of the image, True where it is defective; None without a mask. Raises DatasetError,
    ImageReadError.
    """
    item = item_of(open_set(store, name), item_id)
    if not item.has_mask:
        return None
    return read_stored(mask_of(store, name, item), f"The mask of {item.name}").colour > 0


def write_mask(
    store: RunStore, name: str, item_id: str, mask: np.ndarray, *, words: str = "", seen: int | None = None
) -> DataSet:
    """The state with this mask, bool (H, W) at the size of the image; one that marks nothing removes the mask.
    Raises DatasetError for another size or an unknown image, ChangedMeanwhileError.
    """
    if not mask.any():
        return remove_mask(store, name, item_id, seen=seen)
    refuse_other_size(item_of(open_set(store, name), item_id), mask)
    return keep_masks(store, name, {item_id: encode_mask(mask)}, words or "A mask was drawn.", seen=seen)


def keep_masks(
    store: RunStore, name: str, masks: Mapping[str, bytes], words: str, *, seen: int | None = None
) -> DataSet:
    """The state with these masks: id -> its PNG, of the right size. Raises as `write_mask`."""

    def change(old: DataSet) -> DataSet:
        items = dict(old.items)
        for key, content in masks.items():
            item = item_of(old, key)
            # A new file in place of the old one, not written into it: versions share it by a link.
            write_atomic(mask_of(store, name, item), lambda file, content=content: file.write(content))
            items[key] = replace(item, mask=hashlib.sha256(content).hexdigest())
        return replace(old, items=items)

    return change_set(store, name, change, words, seen=seen, ids=masks)


def refuse_other_size(item: Item, mask: np.ndarray) -> None:
    """Raises DatasetError where a mask has another size than its image."""
    if mask.shape != (item.height, item.width):
        raise DatasetError(
            f"The mask of {item.name} has {mask.shape[1]} x {mask.shape[0]} pixels, the image {item.width} x"
            f" {item.height}.",
            fix="Draw it on the image at its full size.",
        )


def remove_mask(store: RunStore, name: str, item_id: str, *, seen: int | None = None) -> DataSet:
    """The state without a mask of this image. Raises DatasetError for an unknown image, ChangedMeanwhileError."""

    def change(old: DataSet) -> DataSet:
        item = item_of(old, item_id)
        return replace(old, items={**old.items, item_id: replace(item, mask="")})

    return change_set(store, name, change, "A mask was removed.", seen=seen, ids=(item_id,))


def encode_mask(mask: np.ndarray) -> bytes:
    """A PNG of 8 bits grey, 255 where the mask is True."""
    file = io.BytesIO()
    Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0))).save(file, "PNG", optimize=False)
    return file.getvalue()


def item_of(data: DataSet, item_id: str) -> Item:
    """The image of an id. Raises DatasetError for an unknown one."""
    found = data.items.get(item_id)
    if found is None:
        raise DatasetError(f"The data set {data.name} has no image {item_id[:80]!r}.", fix="Choose one of its images.")
    return found
