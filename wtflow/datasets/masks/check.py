"""The masks of a category under check: what their values mean, what cannot be told, regions that are too small."""

import numpy as np

from wtflow.datasets.decode import Decoded, read_stored
from wtflow.datasets.health_looks import note_turned_mask
from wtflow.datasets.health_rules import Noted
from wtflow.datasets.masks.decide import decide
from wtflow.datasets.masks.read import count_regions, read_drawn
from wtflow.datasets.masks.shrink import region_sizes
from wtflow.datasets.masks.survey import Survey
from wtflow.datasets.masks.values import mask_pixels
from wtflow.datasets.masks.words import region_words
from wtflow.datasets.orientation import FIRST_QUARTER_TURN
from wtflow.errors import ImageReadError
from wtflow.numbers import percent
from wtflow.records.core import Category, Finding, Sample
from wtflow.records.mask_rule import parse_rule
from wtflow.records.masks import MaskDecision, RegionSizes
from wtflow.records.reading import Reading
from wtflow.records.truth import EMPTY, LeftOut, LeftOutCode

MASK_VALUES = "mask_values"
"""Code of the findings that a person's word on masks settles."""
MANY_SMALL = 0.1
"""From this share of regions smaller than a pixel on, the size is too small for the category."""


class MaskCheck:
    """Takes masks one by one, then says what they are."""

    def __init__(self, reading: Reading, layout_rule: str) -> None:
        self._reading, self._layout_rule = reading, layout_rule
        self._said = parse_rule(reading.masks)
        self._survey = Survey()
        self._samples: list[tuple[Sample, str]] = []
        self.left_out: dict[str, LeftOutCode] = {}
        """Ids of defective images that pixel metrics will leave out, and why; known after `finish`."""

    def add(self, sample: Sample, name: str, image: Decoded | None, noted: Noted) -> None:
        """Look at the mask of a defective sample. name: of the mask, below the category; image: None where it cannot be
        read.
        """
        self._samples.append((sample, name))
        if (path := sample.mask_path) is None:
            return
        as_stored = self._reading.masks_as_stored
        try:
            stored = read_stored(path, name, upright=not as_stored)
            self._survey.add(stored, sample.defect, alpha=self._said.alpha)
        except ImageReadError as error:
            noted.add("unreadable_mask", name, error.message.removeprefix(f"{name} ").rstrip("."))
            return
        if image is None:
            return
        if not as_stored:
            note_turned_mask(image, stored, name, noted)
        height, width = stored.colour.shape[:2]
        if as_stored and image.orientation >= FIRST_QUARTER_TURN:
            height, width = width, height
        rows, columns = image.pixels.shape[:2]
        if (height, width) != (rows, columns):
            noted.add("mask_size", name, f"{width} x {height}, image {columns} x {rows}")

    def finish(self, size_px: int, noted: Noted) -> tuple[MaskDecision, RegionSizes | None, list[Finding]]:
        """How the masks are read, their regions at a size of the map, and findings. Opens the masks that are read once
        more. Findings about single masks go to `noted`.
        """
        decision = decide(self._survey, self._said, self._layout_rule)
        shares = []
        for sample, name in self._samples:
            found = _drawn(sample, decision, as_stored=self._reading.masks_as_stored)
            if not isinstance(found, LeftOut):
                shares.append(region_sizes(found[0]))
                continue
            self.left_out[sample.id] = found.code
            if found == EMPTY:
                noted.add("empty_mask", name)
        if decision.reason:
            return decision, None, [_unclear(decision)]
        sizes = count_regions(shares, size_px)
        findings = [_doubtful(decision)] if decision.doubtful else []
        findings += [_soft(decision)] if decision.share_between else []
        findings += small_regions(sizes)
        return decision, sizes, findings


def note_good_masks(category: Category, decision: MaskDecision, noted: Noted) -> None:
    """Masks of normal images: one that marks a defect contradicts its image's label."""
    rule = parse_rule(decision.rule or "defect=nonzero")
    for path in category.good_masks:
        name = path.relative_to(category.root / category.name).as_posix()
        try:
            values = mask_pixels(read_stored(path, name), alpha=rule.alpha).values
        except ImageReadError as error:
            noted.add("unreadable_mask", name, error.message.removeprefix(f"{name} ").rstrip("."))
            continue
        noted.add("marked_good" if rule.apply(values)[0].any() else "good_mask", name)


def _drawn(sample: Sample, decision: MaskDecision, *, as_stored: bool) -> tuple[np.ndarray, np.ndarray] | LeftOut:
    """As `read_drawn`; an image that cannot be read itself has its own finding, and prevents training."""
    try:
        return read_drawn(sample, decision, as_stored=as_stored)
    except ImageReadError as error:
        return LeftOut("unreadable", error.message)


def _say(suggestions: tuple[str, ...]) -> str:
    return " or ".join(f"--mask-values {words}" for words in suggestions[:3])


def _unclear(decision: MaskDecision) -> Finding:
    message = f"It is not certain what the masks mean: {decision.reason}. No mask is read."
    fix = (
        f"Say what they mean, in the app or with {_say(decision.suggestions)}. Until then pixel metrics are absent;"
        " image metrics do not need masks."
    )
    return Finding("warning", MASK_VALUES, message, fix)


def _doubtful(decision: MaskDecision) -> Finding:
    types = "; ".join(f"{defect}: {why}" for defect, why in decision.doubtful.items())
    message = f"Masks may be the wrong way round ({types}), so these are not read."
    fix = (
        "Say what they mean, in the app or with --mask-values invert if the dark part is the defect, --mask-values"
        f" {decision.rule} if it is as drawn. Until then these images are left out of pixel metrics."
    )
    return Finding("warning", MASK_VALUES, message, fix)


def _soft(decision: MaskDecision) -> Finding:
    message = (
        f"Masks have smooth edges: {percent(decision.share_between)} of their pixels lie between black and the"
        f" highest level. They are read by {decision.rule}, the upper half."
    )
    fix = (
        "Nothing, if the masks were resized or saved as JPEG; otherwise say what the levels mean, in the app or with"
        " --mask-values."
    )
    return Finding("info", "soft_masks", message, fix)


def small_regions(sizes: RegionSizes | None) -> list[Finding]:
    """The finding about regions that are smaller than a pixel of the map, where there are any."""
    if sizes is None or not sizes.n_small:
        return []
    fix = (
        "Each still counts as one region. To see them, train with a larger --size, or with --tile, which keeps the"
        " images' own pixels."
    )
    severity = "warning" if sizes.n_small >= MANY_SMALL * sizes.n else "info"
    return [Finding(severity, "small_regions", region_words(sizes), fix)]
