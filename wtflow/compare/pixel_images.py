"""Of how many images the pixel metrics of compared runs are."""

from collections.abc import Sequence

import numpy as np

from wtflow.compare.runs import LETTERS, Comparison
from wtflow.records.compare import PixelTally
from wtflow.records.pixel_images import NO_VALID_MASK, PixelImages


def pixel_images_words(comparison: Comparison, tallies: Sequence[PixelTally] | None) -> tuple[str, ...]:
    """A sentence on each run, one for all where they agree: of how many images its pixel metrics are. On a part of the
    test images this is known once their pixels are counted.
    """
    if not comparison.labels.any():
        return ()  # without a defective image there is no pixel metric
    if comparison.is_same_set:
        found = [run.pixel_images for run in comparison.runs]
    elif tallies is not None:
        found = [_counted(tally, rows, comparison.labels) for tally, rows in zip(tallies, comparison.rows, strict=True)]
    else:
        return ()
    if len(set(words := [one.words for one in found])) == 1:
        return (f"Pixel metrics are {words[0]}.",)
    return tuple(f"Pixel metrics of {LETTERS[k]} are {one}." for k, one in enumerate(words))


def _counted(tally: PixelTally, rows: np.ndarray, labels: np.ndarray) -> PixelImages:
    """Of the images `rows` of the score table: an image that pixel metrics leave out has no pixel in the tally."""
    place = np.searchsorted(tally.row, rows)
    is_counted = (tally.normal[place, -1] + tally.defect[place, -1]) > 0
    n_left_out = int((~is_counted).sum())
    return PixelImages(
        int(is_counted.sum()), int(np.asarray(labels, bool).sum()), {NO_VALID_MASK: n_left_out} if n_left_out else {}
    )
