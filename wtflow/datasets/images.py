"""Images and masks as arrays of the size that the network needs."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from wtflow.config import BACKGROUND, Background
from wtflow.datasets.decode import Decoded, decode_image, read_bytes, read_image, read_size
from wtflow.datasets.files import open_regular
from wtflow.errors import ImageChangedError, ImageReadError
from wtflow.records.shapes import Shape, shape_of

__all__ = ["hash_file", "load_image", "load_image_bytes", "load_painted", "load_recorded", "read_size", "to_rgb"]


def load_image(path: Path, size_px: int | Shape | None, background: Background = BACKGROUND) -> np.ndarray:
    """float32 (H, W, 3), RGB in [0, 1]: white is 1 for every bit depth, grey is repeated.

    size_px: side or (height, width) of the result, bilinear with antialiasing, for every aspect; None keeps the file's
    own. background: what shows where the image is transparent; for a run it is a setting. Raises: ImageReadError.
    """
    return to_rgb(read_image(path, background=background), size_px)


def load_image_bytes(
    data: bytes, name: str, size_px: int | Shape | None, background: Background = BACKGROUND
) -> np.ndarray:
    """The same as `load_image` for bytes from another source, such as an upload; errors name them `name`."""
    return to_rgb(decode_image(data, name, background), size_px)


def load_recorded(
    path: Path, sha256: str, size_px: int | Shape | None, background: Background, name: str | None = None
) -> np.ndarray:
    """The same as `load_image`, for a file that a run recorded with the hash of its bytes. The bytes that are compared
    are those that are decoded: the file is read once. Errors name it `name` (default: its path).

    Raises: ImageReadError, and ImageChangedError where the file holds something else now.
    """
    name = str(path) if name is None else name
    data = read_bytes(path, name)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ImageChangedError(
            f"{name} has changed since this run read it.", fix="Put the old file back, or train again."
        )
    return load_image_bytes(data, name, size_px, background)


def load_painted(path: Path) -> np.ndarray:
    """bool (H, W), True where the app itself wrote a mask of painted pixels. Raises ImageReadError."""
    return read_image(path).pixels > 0


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises ImageReadError."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageReadError(
            f"{path} cannot be read ({error.strerror}).", fix="Put the file back, or scan the folder again."
        ) from error


def hash_pixels(image: Decoded) -> str:
    """A hash of what an image shows: the same for a PNG, a BMP and a grey-as-RGB copy of the same pixels."""
    pixels = image.pixels
    if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
        pixels = np.ascontiguousarray(pixels[..., 0])
    digest = hashlib.blake2b(f"{pixels.shape} {image.white}".encode(), digest_size=16)
    digest.update(pixels.data)
    return digest.hexdigest()


def to_rgb(image: Decoded, size_px: int | Shape | None) -> np.ndarray:
    """float32 (H, W, 3) of a decoded image, as `load_image` gives it."""
    pixels = image.pixels
    if size_px is not None:
        pixels = _resize(pixels, shape_of(size_px))
    values = np.clip(pixels.astype(np.float32) / np.float32(image.white), 0.0, 1.0)
    return np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values


def _resize(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """(height, width) or (height, width, 3):
    uint8 stays uint8, 16 bit goes through float32, which keeps its steps.
    """
    size = shape[::-1]
    if pixels.dtype == np.uint8:
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    channels = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(channels[..., c]).resize(size, Image.Resampling.BILINEAR))
        for c in range(channels.shape[2])
    ]
    return resized[0] if pixels.ndim == 2 else np.stack(resized, axis=2)
