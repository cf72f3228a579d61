"""What a rule would make of the masks of a category, before anybody says that it holds."""

from dataclasses import dataclass

from wtflow.datasets.masks.decide import decide, marked_share
from wtflow.datasets.masks.read import Surveyed
from wtflow.numbers import percent
from wtflow.records.mask_rule import MaskRule, parse_rule
from wtflow.records.masks import MaskDecision


@dataclass(frozen=True, slots=True)
class Preview:
    """decision: how the masks would be read; shares: float (M,), of each mask that the rule can read, the share of its
    pixels that it takes for the defect; n_masks: of all masks.
    """

    decision: MaskDecision
    shares: tuple[float, ...]
    n_masks: int
    problem: str = ""
    """Why the first mask that the rule cannot read cannot be read."""

    @property
    def is_usable(self) -> bool:
        """Whether any mask would be read by it."""
        return bool(self.shares) and not self.decision.reason

    @property
    def words(self) -> str:
        """How much the rule marks and leaves out, and in how many masks; or why it reads none. In sentences."""
        if not self.shares:
            return f"No mask can be read so: the first one {self.problem}" if self.problem else "There is no mask."
        if self.decision.reason:
            return f"Still not certain: {self.decision.reason}."
        n = len(self.shares)
        marked, wide = sum(share > 0 for share in self.shares), sum(share >= 0.5 for share in self.shares)
        parts = [f"Marks {percent(sum(self.shares) / n)} of the pixels as defect, in {marked} of {n} masks"]
        if left_out := sum(value.share for value in self.decision.values if value.role == "left out"):
            parts.append(f"leaves {percent(left_out)} out")
        if wide:
            parts.append(f"marks half of the picture or more in {wide} of {n} masks")
        unread = self.n_masks - n
        return "; ".join(parts) + "." + (f" {unread} of {self.n_masks} masks cannot be read so." if unread else "")


def preview_rule(surveyed: Surveyed, rule: MaskRule, layout_rule: str = "auto") -> Preview:
    """What a rule would make of masks that were counted; `surveyed` must be of the transparency where the rule is."""
    survey = surveyed.survey
    decision = decide(survey, rule, layout_rule)
    explicit = parse_rule(decision.rule or "defect=nonzero")
    shares = tuple(marked_share(mask, explicit) for mask in survey.masks)
    return Preview(decision, shares, len(survey.masks) + len(surveyed.problems), next(iter(surveyed.problems), ""))


def example_of(surveyed: Surveyed, defect: str | None = None) -> str | None:
    """The id of the image whose mask shows most: the most different values, then the largest part that is not of the
    most frequent value. defect: of this type only. None without a mask.
    """
    best: tuple[tuple[int, float], str] | None = None
    for sample, mask in zip(surveyed.samples, surveyed.survey.masks, strict=True):
        if defect is None or sample.defect == defect:
            shows = len(mask.counts), 1 - max(mask.counts.values()) / mask.n_pixels
            if best is None or shows > best[0]:
                best = shows, sample.id
    return None if best is None else best[1]
