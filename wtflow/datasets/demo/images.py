"""Which images the demo consists of, and how each is made: scene, defect, exact mask, camera."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy import ndimage

from wtflow.datasets.demo import capscrew, fabric, flange
from wtflow.datasets.demo.flaws import Flaw
from wtflow.datasets.demo.scene import add_sensor_noise, photograph
from wtflow.errors import DatasetError


class Scene(Protocol):
    def light(self, flaw: Flaw | None = None) -> np.ndarray: ...


class Product(NamedTuple):
    """One demo category: how a piece of it is made from a seed, and what can be wrong with it."""

    scene: Callable[[tuple[int, ...]], Scene]
    defects: tuple[str, ...]


PRODUCTS = {
    "fabric": Product(fabric.FabricScene, fabric.DEFECTS),
    "flange": Product(flange.FlangeScene, flange.DEFECTS),
    "capscrew": Product(capscrew.CapscrewScene, capscrew.DEFECTS),
}


class Counts(NamedTuple):
    """Images per category: training normals, test normals, and test images of each defect type."""

    train: int
    good: int
    defect: int


COUNTS = Counts(train=60, good=30, defect=12)

VISIBLE = 5 / 255
"""Least change of a pixel that counts as the defect's effect: about twice the sensor's noise."""
MIN_AREA_PX, MAX_AREA = 14, 0.35
"""A mask covers at least this number of pixels and at most this share of the image."""
MIN_CONTRAST = 10.0
"""Least mean change inside the mask in grey levels: a hard defect, not an invisible one."""
_HARDEST = 0.3
"""Severity of the last image of each defect type. At 0 a person who looks at the right place hardly sees it, and a demo
should show hits and misses.
"""
_SPECK_PX = 4
"""Smaller separate parts are left out of mask and image alike."""
_N_PLACES, _MAX_TRIES = 8, 24
"""A defect that is not visible at its place is drawn elsewhere;
after this number of places it is also made a little stronger.
"""


@dataclass(frozen=True)
class DemoImage:
    """One image of the demo. `severity` runs from 1 (obvious) to 0 (hard) over the images of a defect type;
    None for normals.
    """

    category: str
    split: str
    defect: str
    index: int
    severity: float | None = None

    @property
    def path(self) -> str:
        """Path below the category."""
        return f"{self.split}/{self.defect}/{self.index:03d}.png"

    @property
    def mask_path(self) -> str | None:
        return None if self.severity is None else f"ground_truth/{self.defect}/{self.index:03d}_mask.png"

    def seed(self, seed: int, purpose: str) -> tuple[int, ...]:
        """A seed for one purpose that no other image and no other purpose shares."""
        return (seed, zlib.crc32(f"{self.category}/{self.path}".encode()), zlib.crc32(purpose.encode()))


class Piece(NamedTuple):
    """What a camera without noise sees of one piece, float32 (S, S, 3) in [0, 1].

    picture: the piece as it is; clean: the same piece without its defect; mask: bool (S, S), where the two differ, None
    for normals.
    """

    picture: np.ndarray
    clean: np.ndarray
    mask: np.ndarray | None

    @property
    def contrast(self) -> float:
        """Mean change inside the mask in grey levels of 255 (the colour that changes most); 0 for normals."""
        return (
            0.0 if self.mask is None else float(np.abs(self.picture - self.clean).max(axis=2)[self.mask].mean() * 255)
        )


def plan_category(category: str) -> tuple[DemoImage, ...]:
    """All images of a category, in the order in which they are written."""
    images = [DemoImage(category, "train", "good", i) for i in range(COUNTS.train)]
    images += [DemoImage(category, "test", "good", i) for i in range(COUNTS.good)]
    for defect in PRODUCTS[category].defects:
        grades = np.linspace(1, _HARDEST, COUNTS.defect)
        images += [DemoImage(category, "test", defect, i, float(grade)) for i, grade in enumerate(grades)]
    return tuple(images)


def draw_piece(image: DemoImage, seed: int) -> Piece:
    """The piece that an image shows; the same image and seed give the same piece.

    Raises DatasetError when no visible defect came about within the tries allowed, which no seed tried so far has done.
    """
    scene = PRODUCTS[image.category].scene(image.seed(seed, "scene"))
    clean = photograph(scene.light())
    if image.severity is None:
        return Piece(clean, clean, None)
    for n in range(_MAX_TRIES):
        severity = min(1.0, image.severity + 0.1 * max(0, n - _N_PLACES + 1))
        flawed = photograph(scene.light(Flaw(image.defect, severity, (*image.seed(seed, "flaw"), n))))
        mask = _effect(np.abs(flawed - clean).max(axis=2))
        piece = Piece(np.where(mask[..., None], flawed, clean), clean, mask)
        if MIN_AREA_PX <= mask.sum() <= MAX_AREA * mask.size and piece.contrast >= MIN_CONTRAST:
            return piece
    raise DatasetError(
        f"The demo image {image.category}/{image.path} showed no defect in {_MAX_TRIES} tries with seed {seed}.",
        fix="Choose another seed.",
    )


def expose(picture: np.ndarray, image: DemoImage, seed: int) -> np.ndarray:
    """The photograph of a picture, uint8 (S, S, 3);
    the sensor's noise depends on the image alone, not on the picture.
    """
    return add_sensor_noise(picture, np.random.default_rng(image.seed(seed, "sensor")))


def _effect(change: np.ndarray) -> np.ndarray:
    """Where a change can be seen: its pixels, pinholes closed, specks left out."""
    mask = change >= VISIBLE
    mask |= ndimage.binary_closing(np.pad(mask, 2), np.ones((3, 3)))[2:-2, 2:-2]
    parts, n = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel(), minlength=n + 1)
    keep = sizes >= _SPECK_PX
    keep[0] = False
    return keep[parts]
