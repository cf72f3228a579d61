"""What an image file stores, sample by sample: colours, palette indices and alpha, before anything is composed.

Pillow reads everything here but one thing: of 16-bit colour it silently keeps the high byte only. tifffile reads such
TIFFs when they are uncompressed or deflated; for 16-bit colour PNG, and for TIFF with any other compression, Pillow
decodes the file twice with the byte order exchanged, which gives both bytes of every sample.
"""

import io
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import tifffile
from PIL import Image, ImageFile, TiffImagePlugin

from wtflow.datasets.orientation import follow_no_other, orientation_of, turned_back, turned_upright
from wtflow.errors import ImageReadError

RESAVE = "Save it again as an 8 or 16 bit grey or RGB PNG, or remove it."

_TAG_BITS, _TAG_COMPRESSION, _TAG_PHOTOMETRIC, _TAG_EXTRA, _TAG_FORMAT = 258, 259, 262, 338, 339
_TIFFFILE_COMPRESSIONS = (1, 8, 32946)
"""None and the two numbers of deflate: what tifffile reads without an extra package."""
_PREMULTIPLIED = 1
"""The kind of extra sample that TIFF calls associated alpha: colours are already multiplied by it."""
_SIGNED = 2
"""TIFF's sample format of numbers below 0."""

_NAMES = {
    "1": "grey 1 bit",
    "L": "grey 8 bit",
    "La": "grey with alpha 8 bit",
    "LA": "grey with alpha 8 bit",
    "P": "palette 8 bit",
    "PA": "palette with alpha 8 bit",
    "RGB": "RGB 8 bit",
    "RGBX": "RGB 8 bit",
    "RGBA": "RGBA 8 bit",
    "CMYK": "CMYK 8 bit",
    "YCbCr": "YCbCr 8 bit",
}


@dataclass(frozen=True, slots=True)
class Stored:
    """The samples of a file.

    colour: (H, W) or (H, W, 3), uint8 or uint16, a palette resolved to its colours; also where alpha hides them.
    white: the value of full brightness, and of full opacity. alpha: (H, W) in the same scale, None where the file has
    none. index: (H, W) uint8, the entries of a palette, None without one. mode: for people, such as "RGB 8 bit".
    orientation: 1 to 8 as EXIF numbers them; the arrays are upright unless they were asked for as stored.
    """

    colour: np.ndarray
    white: int
    alpha: np.ndarray | None
    index: np.ndarray | None
    mode: str
    orientation: int

    def upright(self) -> "Stored":
        """The same samples turned as viewers show them."""
        turned = {
            name: None if part is None else turned_upright(part, self.orientation)
            for name, part in (("colour", self.colour), ("alpha", self.alpha), ("index", self.index))
        }
        return replace(self, **turned)


def stored_samples(image: ImageFile.ImageFile, data: bytes, name: str) -> Stored:
    """What an opened image holds, not turned. data: its file's bytes; name: for errors. Raises ImageReadError."""
    orientation = orientation_of(image, data)
    follow_no_other(image)
    bits = _sample_bits(image, data)
    if image.mode.startswith("I;16"):
        pixels = _samples(image, orientation)
        # Pillow inverts 8-bit "white is zero" but leaves 16-bit as it is.
        if image.format == "TIFF" and _tiff_tag(image, _TAG_PHOTOMETRIC) == 0:
            pixels = (1 << bits) - 1 - pixels
        pixels, white = pixels.astype(np.uint16), (1 << bits) - 1
        return Stored(pixels, white, _keyed(pixels, image, white), None, f"grey {bits} bit", orientation)
    if image.mode not in _NAMES:
        raise ImageReadError(f"{name} stores its pixels as {image.mode}; expected 8 or 16 bit grey or RGB.", fix=RESAVE)
    if bits > 8:
        return _wide(image, data, name, bits, orientation)
    if _SIGNED in _tiff_tag(image, _TAG_FORMAT, (1,)):
        raise ImageReadError(f"{name} stores numbers below 0: which of them is black is not known.", fix=RESAVE)
    return _narrow(image, bits, orientation)


