"""How much of a picture's detail a size keeps: its gradient energy by frequency, less that of noise. NumPy only.

A size of s px keeps up to s / 2 cycles along each side (Nyquist). Reducing a picture to s px and enlarging it again
leaves these frequencies alone, but for what the filter blurs; here every size is read off one spectrum.

Noise of pixels is taken to be white. Its power is read where pictures show hardly anything else: near the finest
frequency of their own pixels. What is that fine, or enlarged noise, cannot be told from the other.
"""

from collections.abc import Sequence

import numpy as np

from wtflow.records.shapes import Shape

MOST_PX = 1024
"""Pixels a side that are looked at, see `middle`."""
FEWEST_PX = 32
"""Smaller pictures have too few frequencies to tell noise from detail."""
FINEST = 0.45
"""Cycles per pixel from which on power is taken for noise; the finest frequency is 0.5."""
NOISE_TIMES = 1.25
"""So many times the power of noise is taken off, because noise is seldom quite white: sharpening and demosaicing
raise it at middle frequencies.
"""


def kept_detail(grey: np.ndarray, whole: Shape, sizes: Sequence[int]) -> np.ndarray:
    """(K,) the gradient energy that each of the sizes keeps, in no particular unit; never less than that of a smaller
    size, and 0 where there is noise alone.

    grey: (H, W), one value a pixel, of the picture or of its middle. whole: (height, width), in these pixels, of what
    becomes one square for the network: the picture itself, or a tile of it. sizes: in pixels, rising.
    """
    if min(grey.shape) < FEWEST_PX:
        return np.zeros(len(sizes))
    power, fy, fx = _spectrum(grey.astype(np.float64))
    noise = power[np.maximum(np.abs(fy), fx) > FINEST]
    # The median of the power of white noise is ln 2 of its mean; lines and gratings in the finest frequencies are few.
    floor = float(np.median(noise)) / np.log(2) * NOISE_TIMES
    rows, columns = fy * whole[0], fx * whole[1]
    gradient = _halves(power.shape[1], grey.shape[1]) * (power - floor) * (rows**2 + columns**2)
    least = 2 * np.maximum(np.abs(rows), np.abs(columns))
    band = np.searchsorted(np.asarray(sizes, float), least, side="left").ravel()
    energy = np.bincount(band, gradient.ravel(), minlength=len(sizes) + 1)[: len(sizes)]
    return np.cumsum(np.maximum(energy, 0.0))


def middle(pixels: np.ndarray) -> np.ndarray:
    """What is looked at of a picture (H, W) or (H, W, 3): its middle, where it is larger than MOST_PX."""
    top, left = (max(0, length - MOST_PX) // 2 for length in pixels.shape[:2])
    return pixels[top : top + MOST_PX, left : left + MOST_PX]


def _spectrum(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power (H, W // 2 + 1), and cycles per pixel of its rows (H, 1) and columns (1, W // 2 + 1). The window hides
    that opposite edges of a picture do not meet.
    """
    height, width = grey.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    centred = (grey - np.average(grey, weights=window)) * window
    power = np.abs(np.fft.rfft2(centred)) ** 2
    return power, np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]


def _halves(n_columns: int, width: int) -> np.ndarray:
    """How often each column of a half spectrum stands in the whole one."""
    times = np.full(n_columns, 2.0)
    times[0] = 1.0
    if width % 2 == 0:
        times[-1] = 1.0
    return times
