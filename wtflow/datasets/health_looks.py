"""What a file says about how it is to be shown, and what came of it: transparency and orientation."""

from wtflow.datasets.decode import Decoded
from wtflow.datasets.health_rules import Noted
from wtflow.datasets.stored import Stored
from wtflow.records.core import Sample

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
