"""How masks are read, in sentences for people."""

from wtflow.datasets.masks.rule_words import rule_words
from wtflow.numbers import percent
from wtflow.records.masks import MaskDecision, RegionSizes
from wtflow.records.pixel_images import PixelImages

ROLES = {
    "normal": "normal",
    "defect": "the defect",
    "left out": "left out",
    "between": "between (smoothed edges)",
    "unclear": "unclear",
}
"""Role of a value -> what it is taken for."""
SAID_BY = {
    "app": "read without doubt",
    "person": "as a person said",
    "layout": "as the published layout numbers them",
}
"""Who said it -> how the masks are read."""


def decision_words(decision: MaskDecision) -> str:
    """Values found, what each is taken for, and the share of the pixels that it covers, in a sentence."""
    if not decision.n_masks:
        return "No masks."
    masks = f"{decision.n_masks} mask{'s' * (decision.n_masks != 1)}"
    found = ", ".join(f"{value.words} {ROLES[value.role]} ({percent(value.share)})" for value in decision.values[:6])
    more = f" and {decision.n_values - 6} more values" if decision.n_values > 6 else ""
    if decision.reason:
        return f"{masks} not read: {decision.reason}. Values: {found}{more}."
    if decision.doubtful:
        types = ", ".join(decision.doubtful)
        return f"{masks}, by {decision.rule}: {found}{more}; those of {types} are in doubt and not read."
    return f"{masks} read by {decision.rule} ({SAID_BY[decision.said_by]}): {found}{more}."


def run_words(decision: MaskDecision) -> str:
    """What masks meant for a run, in sentences."""
    if not decision.n_masks:
        return "This run found no masks."
    if decision.reason:
        return f"This run read no mask, because it was not certain what they mean: {decision.reason}."
    words = (
        f"This run read masks by the rule {decision.rule} ({SAID_BY[decision.said_by]}). {rule_words(decision.rule)}"
    )
    if decision.doubtful:
        types = ", ".join(decision.doubtful)
        words += f" Masks of {types} may be the wrong way round, so they were not read."
    return words


def value_rows(decision: MaskDecision) -> list[tuple[str, str, str, str]]:
    """(value, in how many masks, share of the pixels, what it is taken for) for each value of the decision."""
    doubt = " (in doubt)" if decision.doubtful else ""
    return [
        (
            value.words,
            f"{value.n_masks} of {decision.n_masks}",
            percent(value.share),
            ROLES[value.role] + doubt * (value.role == "defect"),
        )
        for value in decision.values
    ]


def region_words(sizes: RegionSizes) -> str:
    """How many regions are smaller than a pixel of the map, and what size would hold them."""
    regions = f"{sizes.n} region{'s' * (sizes.n != 1)}"
    if not sizes.n_small:
        return f"{regions}, none smaller than a pixel of the map at {sizes.size_px} px."
    return (
        f"{sizes.n_small} of {regions} {'is' if sizes.n_small == 1 else 'are'} smaller than a pixel of the map at"
        f" {sizes.size_px} px; at {sizes.size_for_all} px none would be."
    )


_WAYS_OUT = {
    "missing": "add the masks",
    "unreadable": "copy the unreadable masks again",
    "size": "make the masks as large as their images",
    "empty": "draw the defects",
    "unclear": "say what the masks mean",
}
"""Why pixel metrics leave an image out -> what to do."""


def expected_words(pixel_images: PixelImages) -> str:
    """Before a training: that pixel metrics will be absent or of a part of the defects only, and the way out. Empty
    where they will be of all, or where there is no defective image.
    """
    left_out, n_defects = pixel_images.left_out, pixel_images.n_defects or 0
    if not pixel_images.n_left_out:
        return ""
    ways = [_WAYS_OUT[code] for code, n in sorted(left_out.items(), key=lambda item: -item[1]) if n]
    found = pixel_images.words.partition("; ")[2]
    if pixel_images.n_left_out >= n_defects:
        head = f"Pixel metrics will be absent: {found}."
    else:
        n = n_defects - pixel_images.n_left_out
        head = f"Pixel metrics will be of {n} of {n_defects} defects only: {found}."
    return f"{head} To have them of all, {' and '.join(ways)} before you train. Image metrics do not need masks."
