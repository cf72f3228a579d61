"""Of how many images the pixel metrics of compared runs are."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from wtflow.compare.common_truth import CommonTruth
from wtflow.compare.runs import LETTERS, Comparison
from wtflow.compare.truths import OwnTruth
from wtflow.records.pixel_images import PixelImages
from wtflow.records.truth import RunTruth


def pixel_images_words(comparison: Comparison, own: Sequence[OwnTruth], truth: CommonTruth) -> tuple[str, ...]:
    """Of how many of the common images pixel metrics are: in a sentence where all runs are counted on one truth, else
    in a sentence on each run by its own masks.
    """
    if not comparison.labels.any():
        return ()  # without a defective image there is no pixel metric
    truths = truth.truths or [one.truth for one in own]
    images = [comparison.images.assign(sample_id=comparison.ids_of(k)) for k in range(len(truths))]
    found = ["" if one is None else images_on(one, images[k]).words for k, one in enumerate(truths)]
    if len(set(found)) == 1 and all(found) and truth.truths:
        return (f"Pixel metrics are {found[0]}.",)
    by = "" if truth.truths else ", by its own masks,"
    return tuple(f"Pixel metrics of {LETTERS[k]}{by} are {words}." for k, words in enumerate(found) if words)


def images_on(truth: RunTruth, images: pd.DataFrame) -> PixelImages:
    """Of how many images pixel metrics are on a truth. images: with the columns sample_id and is_defective."""
    defective = images.sample_id[images.is_defective.astype(bool)]
    left_out: Counter[str] = Counter(truth.why(name).code for name in defective if name not in truth.truths)
    return PixelImages(len(images) - left_out.total(), len(defective), dict(left_out))
