"""The pictures of a run that galleries and hovering show: drawn once, and kept with the run. Imports no torch.

    small = open_small(store, run_id, lambda: open_results(store, run_id))
    small.picture(row, "overlay").jpeg                # drawn if nobody has yet
    fill_small(small, [("overlay", CARD_PX)], progress)  # all of them

Pages and workers use the same files, whoever needs one first draws it. Where the disk takes none, they are drawn each
time.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from wtflow.datasets.masks.live import FileTruth
from wtflow.datasets.stamps import stamp_of
from wtflow.pictures import picture_of
from wtflow.plots.masks import hatch
from wtflow.plots.pictures import draw_outline, encode_jpeg, overlay, thumbnail
from wtflow.results import RunResults, each_image, image_of_row, outline_of, pixel_map, truth_to_draw
from wtflow.store import small_files
from wtflow.store.runs import RunStore

Look = Literal["overlay", "map", "outlined", "image"]
"""The image under its map and the map alone, both with the true defect outlined; the image with the true defect
outlined and stripes over what is left out; the image alone.
"""
CARD_PX: Final = 320
"""Longer side of a picture on a card: twice its width, for screens with two pixels per point."""
OPACITY: Final = 0.6
"""Of the map in the look `overlay`: high scores cover, and the part stays to be recognised."""
DRAWING: Final = 1
"""Goes up when pictures are drawn otherwise, so that those kept before are drawn anew."""


HOVER_PX, LEAST_HOVER_PX, HOVER_IMAGES = 112, 64, 300
"""Pictures shown next to the point under the cursor all travel to the browser at once: of more images than this they
are smaller, so that together they stay as large.
"""


class Small(NamedTuple):
    """A JPEG, and why it does not show the image that was scored (empty where it does)."""

    jpeg: bytes
    note: str = ""


@dataclass(frozen=True, slots=True)
class SmallPictures:
    """The small pictures of a run as it is, from `open_small`."""

    store: RunStore
    results: RunResults
    folder: Path
    holds_pictures: bool
    """Whether the run has pictures of its own; else they are drawn from the images as they lie, and named by those."""

    def picture(self, row: int, look: Look, size_px: int = CARD_PX) -> Small:
        """A picture with its longer side at most `size_px`; drawn and kept where nobody has yet."""
        return self.kept(row, look, size_px) or self.draw(row, [(look, size_px)])[0]

    def kept(self, row: int, look: Look, size_px: int = CARD_PX) -> Small | None:
        """The picture if it was drawn before."""
        found = small_files.read_small(self._path(row, look, size_px))
        return None if found is None else Small(found)

    def draw(self, row: int, looks: Iterable[tuple[Look, int]]) -> list[Small]:
        """Several pictures (look, longer side) of one image, which is read once for all. They are kept, unless the run
        changed meanwhile or nothing is left of the image: then they carry a note, and the image may come back.
        """
        image = image_of_row(self.results.table, row)
        looks, shown = list(looks), picture_of(self.results, image)
        values, made = pixel_map(self.results, row), []
        for look, size_px in looks:
            small = thumbnail(shown.pixels, size_px)
            if look == "outlined":
                truth = truth_to_draw(self.results, image)
                if truth is not None and not truth.is_normal:
                    small = draw_outline(hatch(small, truth.ignored), truth.mask)
            elif look != "image":
                opacity = 1.0 if look == "map" else OPACITY
                small = overlay(small, values, self.results.color_range, opacity, outline_of(self.results, image))
            made.append(Small(encode_jpeg(small), "" if shown.is_there else shown.note))
        if shown.is_there and _folder(self.store, self.results) == self.folder:
            for (look, size_px), one in zip(looks, made, strict=True):
                small_files.keep_small(self._path(row, look, size_px), one.jpeg)
        return made

    def _path(self, row: int, look: Look, size_px: int) -> Path:
        of_file = "" if self.holds_pictures else f"-{_stamp(Path(image_of_row(self.results.table, row).path))}"
        return self.folder / f"{look}-{size_px}-{row:06d}{of_file}.jpg"


def open_small(store: RunStore, run_id: str, open_run: Callable[[], RunResults]) -> SmallPictures:
    """The small pictures of a run. open_run: returns its results as they are now. Raises RunNotFoundError,
    DamagedRunError.
    """
    while True:
        before = small_files.folder_of(store, run_id, {})
        results = open_run()
        if small_files.folder_of(store, run_id, {}) == before:  # else the run was scored again in between
            return SmallPictures(store, results, _folder(store, results), results.seen.holds_pictures())


def fill_small(small: SmallPictures, looks: Iterable[tuple[Look, int]], progress: Callable[[int, int], None]) -> None:
    """Draw what is missing of these pictures (look, longer side) of all test images; `progress` gets (done, total)
    after each image, and may raise to stop. Worst images first, since galleries begin with them.
    """
    looks = list(looks)
    images = list(each_image(small.results.test.sort_values("score", ascending=False)))
    for done, image in enumerate(images, start=1):
        row = int(image.row)
        if missing := [look for look in looks if small.kept(row, *look) is None]:
            small.draw(row, missing)
        progress(done, len(images))


def hover_px(n_images: int) -> int:
    """Longer side of a picture to hover over, when there are so many."""
    return max(LEAST_HOVER_PX, round(HOVER_PX * min(1.0, math.sqrt(HOVER_IMAGES / max(n_images, 1)))))


def hover_looks(n_images: int) -> list[tuple[Look, int]]:
    """The pictures to hover over: the image, and its map."""
    size_px = hover_px(n_images)
    return [("image", size_px), ("map", size_px)]


def looks_of(n_images: int) -> list[tuple[Look, int]]:
    """The pictures of a run with so many test images that pages open with."""
    return [("overlay", CARD_PX), *hover_looks(n_images)]


def _stamp(path: Path) -> str:
    """Differs when a file was written again."""
    try:
        return f"{stamp_of(path.stat()) & (1 << 64) - 1:016x}"
    except OSError:
        return "gone"


def _folder(store: RunStore, results: RunResults) -> Path:
    """Where they lie. Masks as they are now count for a run that holds none of its own."""
    masks = results.truth.stamp if isinstance(results.truth, FileTruth) else ""
    params = {"drawing": DRAWING, "opacity": OPACITY, "masks": masks}
    return small_files.folder_of(store, results.run_id, params)
