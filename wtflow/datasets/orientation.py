"""Which way up an image is shown: the orientation tag of EXIF and TIFF, and nothing else.

Viewers, browsers and OpenCV follow that tag alone. Pillow also follows XMP and the raw profile in a PNG's text; here
they are left aside, since a mask drawn on what a viewer shows would lie elsewhere.
"""

import struct

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin

_TAG = 274

FIRST_QUARTER_TURN = 5
"""From this orientation on, width and height are exchanged."""

_PNG_START = 8
"""Bytes of a PNG before its first chunk."""

_BACK = {6: 8, 8: 6}
"""The two quarter turns undo each other; every other orientation undoes itself."""


def orientation_of(image: ImageFile.ImageFile, data: bytes) -> int:
    """1 to 8 as EXIF numbers them, from an opened image and its file's bytes. 1, upright, where the tag is absent,
    has another value, or stands in a block that cannot be read.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        found = image.tag_v2.get(_TAG)
    else:
        found = _exif_tag(_png_exif(data) if image.format == "PNG" else image.info.get("exif"))
    return next((known for known in range(1, 9) if known == found), 1)


def follow_no_other(image: ImageFile.ImageFile) -> None:
    """Take away what Pillow would turn an image by, once it loads, although viewers do not."""
    for name in ("xmp", "XML:com.adobe.xmp", "Raw profile type exif"):
        image.info.pop(name, None)


def turned_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, ...) as shown, of pixels as stored; contiguous."""
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


def turned_back(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, ...) as stored, of pixels as shown: `turned_upright` undone."""
    return turned_upright(pixels, _BACK.get(orientation, orientation))


def _exif_tag(block: bytes | None) -> object:
    exif = Image.Exif()
    try:
        exif.load(block or b"")
        return exif.get(_TAG)
    # Of a damaged block Pillow raises what its parts raise, from SyntaxError to struct.error; viewers show the picture.
    except Exception:
        return None


def _png_exif(data: bytes) -> bytes | None:
    """The eXIf chunk, which may stand before or after the pixels."""
    at = _PNG_START
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"eXIf":
            return data[at + 8 : at + 8 + length]
        at += length + 12
    return None
