"""What an image looks like as a whole: how light, how sharp, where its part lies. NumPy only."""

import numpy as np

from wtflow.records.looks import Look

GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""Share of red, green and blue in a grey value, ITU-R BT.601."""


def measure_look(image: np.ndarray) -> Look:
    """The look of an image (H, W, 3), float32 in [0, 1], at the size that the network sees."""
    grey = image @ GREY
    inside = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inside
    contrast = float(grey.var(dtype=np.float64))
    apart = np.abs(grey - np.median(grey))
    return Look(
        brightness=float(grey.mean(dtype=np.float64)),
        sharpness=float(laplacian.var(dtype=np.float64)) / contrast if laplacian.size and contrast > 0 else 0.0,
        centre_row=_centre(apart.sum(axis=1, dtype=np.float64)),
        centre_column=_centre(apart.sum(axis=0, dtype=np.float64)),
    )


def _centre(weights: np.ndarray) -> float:
    """Mean place of weights along a line from 0 to 1; the middle where there are none."""
    total = weights.sum()
    return float(weights @ (np.arange(len(weights)) + 0.5) / (total * len(weights))) if total > 0 else 0.5
