"""Why an image got its score, in sentences. NumPy only."""

import numpy as np

from wtflow.numbers import of_threshold, percent
from wtflow.numbers import score as format_score
from wtflow.scoring.origin import highest, origin


def reasons_of(score: float, whole_score: float, pixels: np.ndarray, top: float, threshold: float) -> tuple[str, ...]:
    """How far the score is from the threshold, what it is the score of, and where the highest pixel lies.

    pixels: the map (H, W). top: the share of its pixels that the score is the mean of. whole_score: of the image as a
    whole, NaN where it is not scored.
    """
    share = of_threshold(score, threshold)
    beside = "" if share is None else f", {share}"
    side = "at or above" if score >= threshold else "below"
    row, column = np.unravel_index(int(pixels.argmax()), pixels.shape)
    down, across = (float((at + 0.5) / length) for at, length in zip((row, column), pixels.shape, strict=True))
    return (
        f"The score {format_score(score)} is {side} the threshold {format_score(threshold)}{beside}.",
        origin(score, whole_score, pixels, top, threshold) or f"The score is that of {highest(top)}.",
        f"The highest pixel lies {percent(across)} of the width from the left and {percent(down)} of the height from"
        " the top.",
    )
