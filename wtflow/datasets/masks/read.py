"""Masks read by the rule that was decided: the truth of test images, or why one has none."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wtflow.datasets.decode import read_orientation, read_size, read_stored
from wtflow.datasets.masks.decide import decide
from wtflow.datasets.masks.shrink import truth_of_mask
from wtflow.datasets.masks.survey import Survey
from wtflow.datasets.masks.values import mask_pixels
from wtflow.datasets.orientation import turned_upright
from wtflow.datasets.run_images import RunData
from wtflow.datasets.scan import layout_of_training
from wtflow.errors import ImageReadError
from wtflow.machine.progress import Progress
from wtflow.records.core import Sample
from wtflow.records.mask_rule import MaskRule, parse_rule
from wtflow.records.masks import ROUNDING, MaskDecision, RegionSizes
from wtflow.records.reading import Reading
from wtflow.records.truth import EMPTY, MISSING, LeftOut, RunTruth, Truth


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The values in the masks of test images. samples: one for each mask of the survey; problems: what is wrong with
    each mask that cannot be read.
    """

    survey: Survey
    samples: tuple[Sample, ...]
    problems: tuple[str, ...]


def survey_masks(samples: Sequence[Sample], *, alpha: bool, progress: Progress | None = None) -> Surveyed:
    """Count the values in the masks of these test images, or in their transparency. Opens each mask once, one in memory
    at a time. progress: called with (masks done, masks in all).
    """
    survey, opened, problems = Survey(), [], []
    masked = [(sample, path) for sample in samples if sample.is_defective and (path := sample.mask_path) is not None]
    for done, (sample, path) in enumerate(masked, start=1):
        try:
            survey.add(read_stored(path), sample.defect, alpha=alpha)
            opened.append(sample)
        except ImageReadError as error:
            problems.append(error.message)
        if progress is not None:
            progress(done, len(masked))
    return Surveyed(survey, tuple(opened), tuple(problems))


def decide_masks(
    samples: Sequence[Sample], reading: Reading, layout_rule: str = "auto", progress: Progress | None = None
) -> MaskDecision:
    """How the masks of these test images are read; `survey_masks` counts their values."""
    said = parse_rule(reading.masks)
    return decide(survey_masks(samples, alpha=said.alpha, progress=progress).survey, said, layout_rule)


def read_truth(
    sample: Sample, decision: MaskDecision, shape: tuple[int, int], *, as_stored: bool = False
) -> Truth | LeftOut:
    """The truth of a defective test image at map size, or why pixel metrics leave it out: exactly what `check` warns
    of. Raises ImageReadError where the image itself cannot be read.

    as_stored: masks were drawn on the pixels as the file stores them, and are turned as the image is.
    """
    found = read_drawn(sample, decision, as_stored=as_stored)
    return found if isinstance(found, LeftOut) else truth_of_mask(found[0], shape, found[1])


def read_drawn(
    sample: Sample, decision: MaskDecision, *, as_stored: bool = False
) -> tuple[np.ndarray, np.ndarray] | LeftOut:
    """As `read_marks`, by the rule that was decided; a mask that is in doubt or marks nothing gives none, too."""
    if sample.mask_path is None:
        return MISSING
    if why := decision.reason or decision.doubtful.get(sample.defect):
        return LeftOut("unclear", f"What its mask means is not certain: {why}.")
    found = read_marks(sample, parse_rule(decision.rule), as_stored=as_stored)
    return EMPTY if not isinstance(found, LeftOut) and not found[0].any() else found


def read_marks(sample: Sample, rule: MaskRule, *, as_stored: bool = False) -> tuple[np.ndarray, np.ndarray] | LeftOut:
    """(defect, ignored), bool (H, W) each at the mask's own size, upright; or why there are none.
    Raises ImageReadError where the image itself cannot be read.
    """
    if sample.mask_path is None:
        return MISSING
    height, width = read_size(sample.path)
    try:
        values = read_values(sample.path, sample.mask_path, alpha=rule.alpha, as_stored=as_stored)
    except ImageReadError as error:
        return LeftOut("unreadable", f"Its mask cannot be used: {error.message}")
    if values.shape != (height, width):
        found = f"{values.shape[1]} x {values.shape[0]}"
        return LeftOut("size", f"Its mask has {found} pixels, the image {width} x {height}.")
    return rule.apply(values)


def read_values(image: Path, mask: Path, *, alpha: bool, as_stored: bool) -> np.ndarray:
    """int (H, W): the values of a mask as its image is shown, upright, or those of its transparency.
    Raises ImageReadError.
    """
    values = mask_pixels(read_stored(mask, upright=not as_stored), alpha=alpha).values
    return turned_upright(values, read_orientation(image)) if as_stored else values


def read_truths(
    samples: Sequence[Sample],
    decision: MaskDecision,
    shape: tuple[int, int],
    *,
    as_stored: bool,
    progress: Progress,
) -> RunTruth:
    """The truth of test images, one mask in memory at a time. `progress(done, total)` counts images."""
    truths: dict[str, Truth] = {}
    left_out: dict[str, LeftOut] = {}
    for done, sample in enumerate(samples, start=1):
        if sample.is_defective:
            found = read_truth(sample, decision, shape, as_stored=as_stored)
            if isinstance(found, LeftOut):
                left_out[sample.id] = found
            else:
                truths[sample.id] = found
        progress(done, len(samples))
    return RunTruth(shape, truths, left_out)


def read_run_truth(
    data: RunData, reading: Reading, shape: tuple[int, int], progress: Progress
) -> tuple[MaskDecision, RunTruth]:
    """How the masks of a run's test images are read, and their truth at map size. Opens each mask twice.
    Raises ImageReadError where a defective image itself cannot be read.
    """
    n = len(data.test)
    decision = decide_masks(data.test, reading, mask_rule_of(data.train), lambda done, _: progress(done, 2 * n))
    truth = read_truths(
        data.test,
        decision,
        shape,
        as_stored=reading.masks_as_stored,
        progress=lambda done, _: progress(n + done, 2 * n),
    )
    return decision, truth


def mask_rule_of(train: Sequence[Sample]) -> str:
    """What the layout of these training images says of the values in its masks."""
    layout = layout_of_training(train[0].id) if train else None
    return "auto" if layout is None else layout.mask_rule


def count_regions(shares: Sequence[np.ndarray], size_px: int) -> RegionSizes | None:
    """Of the shares of the picture that regions cover (`region_sizes` of each mask): how many are smaller than a pixel
    of a square map of this size, and the size that holds all; None without a region.
    """
    if not shares or not len(all_shares := np.concatenate(shares)):
        return None
    sides = np.sort(1 / np.sqrt(all_shares))  # at this size the region is exactly one pixel
    size_for_all = int(np.ceil(sides[-1] * (1 - ROUNDING)))
    return RegionSizes(len(sides), 0, size_px, size_for_all, tuple(sides.tolist())).at(size_px)
