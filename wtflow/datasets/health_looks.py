"""What a file says about how it is to be shown, and what came of it: transparency and orientation."""

from wtflow.config import BACKGROUND
from wtflow.datasets.decode import Decoded
from wtflow.datasets.health_rules import Noted
from wtflow.datasets.stored import Stored
from wtflow.records.core import Category, Finding, Sample

UPRIGHT = 1


def note_looks(image: Decoded, sample: Sample, noted: Noted) -> None:
    """Note an image that is laid on a background, or turned."""
    lowest, highest = image.opacity
    if highest == 0:
        noted.add("invisible", sample.id)
    elif lowest < 1:
        noted.add("transparent", sample.id)
    if image.orientation != UPRIGHT:
        noted.add("turned", sample.id, f"orientation {image.orientation}")


def note_turned_mask(image: Decoded, mask: Stored, name: str, noted: Noted) -> None:
    """Note a mask, called `name`, that EXIF turns otherwise than its image: no file says which way it was drawn."""
    if mask.orientation != image.orientation:
        noted.add("turned_mask", name, f"image orientation {image.orientation}, mask {mask.orientation}")


def about_cut_outs(category: Category, noted: Noted) -> list[Finding]:
    """The finding that parts were cut out in training or in test images alone: the others show another background, and
    every test image looks defective.
    """
    transparent = {path for path, _ in noted.items.get("transparent", [])}
    train, test = category.of("train"), category.of("test")
    n_train, n_test = (sum(sample.id in transparent for sample in part) for part in (train, test))
    if train and n_test and not n_train:
        which = f"No training image has transparent pixels, but {n_test} of {len(test)} test images have"
    elif test and n_train and n_train == len(train) and not n_test:
        which = "Every training image has transparent pixels, but no test image has"
    else:
        return []
    message = f"{which}: what lies behind the parts is {BACKGROUND} in the ones, and as photographed in the others."
    fix = "Cut out the parts in all images or in none, or save all with one background."
    return [Finding("warning", "cut_out_in_some", message, fix)]
