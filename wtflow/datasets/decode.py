"""What an image file shows: opened, checked, upright, laid on one background; named in every error."""

import io
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import (
    BmpImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from wtflow.config import BACKGROUND, Background
from wtflow.datasets.orientation import FIRST_QUARTER_TURN, orientation_of
from wtflow.datasets.stored import COPY, RESAVE, Stored, stored_samples
from wtflow.datasets.tiff import tiff_samples
from wtflow.datasets.transparency import declares_alpha, laid_on, narrowed
from wtflow.errors import ImageReadError

_Result = TypeVar("_Result")

FORMATS = tuple(
    name
    for name in (
        PngImagePlugin.PngImageFile.format,
        JpegImagePlugin.JpegImageFile.format,
        BmpImagePlugin.BmpImageFile.format,
        TiffImagePlugin.TiffImageFile.format,
        WebPImagePlugin.WebPImageFile.format,
    )
    if name is not None
)
"""Named through their plugins, which Pillow registers only when they are imported."""

MAX_PIXELS = 89_478_485
"""Pillow's own limit against decompression bombs: a quarter of a GiB as 8-bit RGB."""
MAX_BYTES = 1 << 30
"""An uncompressed 16-bit RGB image of `MAX_PIXELS` takes half of this."""

_UNKNOWN = "is not a PNG, JPEG, BMP, TIFF or WebP image that can be decoded"
_SHRINK = "Shrink the image or cut it into tiles; images are resized for the network anyway."


@dataclass(frozen=True, slots=True)
class Decoded:
    """What an image shows: (H, W) or (H, W, 3), uint8 or uint16, upright; `white` is the value of full brightness;
    `mode` is for people, such as "RGB 8 bit"; `orientation` is what EXIF says, 1 to 8, and is already undone.
    """

    pixels: np.ndarray
    white: int
    mode: str
    orientation: int = 1
    opacity: tuple[float, float] = (1.0, 1.0)
    """The lowest and the highest of all pixels, in [0, 1], before the image was laid on its background."""


def read_image(path: Path, name: str | None = None, background: Background = BACKGROUND) -> Decoded:
    """The decoded image of a file, called `name` in errors (default: its path). Raises ImageReadError.

    background: what shows where the image is transparent; "none" leaves alpha out.
    """
    name = str(path) if name is None else name
    return decode_image(read_bytes(path, name), name, background)


def read_stored(path: Path, name: str | None = None, *, upright: bool = True) -> Stored:
    """What a file stores, before alpha is applied: what a mask is read from. name: in errors (default: its path).

    upright: turned as viewers show it; False leaves rows and columns as they lie in the file. Raises ImageReadError.
    """
    name = str(path) if name is None else name
    data = read_bytes(path, name)
    stored = _with_image(data, name, lambda image: _stored(image, data, name))
    return stored.upright() if upright else stored


def decode_image(data: bytes, name: str, background: Background = BACKGROUND) -> Decoded:
    """The decoded image of a file's bytes. Raises ImageReadError."""
    stored = narrowed(_with_image(data, name, lambda image: _stored(image, data, name)).upright())
    opacity = (1.0, 1.0)
    if stored.alpha is not None:
        opacity = (float(stored.alpha.min() / stored.white), float(stored.alpha.max() / stored.white))
    return Decoded(laid_on(stored, background), stored.white, stored.mode, stored.orientation, opacity)


def is_opaque(data: bytes, name: str) -> bool:
    """True if the header of an image, from its file's bytes, says that it has no alpha. Raises ImageReadError."""
    return not _with_image(data, name, declares_alpha)


def read_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image as shown upright, from its header alone. Raises ImageReadError."""
    return size_of(read_bytes(path, str(path)), str(path))


def size_of(data: bytes, name: str) -> tuple[int, int]:
    """(height, width) of an image as shown upright, from the header in its file's bytes. Raises ImageReadError."""
    return _with_image(data, name, lambda image: _upright_size(image, data))


def read_orientation(path: Path) -> int:
    """1 to 8 as EXIF numbers them, from an image's header alone. Raises ImageReadError."""
    data = read_bytes(path, str(path))
    return _with_image(data, str(path), lambda image: orientation_of(image, data))


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file, called `name` in errors. Raises ImageReadError, also for pipes, devices and huge files."""
    try:
        found = path.stat()
        # A pipe or a device would block for ever instead of failing.
        if not stat.S_ISREG(found.st_mode):
            raise ImageReadError(f"{name} is not a file.", fix="Choose an image file.")
        if found.st_size > MAX_BYTES:
            raise ImageReadError(
                f"{name} is {found.st_size / 2**30:.1f} GiB large; at most 1 GiB is read.", fix=_SHRINK
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        reason = "is a link to a file that is not there" if path.is_symlink() else "does not exist"
        raise ImageReadError(f"{name} {reason}.", fix="Put the file back, or scan the folder again.") from error
    except PermissionError as error:
        raise ImageReadError(
            f"{name} cannot be opened: permission denied.", fix="Give yourself the right to read it."
        ) from error
    except (OSError, ValueError) as error:
        raise ImageReadError(
            f"{name} cannot be opened ({error}).", fix="Check the disk and the name, then try again."
        ) from error


def _with_image(data: bytes, name: str, use: Callable[[ImageFile.ImageFile], _Result]) -> _Result:
    """What `use` makes of the opened image, with every way of failing turned into ours."""
    if not data:
        raise ImageReadError(f"{name} is empty: it has 0 bytes.", fix=COPY)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageReadError(
                    f"{name} has {image.width} x {image.height} pixels; at most {MAX_PIXELS:,} are read.", fix=_SHRINK
                )
            return use(image)
    except ImageReadError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageReadError(f"{name} has too many pixels; at most {MAX_PIXELS:,} are read.", fix=_SHRINK) from error
    except UnidentifiedImageError as error:
        is_tiff = data.startswith(tuple(TiffImagePlugin.PREFIXES))
        what = "stores its pixels in a way of TIFF that is not read" if is_tiff else _UNKNOWN
        raise ImageReadError(f"{name} {what}.", fix=RESAVE) from error
    # On damaged files Pillow, libtiff's glue and tifffile raise nearly every built-in error, from struct.error to
    # KeyError.
    except Exception as error:
        raise ImageReadError(f"{name} is damaged: {error or type(error).__name__}.", fix=COPY) from error


def _stored(image: ImageFile.ImageFile, data: bytes, name: str) -> Stored:
    # MPO is how phones store a JPEG with a preview behind it; its first picture is the photograph.
    n_frames = getattr(image, "n_frames", 1)
    if image.format != "MPO" and n_frames > 1:
        raise ImageReadError(
            f"{name} holds {n_frames} pictures; expected one.", fix="Save each picture as its own file."
        )
    _refuse_bad_checksums(data, image.format)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return tiff_samples(image, data, name)
    return stored_samples(image, data, name)


def _refuse_bad_checksums(data: bytes, kind: str | None) -> None:
    """Let Pillow compare the checksums of a PNG, which decoding alone does not."""
    if kind == "PNG":
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()


def _upright_size(image: ImageFile.ImageFile, data: bytes) -> tuple[int, int]:
    # Pillow names the upright size of a TIFF, and the stored one of everything else.
    is_turned = image.format != "TIFF" and orientation_of(image, data) >= FIRST_QUARTER_TURN
    return (image.width, image.height) if is_turned else (image.height, image.width)
