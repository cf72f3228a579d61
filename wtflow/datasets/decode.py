"""The pixels of an image file exactly as stored: 8 or 16 bit, grey or RGB, upright, without alpha.

Pillow reads everything here but one thing: of 16-bit colour it silently keeps the high byte only. tifffile reads such
TIFFs when they are uncompressed or deflated; for 16-bit colour PNG, and for TIFF with any other compression, Pillow
decodes the file twice with the byte order exchanged, which gives both bytes of every sample.
"""

import io
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tifffile
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

_COPY = "Copy the file again from where it came from, or remove it."
_RESAVE = "Save it again as an 8 or 16 bit grey or RGB PNG, or remove it."
_SHRINK = "Shrink the image or cut it into tiles; images are resized for the network anyway."

_TAG_BITS, _TAG_COMPRESSION, _TAG_PHOTOMETRIC, _TAG_ORIENTATION = 258, 259, 262, 274
_TIFFFILE_COMPRESSIONS = (1, 8, 32946)
"""None and the two numbers of deflate: what tifffile reads without an extra package."""

_NAMES = {
    "1": "grey 1 bit",
    "L": "grey 8 bit",
    "LA": "grey with alpha 8 bit",
    "P": "palette 8 bit",
    "PA": "palette with alpha 8 bit",
    "RGB": "RGB 8 bit",
    "RGBX": "RGB 8 bit",
    "RGBA": "RGBA 8 bit",
    "CMYK": "CMYK 8 bit",
    "YCbCr": "YCbCr 8 bit",
}
_GREY = ("1", "L", "LA")


@dataclass(frozen=True, slots=True)
class Decoded:
    """pixels: (H, W) or (H, W, 3), uint8 or uint16; `white` is the value of full brightness; `mode` e.g.
    "RGB 8 bit".
    """

    pixels: np.ndarray
    white: int
    mode: str


def read_image(path: Path, name: str | None = None) -> Decoded:
    """The decoded image of a file, called `name` in errors (default: its path). Raises ImageReadError."""
    name = str(path) if name is None else name
    return decode_image(_read_bytes(path, name), name)


def decode_image(data: bytes, name: str) -> Decoded:
    """The decoded image of a file's bytes. Raises ImageReadError."""
    return _with_image(data, name, lambda image: _decode(image, data, name))


def read_size(path: Path) -> tuple[int, int]:
    """(height, width) of an image as shown upright, from its header alone. Raises ImageReadError."""
    return _with_image(_read_bytes(path, str(path)), str(path), _upright_size)


def _read_bytes(path: Path, name: str) -> bytes:
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
        raise ImageReadError(f"{name} is empty: it has 0 bytes.", fix=_COPY)
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
        raise ImageReadError(
            f"{name} is not a PNG, JPEG, BMP, TIFF or WebP image that can be decoded.", fix=_RESAVE
        ) from error
    # On damaged files Pillow, libtiff's glue and tifffile raise nearly every built-in error, from struct.error to
    # KeyError.
    except Exception as error:
        raise ImageReadError(f"{name} is damaged: {error or type(error).__name__}.", fix=_COPY) from error


def _decode(image: ImageFile.ImageFile, data: bytes, name: str) -> Decoded:
    # MPO is how phones store a JPEG with a preview behind it; its first picture is the photograph.
    n_frames = getattr(image, "n_frames", 1)
    if image.format != "MPO" and n_frames > 1:
        raise ImageReadError(
            f"{name} holds {n_frames} pictures; expected one.", fix="Save each picture as its own file."
        )
    _refuse_bad_checksums(data, image.format)
    bits = _sample_bits(image, data)
    if image.mode.startswith("I;16"):
        pixels = _oriented(image)
        # Pillow inverts 8-bit "white is zero" but leaves 16-bit as it is.
        if image.format == "TIFF" and _tiff_tag(image, _TAG_PHOTOMETRIC) == 0:
            pixels = (1 << bits) - 1 - pixels
        return Decoded(pixels.astype(np.uint16), (1 << bits) - 1, f"grey {bits} bit")
    if image.mode not in _NAMES:
        raise ImageReadError(
            f"{name} stores its pixels as {image.mode}; expected 8 or 16 bit grey or RGB.", fix=_RESAVE
        )
    if bits > 8:
        return _decode_wide(image, data, name, bits)
    mode = image.mode
    image.load()
    # Alpha is left out on purpose, and a palette's transparency would make Pillow warn.
    image.info.pop("transparency", None)
    target = "L" if mode in _GREY else "RGB"
    orientation = image.getexif().get(_TAG_ORIENTATION, 1)
    return Decoded(
        _upright(np.asarray(image if mode == target else image.convert(target)), orientation), 255, _NAMES[mode]
    )


