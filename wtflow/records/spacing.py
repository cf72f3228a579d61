"""Which of many to take, evenly spaced."""

import numpy as np


def spaced(n: int, most: int) -> np.ndarray:
    """int (K,): at most `most` indices below n, evenly spaced, rising; the first and the last are among them."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(int))
