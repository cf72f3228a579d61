"""Images as programs hold them (a path, a Pillow image, an array), read as the app reads files."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from wtflow.config import Background
from wtflow.datasets.decode import Decoded, decode_image, read_image
from wtflow.errors import FlowError, ImageReadError

_WHITE = {"uint8": 255, "uint16": 65535}


def as_decoded(image: str | os.PathLike[str] | Image.Image | np.ndarray, background: Background) -> tuple[Decoded, str]:
    """What an image shows, and its file's name (empty for one that is in memory).

    Pillow images are turned and laid on the background as their file would be. Raises ImageReadError, FlowError.
    """
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return read_image(path, background=background), path.name
    if isinstance(image, Image.Image):
        return _of_pillow(image, background), ""
    if isinstance(image, np.ndarray):
        return _of_array(image), ""
    raise FlowError(
        f"A {type(image).__name__} is no image.",
        fix="Give a path, a Pillow image, or an array (H, W) or (H, W, 3).",
    )


def _of_pillow(image: Image.Image, background: Background) -> Decoded:
    """As from a file: saved without loss, and read."""
    buffer = io.BytesIO()
    try:
        image.save(buffer, "PNG", compress_level=0, exif=image.getexif())
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageReadError(
            f"A Pillow image of mode {image.mode} cannot be read ({error}).",
            fix='Convert it first: image.convert("RGB").',
        ) from error
    return decode_image(buffer.getvalue(), "the image", background)


def _of_array(array: np.ndarray) -> Decoded:
    shape = " x ".join(map(str, array.shape))
    if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise FlowError(
            f"An array of {shape} is no image: expected (H, W) or (H, W, 3).",
            fix="Give one image at a time, channels last, without alpha; for several give a list of them.",
        )
    if array.dtype.name in _WHITE:
        return Decoded(np.ascontiguousarray(array), _WHITE[array.dtype.name], array.dtype.name)
    if array.dtype.kind != "f":
        raise FlowError(
            f"An array of {array.dtype} has no white that is known.",
            fix="Give uint8, uint16, or floats from 0 (black) to 1 (white).",
        )
    values = array.astype(np.float32)
    if not (values.min() >= 0 and values.max() <= 1):  # also refuses NaN
        raise FlowError(
            f"An array of floats from {values.min():.4g} to {values.max():.4g} is no image.",
            fix="Give floats from 0 (black) to 1 (white): divide by the value of white.",
        )
    return Decoded(values, 1, array.dtype.name)
