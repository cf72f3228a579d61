"""Were runs counted on the same truth? Compared image by image.

Pixel metrics of two runs say which detector is better only where both were counted on the same masks. A run keeps the
truth that it was counted on; runs of 0.3.0 and earlier keep none and are counted by their masks as they are now.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wtflow.compare.runs import Comparison
from wtflow.errors import ImageReadError
from wtflow.records.shapes import Shape
from wtflow.records.truth import RunTruth, Truth
from wtflow.results import RunResults
from wtflow.store.dataset_versions import version_of

_ROUNDING = 1e-5
"""Shares are float32, and some hundred of them are summed where two map sizes are compared."""


@dataclass(frozen=True, slots=True)
class OwnTruth:
    """What a run is counted on where it stands alone, at the size of its maps."""

    truth: RunTruth | None
    """None: it cannot be told any more."""
    is_kept: bool
    """The run holds it itself. Otherwise these are its masks as they are now."""


@dataclass(frozen=True, slots=True)
class TruthDifferences:
    """Where the truths of compared runs differ, over their common images."""

    differ: tuple[str, ...]
    """Ids of images on which runs have different masks."""
    partly: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...]
    """Numbers of the runs that have a valid mask, and the ids of images of which only they have one."""
    groups: tuple[int | None, ...]
    """Of each run. Runs of one number have the same truth; None: the run has none that can be told."""

    @property
    def are_same(self) -> bool:
        return set(self.groups) == {0}

    @property
    def n(self) -> int:
        """Images on which the truths differ."""
        return len(self.differ) + sum(len(ids) for _, ids in self.partly)

    def is_on(self, sample_id: str) -> bool:
        """Whether the truths differ on this image."""
        return sample_id in self.differ or any(sample_id in ids for _, ids in self.partly)


def own_truth(run: RunResults) -> OwnTruth:
    """The truth of a run. Opens the masks of a run that holds none. Raises StoreError where it is unknown how they are
    to be read.
    """
    if isinstance(run.truth, RunTruth):
        return OwnTruth(run.truth, True)
    try:
        return OwnTruth(run.truth.read_all(), False)
    except ImageReadError:
        return OwnTruth(None, False)


def find_differences(
    comparison: Comparison, own: Sequence[OwnTruth], data: Sequence[dict[str, Any] | None]
) -> TruthDifferences:
    """Compare the truths of the runs on their common images. data: the content of each run's data.json; where it holds
    hashes of masks of one folder, they tell masks apart that maps of different sizes cannot.
    """
    hashes = [mask_hashes(one) for one in data]
    folders = [_folder(run) for run in comparison.runs]
    names = [list(comparison.ids_of(k)[comparison.labels]) for k in range(len(own))]
    ids, known = names[0], [k for k, one in enumerate(own) if one.truth is not None]
    drawn = {k: [own[k].truth.of(name, is_defective=True) for name in names[k]] for k in known}  # pyrefly: ignore

    def is_same(i: int, first: int, second: int) -> bool:
        one, other = drawn[first][i], drawn[second][i]
        if one is None or other is None:
            return one is other
        if one.shape != other.shape and folders[first] == folders[second]:
            pair = [hashes[k].get(names[k][i]) for k in (first, second)]
            if all(pair) and pair[0] != pair[1]:
                return False
        return same_truth(one, other)

    groups: list[int | None] = [None] * len(own)
    heads: list[int] = []
    for k in known:
        group = next((g for g, head in enumerate(heads) if all(is_same(i, head, k) for i in range(len(ids)))), None)
        if group is None:
            group = len(heads)
            heads.append(k)
        groups[k] = group
    differ, partly = [], {}
    for i, name in enumerate(ids):
        having = tuple(k for k in known if drawn[k][i] is not None)
        if having and any(not is_same(i, having[0], k) for k in having[1:]):
            differ.append(name)
        elif 0 < len(having) < len(known):
            partly.setdefault(having, []).append(name)
    return TruthDifferences(tuple(differ), tuple((runs, tuple(names)) for runs, names in partly.items()), tuple(groups))


def _folder(run: RunResults) -> str:
    """The folder of a run's images, or the data set of which it is a version. Masks of another are other files, even
    where they mark the same.
    """
    version = version_of(run.config.root)
    return run.config.root if version is None else version[0]


def same_truth(first: Truth, second: Truth) -> bool:
    """Whether two truths of one image mark the same. Maps of different sizes are compared on the finest grid that both
    can be brought to exactly, and by the areas of their regions, which no size changes.
    """
    if first.shape == second.shape:
        return all(
            np.array_equal(getattr(first, name), getattr(second, name)) for name in ("pixel", "region", "left_pixel")
        ) and all(
            np.allclose(getattr(first, name), getattr(second, name), rtol=0, atol=_ROUNDING)
            for name in ("share", "left_share")
        )
    if first.n_regions != second.n_regions:
        return False
    areas = [one.areas / math.prod(one.shape) for one in (first, second)]
    if not np.allclose(*areas, rtol=1e-4, atol=0):
        return False
    shape = tuple(math.gcd(*sides) for sides in zip(first.shape, second.shape, strict=True))
    one, other = (coarsened(truth, (shape[0], shape[1])) for truth in (first, second))
    return all(
        np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=_ROUNDING) for name in ("defect", "left_out")
    )


def coarsened(truth: Truth, shape: Shape) -> Truth:
    """The same truth on a coarser map whose sides divide those of its own: exact, region by region."""
    rows, columns = (fine // coarse for fine, coarse in zip(truth.shape, shape, strict=True))

    def place(pixel: np.ndarray) -> np.ndarray:
        row, column = np.divmod(pixel, truth.shape[1])
        return (row // rows) * shape[1] + column // columns

    n = shape[0] * shape[1]
    entry, at = np.unique(truth.region.astype(np.int64) * n + place(truth.pixel), return_inverse=True)
    share = np.bincount(at, truth.share.astype(np.float64), minlength=len(entry)) / (rows * columns)
    left, left_at = np.unique(place(truth.left_pixel), return_inverse=True)
    left_share = np.bincount(left_at, truth.left_share.astype(np.float64), minlength=len(left)) / (rows * columns)
    return Truth(
        shape,
        (entry % n).astype(np.int32),
        (entry // n).astype(np.int32),
        np.minimum(share, 1).astype(np.float32),
        left.astype(np.int32),
        np.minimum(left_share, 1).astype(np.float32),
    )


def mask_hashes(data: dict[str, Any] | None) -> Mapping[str, str]:
    """Id -> content hash of the mask of each image, as far as a run's data.json holds them."""
    samples = (data or {}).get("samples", [])
    return {entry["id"]: str(entry["mask_sha256"]) for entry in samples if entry.get("mask_sha256")}
