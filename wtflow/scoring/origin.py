"""Whether a place or the image as a whole determined an image's score, in a sentence. NumPy only."""

import numpy as np

from wtflow.numbers import percent
from wtflow.numbers import score as format_score
from wtflow.scoring.pixels import image_scores


def origin(score: float, whole_score: float, pixels: np.ndarray, top: float, threshold: float) -> str:
    """Where the score of an image with its map (H, W) comes from, the score being the mean of the share `top` of its
    pixels or `whole_score`; "" where that is NaN.
    """
    if not np.isfinite(whole_score):
        return ""
    place = float(image_scores(pixels[None], top)[0])
    if whole_score < score:
        return f"The score is that of {highest(top)}; as a whole the image scores {format_score(whole_score)}."
    alone = f", below the threshold {format_score(threshold)}" if place < threshold <= score else ""
    whole = "The score is that of the image as a whole, whose features vary differently from those of normal images"
    return f"{whole}; {highest(top)} alone scores {format_score(place)}{alone}."


def highest(top: float) -> str:
    """The pixels that an image score is the mean of, in words."""
    return f"its highest {percent(top)} of pixels" if top else "its highest pixel"
