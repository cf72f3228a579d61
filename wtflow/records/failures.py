"""What is known of a run's wrong calls: facts of its test images, rates per defect type, regions, what explains misses.
NumPy and plain values.

N test images in the order of the run's table; a fact that an image does not have is NaN. Lengths are shares of the
image's sides at the size that the run maps it at, which without tiles is square for every shape of the file.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts of N test images that no threshold changes. float64 (N,) unless stated otherwise."""

    row: np.ndarray
    """int64: the image's `row` in the run's score table."""
    area: np.ndarray
    """Share of the image that the mask covers, 0 to 1."""
    contrast: np.ndarray
    """Distance of the mean colour inside the mask from that of a ring around it, in spreads of the ring's colour;
    see `regions.contrast`.
    """
    border: np.ndarray
    """Distance of the mask's centroid to the nearest border, 0 to 0.5."""
    n_regions: np.ndarray
    """8-connected regions of the mask."""
    peak_border: np.ndarray
    """Distance of the highest position's centre to the nearest border, 0 to 0.5; every image has it."""
    peak_on_defect: np.ndarray
    """1 where the highest position or one next to it touches the mask, else 0."""
    problem: np.ndarray
    """str: why a defective image lacks facts, in a sentence; empty where nothing is wrong."""
    aupro: dict[str, float | None]
    """Defect type -> AUPRO of its images and all normal ones; None where it is not defined."""

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True)
class NearestNormals:
    """The training normal whose mean feature at t=0 lies nearest to that of each of N test images."""

    row: np.ndarray
    """int64 (N,)"""
    sample_id: np.ndarray
    """str (N,): the training image."""
    distance: np.ndarray
    """float64 (N,): Euclidean, between normalised mean features."""


@dataclass(frozen=True, slots=True)
class TypeRow:
    """How one defect type fares at a threshold. `auroc` and `aupro`: its images against all normal test images."""

    defect: str
    n: int
    n_found: int
    rate_low: float
    rate_high: float
    """95 % Wilson interval of n_found / n."""
    auroc: float | None
    aupro: float | None
    median_area: float | None
    """Of the images with a valid mask; None without one."""
    worst: tuple[str, ...]
    """Sample ids, the lowest scores first."""
    n_marked: int | None = None
    """Images with a valid mask: `aupro` and `median_area` are of these. None where images were not looked at."""

    @property
    def rate(self) -> float:
        return self.n_found / self.n


@dataclass(frozen=True, slots=True)
class AlarmMap:
    """Where normal test images look defective."""

    share: np.ndarray
    """float64 (h, w): share of the normal images whose map exceeds the pixel threshold there."""
    row: np.ndarray
    """int64 (h, w): the image, by its row in the score table, whose map is highest there."""
    threshold: float
    quantile: float
    """The pixel threshold is this quantile of all positions of the normal images."""
    n_images: int
    rim_share: float
    """Share of what exceeds the threshold that lies in the outermost positions; 0 where nothing exceeds it."""
    rim_area: float
    """Share of the positions that are outermost."""
    n_rim_higher: int
    """Images in which a larger share of the outermost positions exceeds it than of the others."""
    n_rim_lower: int


@dataclass(frozen=True, slots=True)
class Region:
    """One 8-connected region. Row and column of its centroid in pixels."""

    row: float
    column: float
    n_pixels: int
    overlap: float
    """Share of its pixels that are in the other picture too: called, for a region of the mask;
    in the mask, for a called one.
    """

    @property
    def is_found(self) -> bool:
        return self.overlap > 0


@dataclass(frozen=True, slots=True)
class RegionReport:
    """A map cut at a pixel threshold, compared with the mask. Counts are pixels at the run's image size."""

    threshold: float
    n_pixels: int
    n_both: int
    n_over: int
    """Called, but outside the mask."""
    n_under: int
    """In the mask, but not called."""
    defects: tuple[Region, ...]
    """Regions of the mask, the largest first."""
    alarms: tuple[Region, ...]
    """Called regions that touch no pixel of the mask, the largest first."""
    n_left_out: int = 0
    """Pixels that a person wants left out: they count in no other number."""
    n_small: int = 0
    """Regions of the mask that are smaller than a pixel; each counts as a region."""

    @property
    def overlap(self) -> float | None:
        """Intersection over union, or None where neither marks a pixel."""
        union = self.n_both + self.n_over + self.n_under
        return self.n_both / union if union else None


@dataclass(frozen=True, slots=True)
class Split:
    """One fact that separates wrong calls from right ones, cut at a single value."""

    fact: str
    bound: float
    is_below: bool
    """Wrong calls gather below the bound (True) or at and above it."""
    n_wrong: int
    n_wrong_inside: int
    n_right: int
    n_right_inside: int
    auroc: float
    """How often the fact of a wrong call is the larger one; 0.5 means no difference."""
    p: float
    """Permutation p-value, corrected for all facts tried."""
    p_within: float | None
    """The same with labels shuffled inside each defect type only;
    None where no type holds both wrong and right calls.
    """


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failing images whose worst positions lie together. `row`: their rows in the score table, the one nearest to
    the middle first.
    """

    number: int
    row: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FailureMap:
    """The worst position of each of N test images on a map of features, and the groups of those called wrongly."""

    row: np.ndarray
    """int64 (N,): rows in the score table, rising."""
    points: np.ndarray
    """float32 (N, 2): only neighbourhoods have a meaning."""
    group: np.ndarray
    """int64 (N,): number of the image's group, 0 for an image called rightly."""
    groups: tuple[FailureGroup, ...]
    """The largest first, numbered from 1."""
    silhouette: float | None
    """Mean silhouette of this number of groups, -1 to 1; None where there was nothing to part."""
