"""What shows of an image with alpha: it is laid on one background, as every viewer lays it on some.

What a file hides under alpha 0 differs between programs, and nobody sees it; left out or not, it must not count.
"""

from dataclasses import replace

import numpy as np
from PIL import ImageFile

from wtflow.config import Background
from wtflow.datasets.stored import Stored

LEVELS: dict[Background, int] = {"black": 0, "white": 255, "grey": 128}
"""Brightness of each background, of 255."""

_WITH_ALPHA = ("LA", "La", "PA", "RGBA")


def declares_alpha(image: ImageFile.ImageFile) -> bool:
    """True if an opened image has an alpha channel, a palette with opacities or a transparent colour."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def laid_on(stored: Stored, background: Background) -> np.ndarray:
    """(H, W) or (H, W, 3) in the type of the samples: each pixel mixed with the background by its opacity, in the
    file's own numbers as viewers do; "none" gives the colours as they are stored.
    """
    alpha, white = stored.alpha, stored.white
    if alpha is None or background == "none" or (alpha == white).all():
        return stored.colour
    if stored.colour.ndim == 3:
        alpha = alpha[..., None]
    # The sum is at most white * white + white / 2, which the next wider type holds.
    wide = np.uint16 if stored.colour.dtype == np.uint8 else np.uint32
    alpha = alpha.astype(wide)
    mixed = stored.colour * alpha
    mixed += (white - alpha) * wide(LEVELS[background] * white // 255)
    mixed += wide(white // 2)
    mixed //= wide(white)
    return mixed.astype(stored.colour.dtype)


def narrowed(stored: Stored) -> Stored:
    """The same samples in 8 bits where each of them is an 8-bit value times 257, as programs write 8-bit pictures into
    16 bits: the two files show the same, and shall not differ by how they are rounded.
    """
    parts = [part for part in (stored.colour, stored.alpha) if part is not None]
    # One row first: in a real 16-bit picture it settles the question.
    if stored.white != 65535 or not all(_is_repeated(part[:1]) and _is_repeated(part) for part in parts):
        return stored
    alpha = None if stored.alpha is None else (stored.alpha >> 8).astype(np.uint8)
    return replace(stored, colour=(stored.colour >> 8).astype(np.uint8), alpha=alpha, white=255)


def _is_repeated(samples: np.ndarray) -> bool:
    """True if the two bytes of every sample are equal."""
    return bool((samples >> 8 == samples & 255).all())
