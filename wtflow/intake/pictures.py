"""Pictures of the images of a data set, as WebP: small ones for the grid, which are kept with the set and can always be
drawn anew, and large ones to look at and draw on.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from wtflow.datasets.decode import read_image
from wtflow.datasets.pictures import encode_picture
from wtflow.errors import ImageReadError, StoreError
from wtflow.records.intake import Item
from wtflow.store.datasets import folder_of, original_of
from wtflow.store.files import write_atomic
from wtflow.store.runs import RunStore

SMALL = "small"
SMALL_PX = 256
"""Longer side of a small picture: the widest tile of the grid. Some 8 kB."""
LARGE_PX = 2048
"""Longer side of a large one: more than most screens are high; a browser decodes it in an instant."""


def small_picture(store: RunStore, name: str, item: Item) -> bytes:
    """WebP of an image, its longer side at most `SMALL_PX`: the kept one, or a new one, which is kept. Raises
    ImageReadError where the original is gone or damaged.
    """
    path = _kept(store, name, item)
    try:
        if kept := path.read_bytes():
            return kept
    except OSError:
        pass  # not drawn yet
    drawn = large_picture(store, name, item, SMALL_PX)
    try:
        write_atomic(path, lambda file: file.write(drawn), is_flushed=False)
    except StoreError:
        return drawn  # a disk that takes no pictures: they are drawn each time
    return drawn


def large_picture(store: RunStore, name: str, item: Item, most_px: int = LARGE_PX) -> bytes:
    """WebP of an image, its longer side at most `most_px`. Raises ImageReadError."""
    return picture_of_file(original_of(store, name, item), item.name, most_px)


def picture_of_file(path: Path, name: str, most_px: int = LARGE_PX) -> bytes:
    """The same of any image file, called `name` in errors. Raises ImageReadError."""
    image = read_image(path, name)
    pixels = image.pixels
    if pixels.dtype != np.uint8:
        pixels = np.round(pixels.astype(np.float32) * (255 / image.white)).astype(np.uint8)
    picture = Image.fromarray(pixels).convert("RGB")
    picture.thumbnail((most_px, most_px), Image.Resampling.LANCZOS)
    return encode_picture(np.asarray(picture))


def fill_small(
    store: RunStore, name: str, items: Iterable[Item], progress: Callable[[int, int], None] | None = None
) -> None:
    """Draw the small pictures that are not there yet, so that the grid opens at once. Broken originals are passed
    over: they show where they are asked for. progress: called with (images done, images in all).
    """
    wanted = [item for item in items if not _kept(store, name, item).exists()]
    for done, item in enumerate(wanted, start=1):
        try:
            small_picture(store, name, item)
        except ImageReadError:
            continue
        finally:
            if progress is not None:
                progress(done, len(wanted))


def _kept(store: RunStore, name: str, item: Item) -> Path:
    return folder_of(store, name) / SMALL / f"{item.id}.webp"