def _narrow(image: ImageFile.ImageFile, bits: int, orientation: int) -> Stored:
    """Samples of 8 bits or fewer, all on the scale of 255."""
    mode = image.mode
    samples = _samples(image, orientation)
    index = alpha = None
    if mode in ("P", "PA"):
        index = samples if mode == "P" else samples[..., 0]
        alpha = _palette_alpha(image, index) if mode == "P" else samples[..., 1]
        image.info.pop("transparency", None)  # Pillow would warn of it, and does not convert it
        colour = _samples(image.convert("RGB"), orientation, is_tiff=image.format == "TIFF")
    elif mode == "1":
        colour = samples.astype(np.uint8) * np.uint8(255)
        alpha = _keyed(colour, image, 255)
    elif mode in ("L", "RGB"):
        colour = samples
        alpha = _keyed(colour, image, 255, 255 // ((1 << bits) - 1) if mode == "L" else 1)
    elif mode in ("LA", "La", "RGBA"):
        colour, alpha = samples[..., :-1].squeeze(2) if mode != "RGBA" else samples[..., :3], samples[..., -1]
        if mode == "La":
            colour = _divided(colour, alpha, 255)
        # Many programs fill the fourth byte of a BMP with 0; no viewer then shows nothing at all.
        if image.format == "BMP" and not alpha.any():
            alpha = None
    else:
        colour = _samples(image.convert("RGB"), orientation, is_tiff=image.format == "TIFF")
    return Stored(colour, 255, alpha, index, _NAMES[mode], orientation)


def _wide(image: ImageFile.ImageFile, data: bytes, name: str, bits: int, orientation: int) -> Stored:
    """16-bit samples that Pillow would cut to 8: colour, or grey with alpha."""
    if bits != 16:
        raise ImageReadError(f"{name} has {bits} bit colour; expected 8 or 16.", fix=RESAVE)
    has_alpha = image.mode == "RGBA"
    if image.format == "TIFF":
        samples = _wide_tiff(image, data, name, orientation)
    elif image.tile[0].args == "LA;16B":
        # Two 16-bit samples lie where 8-bit RGBA has its four: R and G are the bytes of the grey value.
        image.tile = [tile._replace(args="RGBA") for tile in image.tile]
        halves = _samples(image, orientation).astype(np.uint16)
        samples = halves[..., 0::2] * 256 + halves[..., 1::2]
        return Stored(samples[..., 0], 65535, samples[..., 1], None, "grey with alpha 16 bit", orientation)
    else:
        samples = _joined(data, "PNG", "16B", "16L", orientation)
    colour = samples[..., :3]
    if not has_alpha:
        return Stored(colour, 65535, _keyed(colour, image, 65535), None, "RGB 16 bit", orientation)
    alpha = samples[..., 3]
    if _PREMULTIPLIED in _tiff_tag(image, _TAG_EXTRA, ()):
        colour = _divided(colour, alpha, 65535)
    return Stored(colour, 65535, alpha, None, "RGBA 16 bit", orientation)


def _wide_tiff(image: ImageFile.ImageFile, data: bytes, name: str, orientation: int) -> np.ndarray:
    """uint16 (H, W, C) as stored."""
    if _tiff_tag(image, _TAG_PHOTOMETRIC) != 2:
        raise ImageReadError(f"{name} has 16 bit samples that are not RGB.", fix=RESAVE)
    if _tiff_tag(image, _TAG_COMPRESSION, 1) in _TIFFFILE_COMPRESSIONS:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            samples = page.asarray()
            return (np.moveaxis(samples, 0, -1) if page.planarconfig == 2 else samples).astype(np.uint16)
    # libtiff hands over samples in the machine's order, so there the high byte is the second one on most machines.
    high, low = ("16L", "16B") if sys.byteorder == "little" else ("16B", "16L")
    return _joined(data, "TIFF", high, low, orientation)


def _joined(data: bytes, kind: str, high: str, low: str, orientation: int) -> np.ndarray:
    """uint16 (H, W, C) as stored, from two readings of the same samples, once for each byte."""
    halves = []
    for order in (high, low):
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            follow_no_other(image)
            image.tile = [tile._replace(args=_reordered(tile.args, order)) for tile in image.tile]
            halves.append(_samples(image, orientation).astype(np.uint16))
    return halves[0] * 256 + halves[1]


def _reordered(args: str | tuple | None, order: str) -> str | tuple:
    """A tile's decoder arguments with the raw mode read in this byte order, and alpha as a sample like the others."""
    if not isinstance(args, tuple):
        return f"{(args or '').partition(';')[0].replace('a', 'A')};{order}"
    return (_reordered(args[0], order), *args[1:])


def _samples(image: Image.Image, orientation: int, is_tiff: bool = False) -> np.ndarray:
    """What `image` holds as an array, not turned: Pillow turns a TIFF, and only that, while loading."""
    image.load()
    pixels = np.asarray(image)
    return turned_back(pixels, orientation) if is_tiff or image.format == "TIFF" else pixels


def _palette_alpha(image: Image.Image, index: np.ndarray) -> np.ndarray | None:
    """(H, W) uint8, opacity of each pixel by its palette entry; None where the file has none."""
    transparency = image.info.get("transparency")
    if transparency is None:
        return None
    of_entry = np.full(256, 255, np.uint8)
    if isinstance(transparency, int):
        of_entry[transparency] = 0
    else:
        given = np.frombuffer(transparency, np.uint8)[:256]
        of_entry[: len(given)] = given
    return of_entry[index]


def _keyed(colour: np.ndarray, image: Image.Image, white: int, factor: int = 1) -> np.ndarray | None:
    """(H, W): 0 where a pixel has the one colour that the file declares transparent, `white` elsewhere; None where it
    declares none. factor: from the file's own numbers to those of `colour`.
    """
    key = image.info.get("transparency")
    if key is None:
        return None
    is_key = colour == np.asarray(key) * factor
    return np.where(is_key.all(axis=2) if colour.ndim == 3 else is_key, 0, white).astype(colour.dtype)


def _divided(colour: np.ndarray, alpha: np.ndarray, white: int) -> np.ndarray:
    """Colours that were multiplied by alpha, as they were before; black where alpha is 0."""
    share = alpha if colour.ndim == 2 else alpha[..., None]
    restored = (colour.astype(np.uint32) * white + share // 2) // np.maximum(share, 1)
    return np.minimum(restored, white).astype(colour.dtype)


def _tiff_tag(image: ImageFile.ImageFile, tag: int, default: Any = None) -> Any:
    return image.tag_v2.get(tag, default) if isinstance(image, TiffImagePlugin.TiffImageFile) else default


def _sample_bits(image: ImageFile.ImageFile, data: bytes) -> int:
    if image.format == "PNG":
        return data[24]  # IHDR is the first chunk by definition: width and height end at byte 24
    if image.format == "TIFF":
        return max(_tiff_tag(image, _TAG_BITS, (1,)))
    return 8
