"""What a person drew on the test images, at the size of a run's maps: regions, and pixels left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

LeftOutCode = Literal["missing", "unreadable", "size", "empty", "unclear"]

FULL, HALF, THIN = 0.9, 0.5, 0.25
"""Where pixels have to be told apart, a region that fills a pixel (FULL) has those that it covers by HALF; a thinner
one those of which it covers THIN of what it covers of its fullest: the whole length of a scratch.
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one image at map size (H, W).

    A region is an 8-connected region of the mask at the mask's own size. None is lost, split or joined by the size of
    the map: entry i says that region `region[i]` covers the share `share[i]` of the area of map pixel `pixel[i]`, and
    two regions may share a pixel. An image without regions is normal.
    """

    shape: tuple[int, int]
    pixel: np.ndarray
    """int32 (K,): flat index of a map pixel."""
    region: np.ndarray
    """int32 (K,): from 0, rising."""
    share: np.ndarray
    """float32 (K,): above 0, at most 1."""
    left_pixel: np.ndarray
    """int32 (L,): flat indices of map pixels that a person wants left out, wholly or in part."""
    left_share: np.ndarray
    """float32 (L,): the share that is left out."""

    @property
    def is_normal(self) -> bool:
        return not len(self.pixel)

    @property
    def n_regions(self) -> int:
        return int(self.region[-1]) + 1 if len(self.region) else 0

    @property
    def areas(self) -> np.ndarray:
        """float64 (R,): the area of each region in map pixels."""
        return np.bincount(self.region, self.share.astype(np.float64), minlength=self.n_regions)

    @property
    def n_small(self) -> int:
        """Regions smaller than one pixel of the map."""
        return int((self.areas < 1 - 1e-6).sum())

    @property
    def defect(self) -> np.ndarray:
        """float64 (H, W): the share of each pixel that a defect covers."""
        return self._spread(self.pixel, self.share)

    @property
    def left_out(self) -> np.ndarray:
        """float64 (H, W): the share of each pixel that counts in neither class."""
        return self._spread(self.left_pixel, self.left_share)

    @property
    def normal(self) -> np.ndarray:
        """float64 (H, W): the share of each pixel that is normal."""
        normal = np.clip(1.0 - self.defect - self.left_out, 0.0, 1.0)
        return np.where(normal < 1e-6, 0.0, normal)  # shares are float32: what is left of a full pixel is rounding

    @property
    def in_regions(self) -> np.ndarray:
        """bool (K,): the entries that count as pixels of their region, where pixels are told apart."""
        fullest = np.zeros(self.n_regions, np.float32)
        np.maximum.at(fullest, self.region, self.share)
        least = np.where(fullest >= FULL, HALF, THIN * fullest)
        return self.share >= least[self.region] - 1e-6

    @property
    def mask(self) -> np.ndarray:
        """bool (H, W): the pixels of all regions."""
        mask = np.zeros(self.shape, bool)
        mask.ravel()[self.pixel[self.in_regions]] = True
        return mask

    @property
    def ignored(self) -> np.ndarray:
        """bool (H, W): pixels outside the regions of which half or more is left out."""
        return (self.left_out >= 0.5) & ~self.mask

    def _spread(self, pixel: np.ndarray, share: np.ndarray) -> np.ndarray:
        n = self.shape[0] * self.shape[1]
        return np.bincount(pixel, share.astype(np.float64), minlength=n).reshape(self.shape)


def normal_truth(shape: tuple[int, int]) -> Truth:
    """The truth of a normal image: no region, nothing left out."""
    none, nothing = np.zeros(0, np.int32), np.zeros(0, np.float32)
    return Truth(shape, none, none, nothing, none, nothing)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why pixel metrics leave a defective image out: a code to count by, and a sentence."""

    code: LeftOutCode
    reason: str


MISSING = LeftOut("missing", "It has no mask.")
EMPTY = LeftOut("empty", "Its mask marks nothing.")


@dataclass(frozen=True, slots=True)
class RunTruth:
    """The truth of a run's test images at map size, in memory. Normal images are in neither table."""

    shape: tuple[int, int]
    truths: Mapping[str, Truth]
    """By sample id: defective images whose mask is used."""
    left_out: Mapping[str, LeftOut]
    """By sample id: the other defective images."""

    def of(self, sample_id: str, *, is_defective: bool) -> Truth | None:
        """The truth of an image; None where pixel metrics leave it out."""
        return self.truths.get(sample_id) if is_defective else normal_truth(self.shape)

    def why(self, sample_id: str) -> LeftOut:
        """Why pixel metrics leave a defective image out."""
        return self.left_out.get(sample_id, MISSING)
