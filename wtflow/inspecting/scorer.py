"""Images read, decoded, scored and measured, a few at a time; each core of a CPU works on its own. Imports torch."""

import hashlib
import io
import math
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from wtflow.datasets.decode import Decoded, decode_image, read_bytes
from wtflow.datasets.images import to_rgb
from wtflow.datasets.looks import measure_look
from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import Found, pixel_maps, score_images
from wtflow.errors import ImageReadError
from wtflow.features.extract import BATCH, PORTION, threads_for
from wtflow.inspecting.kept import N_NEAREST
from wtflow.inspecting.sources import Item, stamp_now
from wtflow.machine.prefetch import n_helpers, prepared_ahead
from wtflow.records.inspect import DetectorFacts, Inspected
from wtflow.records.shapes import at_once

PICTURE_PX: Final = 320
"""Longer side of a small picture: that of a card, for screens with two pixels per point."""
PICTURE_QUALITY: Final = 85
MOST_LOOKS: Final = 3
"""How often a file is read again that changes while it is read."""


class Scored(NamedTuple):
    """Some images in their order. maps (M, h, w), means (M, K) and pictures are of the M rows without a problem."""

    rows: list[Inspected]
    maps: np.ndarray
    means: np.ndarray
    pictures: list[bytes]


class Read(NamedTuple):
    """Some images before they are scored; `images` and `pictures` are of rows without a problem."""

    rows: list[Inspected]
    images: np.ndarray
    """float32 (M, H, W, 3)."""
    pictures: list[bytes]


@dataclass(frozen=True)
class Scorer:
    """Scores images with an opened detector. Nothing in it changes, so threads may share it."""

    opened: OpenedDetector
    facts: DetectorFacts
    keeps_pictures: bool = True
    network: Callable[[np.ndarray], Found] | None = None
    """What computes instead of torch on a CPU; several threads call it at once."""

    @property
    def n_each(self) -> int:
        """Images of a portion."""
        most = PORTION if self._is_cpu else BATCH
        return at_once(most, self.opened.settings.image_size, self.opened.shape)

    def score(self, portions: Sequence[Sequence[Item]]) -> Generator[Scored, None, None]:
        """Each portion scored, in order; a few are worked on ahead. Close it to end early."""
        numbers = range(len(portions))
        if self._is_cpu:
            tiles = None if self.opened.settings.tile == "off" else self.opened.shape
            n_threads = threads_for(tiles)
            with closing(
                prepared_ahead(
                    lambda number: self._scored(self.read(portions[number])),
                    numbers,
                    n_threads if min(n_threads, len(portions)) > 1 else 0,
                )
            ) as found:
                yield from found
            return
        with closing(prepared_ahead(lambda number: self.read(portions[number]), numbers, n_helpers())) as found:
            yield from map(self._scored, found)

    @property
    def _is_cpu(self) -> bool:
        return self.opened.backbone.device.type == "cpu"

    def read(self, items: Iterable[Item]) -> Read:
        """Rows of these images without scores, and the images of those that can be read."""
        rows, images, pictures = [], [], []
        for item in items:
            row, image, picture = self._read_one(item)
            rows.append(row)
            if image is not None:
                images.append(image)
                pictures.append(picture)
        height, width = self.opened.shape
        return Read(rows, np.stack(images) if images else np.empty((0, height, width, 3), np.float32), pictures)

    def _read_one(self, item: Item) -> tuple[Inspected, np.ndarray | None, bytes]:
        """The row so far, the image for the network and its small picture; without the latter two for a broken one."""
        row = Inspected(item.image, str(item.path), threshold=self.facts.decision.value, stamp=item.stamp)
        try:
            data, stamp = read_settled(item)
            row = replace(row, sha256=hashlib.sha256(data).hexdigest(), stamp=stamp)
            decoded = decode_image(data, item.image, self.opened.settings.background)
        except ImageReadError as error:
            return replace(row, problem=str(error), at=time.time()), None, b""
        image = to_rgb(decoded, self.opened.shape)
        height, width = decoded.pixels.shape[:2]
        look = measure_look(image)._asdict()
        picture = small_picture(decoded) if self.keeps_pictures else b""
        return replace(row, height=height, width=width, **look), image, picture

    def _scored(self, read: Read) -> Scored:
        if not len(read.images):
            empty = np.empty((0, *self.facts.map_shape), np.float32)
            return Scored(read.rows, empty, np.empty((0, self.facts.n_features), np.float32), [])
        found = score_images(self.opened, read.images) if self.network is None else self.network(read.images)
        large, threshold, at = pixel_maps(self.opened, found), self.facts.decision.value, iter(range(len(read.images)))
        rows = []
        for row in read.rows:
            if row.problem:
                rows.append(row)
                continue
            i = next(at)
            score = float(found.scores[i])
            place = np.unravel_index(int(large[i].argmax()), large[i].shape)
            sides = zip(place, (row.height, row.width), large[i].shape, strict=True)
            peak_row, peak_column = (int((at + 0.5) * of_file / of_map) for at, of_file, of_map in sides)
            rows.append(
                replace(
                    row,
                    score=score,
                    verdict="defective" if score >= threshold else "normal",
                    peak_row=peak_row,
                    peak_column=peak_column,
                    area=float((large[i] >= threshold).mean()),
                    whole_score=float(found.whole[i]),
                    level=float(np.median(found.maps[i])),
                    nearest=self._nearest(found.means[i]),
                    at=time.time(),
                )
            )
        return Scored(rows, found.maps, found.means, read.pictures if self.keeps_pictures else [])

    def _nearest(self, mean: np.ndarray) -> tuple[tuple[str, float], ...]:
        if self.opened.index is None or not len(self.opened.index[0]):
            return ()
        ids, vectors = self.opened.index
        distance = np.linalg.norm(vectors - mean, axis=1)
        return tuple((ids[i], float(distance[i])) for i in np.argsort(distance, kind="stable")[:N_NEAREST])


def read_settled(item: Item) -> tuple[bytes, tuple[int, ...]]:
    """The bytes of a file with the stamp that it had before and after they were read. Raises ImageReadError, also for
    one that goes on changing.
    """
    for _ in range(MOST_LOOKS):
        before = stamp_now(item.path)
        data = read_bytes(item.path, item.image)
        if before == stamp_now(item.path) and before and before[0] == len(data):
            return data, before
    raise ImageReadError(f"{item.image} is still being written.", fix="Wait until it is complete, then inspect it.")


def small_picture(decoded: Decoded) -> bytes:
    """A JPEG of an image, upright, in its own aspect, longer side at most `PICTURE_PX`."""
    pixels = decoded.pixels
    step = max(1, math.ceil(max(pixels.shape[:2]) / (4 * PICTURE_PX)))
    pixels = pixels[::step, ::step]  # of a huge image every few pixels: a picture needs no more
    if decoded.white != 255:
        pixels = (pixels.astype(np.float32) * (255 / decoded.white) + 0.5).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((PICTURE_PX, PICTURE_PX), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=PICTURE_QUALITY)
    return buffer.getvalue()