def _decode_wide(image: ImageFile.ImageFile, data: bytes, name: str, bits: int) -> Decoded:
    """16-bit samples that Pillow would cut to 8: colour, or grey with alpha."""
    if bits != 16:
        raise ImageReadError(f"{name} has {bits} bit colour; expected 8 or 16.", fix=_RESAVE)
    mode = {"RGB": "RGB 16 bit", "RGBX": "RGB 16 bit"}.get(image.mode, "RGBA 16 bit")
    if image.format == "TIFF":
        if _tiff_tag(image, _TAG_PHOTOMETRIC) != 2:
            raise ImageReadError(f"{name} has 16 bit samples that are not RGB.", fix=_RESAVE)
        if _tiff_tag(image, _TAG_COMPRESSION, 1) in _TIFFFILE_COMPRESSIONS:
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                page = file.pages.first
                pixels = page.asarray()
                pixels = np.moveaxis(pixels, 0, -1) if page.planarconfig == 2 else pixels
            pixels = _upright(pixels[..., :3], _tiff_tag(image, _TAG_ORIENTATION, 1))
            return Decoded(pixels.astype(np.uint16), 65535, mode)
        # libtiff hands over samples in the machine's order, so there the high byte is the second one on most machines.
        high, low = ("16L", "16B") if sys.byteorder == "little" else ("16B", "16L")
        return Decoded(_joined(data, high, low)[..., :3], 65535, mode)
    if image.tile[0].args == "LA;16B":
        # Two 16-bit samples lie where 8-bit RGBA has its four: R and G are the bytes of the grey value.
        image.tile = [tile._replace(args="RGBA") for tile in image.tile]
        halves = _oriented(image)
        return Decoded(halves[..., 0].astype(np.uint16) * 256 + halves[..., 1], 65535, "grey with alpha 16 bit")
    return Decoded(_joined(data, "16B", "16L")[..., :3], 65535, mode)


def _joined(data: bytes, high: str, low: str) -> np.ndarray:
    """uint16 (H, W, C) from two readings of the same samples, once for each byte."""
    halves = []
    for order in (high, low):
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.tile = [tile._replace(args=_reordered(tile.args, order)) for tile in image.tile]
            halves.append(_oriented(image).astype(np.uint16))
    return halves[0] * 256 + halves[1]


def _reordered(args: str | tuple | None, order: str) -> str | tuple:
    """A tile's decoder arguments with the raw mode read in this byte order."""
    if not isinstance(args, tuple):
        return f"{(args or '').partition(';')[0]};{order}"
    return (_reordered(args[0], order), *args[1:])


def _tiff_tag(image: ImageFile.ImageFile, tag: int, default: Any = None) -> Any:
    return image.tag_v2.get(tag, default) if isinstance(image, TiffImagePlugin.TiffImageFile) else default


def _sample_bits(image: ImageFile.ImageFile, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]  # IHDR is the first chunk by definition: width and height end at byte 24
    if image.format == "TIFF":
        return max(_tiff_tag(image, _TAG_BITS, (1,)))
    return 8


def _refuse_bad_checksums(data: bytes, kind: str | None) -> None:
    """Let Pillow compare the checksums of a PNG, which decoding alone does not."""
    if kind == "PNG":
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.verify()


def _oriented(image: ImageFile.ImageFile) -> np.ndarray:
    image.load()
    # Pillow turns a TIFF upright while loading and removes the tag; for the rest it is still there.
    return _upright(np.asarray(image), image.getexif().get(_TAG_ORIENTATION, 1))


def _upright_size(image: ImageFile.ImageFile) -> tuple[int, int]:
    is_turned = image.format != "TIFF" and image.getexif().get(_TAG_ORIENTATION, 1) in (5, 6, 7, 8)
    return (image.width, image.height) if is_turned else (image.height, image.width)


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undo EXIF orientation 1 to 8; anything else means upright, as the standard reserves it."""
    match orientation:
        case 2:
            pixels = pixels[:, ::-1]
        case 3:
            pixels = pixels[::-1, ::-1]
        case 4:
            pixels = pixels[::-1]
        case 5:
            pixels = pixels.swapaxes(0, 1)
        case 6:
            pixels = np.rot90(pixels, -1)
        case 7:
            pixels = np.rot90(pixels, 2).swapaxes(0, 1)
        case 8:
            pixels = np.rot90(pixels, 1)
    return np.ascontiguousarray(pixels)
