"""What an image file stores, sample by sample: colours, palette indices and alpha, before anything is composed.

Pillow reads everything here but one thing: of 16-bit colour it silently keeps the high byte only. So it decodes such a
PNG twice, with the byte order exchanged, which gives both bytes of every sample.
"""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFile

from wtflow.datasets.orientation import follow_no_other, orientation_of, turned_back, turned_upright
from wtflow.errors import ImageReadError

COPY = "Copy the file again from where it came from, or remove it."
RESAVE = "Save it again as an 8 or 16 bit grey or RGB PNG, or remove it."

_PNG_DEPTH_AT = 24
"""Where a PNG names its bits per sample: its first chunk is IHDR by definition, and width and height end there."""

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
    """What an opened image of any kind but TIFF holds, not turned. data: its file's bytes; name: for errors.

    Raises ImageReadError.
    """
    orientation = orientation_of(image, data)
    follow_no_other(image)
    refuse_unknown(image, name)
    bits = data[_PNG_DEPTH_AT] if image.format == "PNG" else 8
    if image.mode.startswith("I;16"):
        pixels = samples_of(image, orientation).astype(np.uint16)
        return Stored(pixels, 65535, _keyed(pixels, image, 65535), None, "grey 16 bit", orientation)
    return _wide_png(image, data, orientation) if bits == 16 else narrow_samples(image, bits, orientation)


def refuse_unknown(image: ImageFile.ImageFile, name: str) -> None:
    """Raise ImageReadError for samples whose white is not known, such as floats."""
    if image.mode not in _NAMES and not image.mode.startswith("I;16"):
        raise ImageReadError(f"{name} stores its pixels as {image.mode}; expected 8 or 16 bit grey or RGB.", fix=RESAVE)


def narrow_samples(image: ImageFile.ImageFile, bits: int, orientation: int) -> Stored:
    """Samples of 8 bits or fewer, all on the scale of 255."""
    mode = image.mode
    samples = samples_of(image, orientation)
    index = alpha = None
    if mode in ("P", "PA"):
        index = samples if mode == "P" else samples[..., 0]
        alpha = _palette_alpha(image, index) if mode == "P" else samples[..., 1]
        image.info.pop("transparency", None)  # Pillow would warn of it, and does not convert it
        colour = samples_of(image.convert("RGB"), orientation, is_tiff=image.format == "TIFF")
    elif mode == "1":
        colour = samples.astype(np.uint8) * np.uint8(255)
        alpha = _keyed(colour, image, 255)
    elif mode in ("L", "RGB"):
        colour = samples
        alpha = _keyed(colour, image, 255, 255 // ((1 << bits) - 1) if mode == "L" else 1)
    elif mode in ("LA", "La", "RGBA"):
        colour, alpha = samples[..., :-1].squeeze(2) if mode != "RGBA" else samples[..., :3], samples[..., -1]
        if mode == "La":
            colour = divided(colour, alpha, 255)
        # Many programs fill the fourth byte of a BMP with 0; no viewer then shows nothing at all.
        if image.format == "BMP" and not alpha.any():
            alpha = None
    else:
        colour = samples_of(image.convert("RGB"), orientation, is_tiff=image.format == "TIFF")
    return Stored(colour, 255, alpha, index, _NAMES[mode], orientation)


def _wide_png(image: ImageFile.ImageFile, data: bytes, orientation: int) -> Stored:
    """16-bit samples that Pillow would cut to 8: colour, or grey with alpha."""
    if image.tile[0].args == "LA;16B":
        # Two 16-bit samples lie where 8-bit RGBA has its four: R and G are the bytes of the grey value.
        image.tile = [tile._replace(args="RGBA") for tile in image.tile]
        halves = samples_of(image, orientation).astype(np.uint16)
        samples = halves[..., 0::2] * 256 + halves[..., 1::2]
        return Stored(samples[..., 0], 65535, samples[..., 1], None, "grey with alpha 16 bit", orientation)
    samples = joined(data, "PNG", "16B", "16L", orientation)
    colour = samples[..., :3]
    if image.mode == "RGBA":
        return Stored(colour, 65535, samples[..., 3], None, "RGBA 16 bit", orientation)
    return Stored(colour, 65535, _keyed(colour, image, 65535), None, "RGB 16 bit", orientation)


def joined(data: bytes, kind: str, high: str, low: str, orientation: int) -> np.ndarray:
    """uint16 (H, W, C) as stored, from two readings of the same samples, once for each byte."""
    halves = []
    for order in (high, low):
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            follow_no_other(image)
            image.tile = [tile._replace(args=_reordered(tile.args, order)) for tile in image.tile]
            halves.append(samples_of(image, orientation).astype(np.uint16))
    return halves[0] * 256 + halves[1]


def _reordered(args: str | tuple | None, order: str) -> str | tuple:
    """A tile's decoder arguments with the raw mode read in this byte order, and alpha as a sample like the others."""
    if not isinstance(args, tuple):
        return f"{(args or '').partition(';')[0].replace('a', 'A')};{order}"
    return (_reordered(args[0], order), *args[1:])


def samples_of(image: Image.Image, orientation: int, is_tiff: bool = False) -> np.ndarray:
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


def divided(colour: np.ndarray, alpha: np.ndarray, white: int) -> np.ndarray:
    """Colours that were multiplied by alpha, as they were before; black where alpha is 0."""
    share = alpha if colour.ndim == 2 else alpha[..., None]
    restored = (colour.astype(np.uint32) * white + share // 2) // np.maximum(share, 1)
    return np.minimum(restored, white).astype(colour.dtype)
