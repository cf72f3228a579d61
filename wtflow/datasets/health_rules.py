"""The kinds of findings about single files, what they are called, and how findings of one kind become one."""

from collections.abc import Iterable
from typing import NamedTuple

from wtflow.config import BACKGROUND
from wtflow.records.core import Finding, Severity


class Rule(NamedTuple):
    """noun: what is counted ("s" is added for several); matter: what is wrong with it; fix: what to do."""

    severity: Severity
    noun: str
    matter: str
    fix: str


RULES: dict[str, Rule] = {
    "unreadable_image": Rule(
        "error",
        "image",
        "cannot be read",
        "Copy the files again from where they came from, or remove them.",
    ),
    "bad_name": Rule("warning", "name", "that is not valid UTF-8 and cannot be used", "Rename the files or folders."),
    "test_in_train": Rule(
        "warning",
        "test image",
        "with the same pixels as a training image",
        "Remove the images from train or from test: results on images that were trained on look better than they are.",
    ),
    "two_labels": Rule(
        "warning",
        "test image",
        "with the same pixels as a test image of another type",
        "Keep the image under one type only: no score can be right for both.",
    ),
    "missing_mask": Rule(
        "warning",
        "defective test image",
        "without a mask",
        (
            "Add the masks under these names; until then the images count for image metrics and are left out of pixel"
            " metrics."
        ),
    ),
    "unreadable_mask": Rule(
        "warning",
        "mask",
        "that cannot be read",
        "Copy the masks again; until then their images are left out of pixel metrics.",
    ),
    "contested_mask": Rule(
        "warning",
        "mask",
        "with the name of several images, and left to none",
        (
            "Give each image a name of its own, and its mask that name with _mask; until then these images count for"
            " image metrics and are left out of pixel metrics."
        ),
    ),
    "several_masks": Rule(
        "warning",
        "defective test image",
        "with several masks, of which none is used",
        (
            "Join the masks of each image into one, or keep one; until then these images count for image metrics"
            " and are left out of pixel metrics."
        ),
    ),
    "marked_good": Rule(
        "warning",
        "mask",
        "of a normal image with a defect marked in it",
        (
            "Move the images and masks to their defect type, or remove the masks; until then these images count as"
            " normal in every metric."
        ),
    ),
    "mask_size": Rule(
        "warning",
        "mask",
        "of another size than the image",
        "Make the masks as large as their images; until then these images are left out of pixel metrics.",
    ),
    "empty_mask": Rule(
        "warning",
        "mask",
        "of a defective image with no defect marked in it",
        "Draw the defects, or move the images to the normal ones; until then they are left out of pixel metrics.",
    ),
    "orphan_mask": Rule(
        "warning",
        "mask",
        "that belongs to no defective test image",
        (
            "Give each mask the name of its image (003_mask.png for 003.png) and the folder of its defect type, or"
            " remove it."
        ),
    ),
    "mask_among_images": Rule(
        "warning",
        "image",
        "named as the mask of another one of its folder",
        (
            "If they are masks, move them to ground_truth, into the folder of their defect type; until then they count"
            " as images."
        ),
    ),
    "strip": Rule(
        "warning",
        "image",
        "with sides beyond 2 : 1, to be squeezed into a square",
        ("Cut them into squares instead: --tile (in the app: Tiles). Squeezed, defects fade along the long side."),
    ),
    "locked_folder": Rule(
        "warning",
        "folder",
        "that cannot be opened",
        "Give yourself the right to read it, or remove it.",
    ),
    "empty_folder": Rule(
        "warning",
        "folder",
        "of test images without an image",
        "Put the images into it, or remove it.",
    ),
    "unknown_good": Rule(
        "warning",
        "folder",
        "called good that is not there",
        "Say again which folders hold good images, or forget it: --good auto.",
    ),
    "unused_image": Rule(
        "warning",
        "image",
        "outside the folders that are read",
        "Move the images to where they belong, or remove them.",
    ),
    "low_range": Rule(
        "warning",
        "16-bit image",
        "using less than an eighth of the range",
        "Stretch all images by one common factor, 16 for a 12-bit camera: now they are almost uniform to the network.",
    ),
    "invisible": Rule(
        "warning",
        "image",
        "transparent everywhere, so that only the background shows",
        "Save the images again without alpha, or with the parts opaque.",
    ),
    "turned_mask": Rule(
        "warning",
        "mask",
        "that EXIF turns otherwise than the image",
        (
            "Compare the outlines with the defects on the page Data: masks must be drawn on the upright picture. If"
            " they were drawn on the picture as it lies in the file, say so in the app or with --masks-as-stored."
        ),
    ),
    "transparent": Rule(
        "info",
        "image",
        f"with transparent pixels, laid on {BACKGROUND}",
        f"Nothing if the parts look right on {BACKGROUND}; another colour is the setting background.",
    ),
    "turned": Rule(
        "info",
        "image",
        "that EXIF turns, as viewers do",
        "Nothing if the images look upright on the page Data; masks must be drawn upright, too.",
    ),
    "duplicate_in_train": Rule(
        "info",
        "training image",
        "with the same pixels as another training image",
        "Remove the copies, or leave them: they only count twice.",
    ),
    "same_name": Rule(
        "info",
        "image",
        "with the name of another one of its folder but for ending, case or accents",
        "Nothing if the pictures differ. If one is a copy of the other, remove it: it counts twice.",
    ),
    "good_mask": Rule(
        "info", "mask", "of normal images, not used", "Nothing: a normal image has no defect by definition."
    ),
    "extra_file": Rule("info", "other file", "that nothing reads", "Nothing, or remove them."),
}
"""Code -> rule, in the order of the report."""


class Noted:
    """What was noticed so far: code -> (path, detail) in the order of reading."""

    def __init__(self) -> None:
        self.items: dict[str, list[tuple[str, str]]] = {}

    def add(self, code: str, path: str, detail: str = "") -> None:
        self.items.setdefault(code, []).append((path, detail))

    def findings(self) -> list[Finding]:
        return [self._finding(code, self.items[code]) for code in RULES if code in self.items]

    def _finding(self, code: str, items: list[tuple[str, str]]) -> Finding:
        severity, noun, matter, fix = RULES[code]
        first, detail = items[0]
        n = len(items)
        message = (
            f"{n} {noun}{'s' * (n > 1)} {matter}:"
            f" {first}{f' ({detail})' if detail else ''}{f' and {n - 1} more' if n > 1 else ''}."
        )
        return Finding(severity, code, message, fix, tuple(path for path, _ in items))


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then the rest; the order within each stays."""
    rank = {"error": 0, "warning": 1, "info": 2}
    return tuple(sorted(findings, key=lambda finding: rank[finding.severity]))
