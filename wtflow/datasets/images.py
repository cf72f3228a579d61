"""Images and masks as arrays of the size that the network needs."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from wtflow.config import BACKGROUND, Background
from wtflow.datasets.decode import Decoded, decode_image, read_image, read_size, read_stored
from wtflow.errors import DatasetError, ImageReadError
from wtflow.records.core import Sample
from wtflow.records.shapes import Shape, shape_of

__all__ = ["hash_file", "load_image", "load_image_bytes", "load_mask", "load_truth", "read_size"]

_MAX_LABEL = 15
"""A mask whose maximum is at most this holds class numbers, not brightness (VisA's masks number the defect types)."""


def load_image(path: Path, size_px: int | Shape | None, background: Background = BACKGROUND) -> np.ndarray:
    """float32 (H, W, 3), RGB in [0, 1]: white is 1 for every bit depth, grey is repeated.

    size_px: side or (height, width) of the result, bilinear with antialiasing, for every aspect; None keeps the file's
    own. background: what shows where the image is transparent; for a run it is a setting. Raises: ImageReadError.
    """
    return _to_rgb(read_image(path, background=background), size_px)


def load_image_bytes(
    data: bytes, name: str, size_px: int | Shape | None, background: Background = BACKGROUND
) -> np.ndarray:
    """The same as `load_image` for bytes from another source, such as an upload; errors name them `name`."""
    return _to_rgb(decode_image(data, name, background), size_px)


def load_mask(path: Path | None, size_px: int | Shape | None, shape: Shape | None = None) -> np.ndarray:
    """bool (H, W), True where the defect is. A path of None is the mask of a normal image: nothing is True.

    size_px: side or (height, width) of the result; None keeps the file's own. shape: (height, width) of the image that
    the mask belongs to; a mask of another size is then refused, and an absent one takes it where `size_px` is None.
    Raises: ImageReadError for a file that cannot be read or does not fit, DatasetError where no size is given at all.
    """
    if path is None:
        if size_px is None and shape is None:
            raise DatasetError("A mask without a file has no size.", fix="Give size_px, or the shape of its image.")
        return np.zeros(shape_of(size_px) if size_px is not None else shape, dtype=bool)
    mask = binarise(read_stored(path).colour)
    if shape is not None and mask.shape != tuple(shape):
        found, expected = (f"{width} x {height}" for height, width in (mask.shape, shape))
        raise ImageReadError(
            f"{path} has {found} pixels but its image has {expected}.", fix="Make the mask as large as its image."
        )
    return mask if size_px is None else shrink_mask(mask, size_px)


def load_truth(sample: Sample, size_px: int | Shape) -> np.ndarray | None:
    """bool mask of a test image at that side or (height, width); None where pixel metrics have to leave the image out.

    That is a defective image whose mask is missing, unreadable, empty or of another size: exactly what `check_category`
    warns of. Raises: ImageReadError where the image itself cannot be read.
    """
    if not sample.is_defective:
        return load_mask(None, size_px)
    if sample.mask_path is None:
        return None
    shape = read_size(sample.path)
    try:
        mask = load_mask(sample.mask_path, size_px, shape)
    except ImageReadError:
        return None
    return mask if mask.any() else None


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises ImageReadError."""
    try:
        with path.open("rb") as file:
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


def binarise(pixels: np.ndarray) -> np.ndarray:
    """bool (H, W): at least half of the mask's own maximum, so that 0/1, 0/255 and 16-bit masks all work.
    All 0 is empty.
    """
    values = pixels.max(axis=2) if pixels.ndim == 3 else pixels
    highest = int(values.max(initial=0))
    # Half of the highest class number would drop the defects with low numbers.
    threshold = 1 if highest <= _MAX_LABEL else (highest + 1) // 2
    return values >= threshold


def shrink_mask(mask: np.ndarray, size_px: int | Shape) -> np.ndarray:
    """The mask at that side or (height, width) by nearest neighbour. One with something in it never becomes empty."""
    height, width = mask.shape
    n_rows, n_columns = shape_of(size_px)
    small = mask[
        np.ix_(
            ((np.arange(n_rows) + 0.5) / n_rows * height).astype(int),
            ((np.arange(n_columns) + 0.5) / n_columns * width).astype(int),
        )
    ]
    if small.any() or not mask.any():
        return small
    # Nearest neighbour looks at one pixel in many, so a hairline scratch can fall between them. The image would then
    # count as defective with no defect in it, and the pixel metrics would punish a map for being right. Keep what the
    # scratch touches.
    for row, column in np.argwhere(mask):
        rows = slice(row * n_rows // height, -(-(row + 1) * n_rows // height))
        columns = slice(column * n_columns // width, -(-(column + 1) * n_columns // width))
        small[rows, columns] = True
    return small


def _to_rgb(image: Decoded, size_px: int | Shape | None) -> np.ndarray:
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
