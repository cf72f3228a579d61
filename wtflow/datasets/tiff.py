"""What a TIFF stores, sample by sample.

tifffile reads grey and RGB of 8 and 16 bits where they are uncompressed or deflated: Pillow would cut 16-bit colour to
8 bits and mix up grey and alpha that lie in planes of their own. Pillow reads all other kinds, 16-bit colour twice,
with the byte order exchanged.
"""

import io
import math
import sys
from enum import IntEnum
from typing import Any

import numpy as np
import tifffile
from PIL import ImagePalette, TiffImagePlugin

from wtflow.datasets.orientation import follow_no_other, orientation_of
from wtflow.datasets.stored import COPY, RESAVE, Stored, divided, joined, narrow_samples, refuse_unknown, samples_of
from wtflow.errors import ImageReadError


class _Tag(IntEnum):
    """Numbers of the tags that say how samples are stored."""

    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    STRIPS = 273
    PLANES = 284
    PREDICTOR = 317
    COLOUR_MAP = 320
    TILES = 324
    EXTRA = 338
    FORMAT = 339


_COMPRESSIONS = (1, 8, 32946)
"""None and the two numbers of deflate: what tifffile reads without an extra package."""
_N_COLOURS = {0: 1, 1: 1, 2: 3}
"""Samples of colour a pixel: grey from white, grey from black, RGB."""
_PREMULTIPLIED = 1
"""The kind of extra sample that TIFF calls associated alpha: colours are already multiplied by it."""
_UNSIGNED = 1
_HEADER_BYTES = 8
_SEPARATE = 2
"""Each sample in a plane of its own."""

Tiff = TiffImagePlugin.TiffImageFile


def tiff_samples(image: Tiff, data: bytes, name: str) -> Stored:
    """What an opened TIFF holds, not turned. data: its file's bytes; name: for errors. Raises ImageReadError."""
    orientation = orientation_of(image, data)
    follow_no_other(image)
    refuse_unknown(image, name)
    bits = max(_tag(image, _Tag.BITS, (1,)))
    if set(_tag(image, _Tag.FORMAT, (_UNSIGNED,))) != {_UNSIGNED}:
        raise ImageReadError(f"{name} stores numbers below 0: which of them is black is not known.", fix=RESAVE)
    if any(at < _HEADER_BYTES for at in (*_tag(image, _Tag.STRIPS, ()), *_tag(image, _Tag.TILES, ()))):
        raise _incomplete(name)  # Pillow would show the header as pixels, tifffile black
    if (samples := _plain_samples(image, data)) is not None:
        return _composed(image, samples, orientation)
    if image.mode.startswith("I;16"):
        white = (1 << bits) - 1
        pixels = samples_of(image, orientation)
        # Pillow inverts 8-bit "white is zero" but leaves 16-bit as it is.
        pixels = (white - pixels if _tag(image, _Tag.PHOTOMETRIC) == 0 else pixels).astype(np.uint16)
        return Stored(pixels, white, None, None, f"grey {bits} bit", orientation)
    if bits > 8:
        return _composed(image, _wide_samples(image, data, name, bits, orientation), orientation)
    if _tag(image, _Tag.PLANES, 1) == _SEPARATE and image.mode in ("LA", "La", "PA"):
        raise ImageReadError(f"{name} keeps its alpha in a plane of its own, in a compression not read.", fix=RESAVE)
    _mend_palette(image)
    return narrow_samples(image, bits, orientation)


def _composed(image: Tiff, samples: np.ndarray, orientation: int) -> Stored:
    """samples: (H, W, C) as stored: the colours, then alpha where the image has it, then what nobody looks at."""
    white, n_colours = int(np.iinfo(samples.dtype).max), _N_COLOURS[_tag(image, _Tag.PHOTOMETRIC)]
    colour = samples[..., :3] if n_colours == 3 else samples[..., 0]
    if _tag(image, _Tag.PHOTOMETRIC) == 0:
        colour = white - colour
    alpha = samples[..., n_colours] if image.mode in ("LA", "La", "RGBA") else None
    if alpha is not None and _PREMULTIPLIED in _tag(image, _Tag.EXTRA, ())[:1]:
        colour = divided(colour, alpha, white)
    noun = "RGBA" if n_colours == 3 and alpha is not None else "RGB" if n_colours == 3 else "grey"
    with_alpha = " with alpha" if n_colours == 1 and alpha is not None else ""
    return Stored(colour, white, alpha, None, f"{noun}{with_alpha} {white.bit_length()} bit", orientation)


def _plain_samples(image: Tiff, data: bytes) -> np.ndarray | None:
    """uint8 or uint16 (H, W, C) by tifffile, None where it lacks what it takes."""
    bits = set(_tag(image, _Tag.BITS, (1,)))
    if (
        _tag(image, _Tag.COMPRESSION, 1) not in _COMPRESSIONS
        or _tag(image, _Tag.PHOTOMETRIC) not in _N_COLOURS
        or bits not in ({8}, {16})
        or _tag(image, _Tag.FILL_ORDER, 1) != 1
        or _tag(image, _Tag.PREDICTOR, 1) not in (1, 2)
    ):
        return None
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        if not _is_whole(page, len(data)):
            return None
        samples = page.asarray().astype(np.uint8 if bits == {8} else np.uint16, copy=False)
    if _tag(image, _Tag.PLANES, 1) == _SEPARATE and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, -1)
    return samples.reshape(*samples.shape[:2], -1)


def _is_whole(page: tifffile.TiffPage, n_bytes: int) -> bool:
    """True if every strip or tile of a page lies in its file; tifffile would fill those that are missing with black."""
    pieces = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    return len(pieces) >= math.prod(page.chunked) and all(
        offset > 0 and count > 0 and offset + count <= n_bytes for offset, count in pieces
    )


def _mend_palette(image: Tiff) -> None:
    """Take the colours of a palette as 8-bit values where none is larger: some programs write them so, into 16 bits,
    and viewers show them. Pillow would show black.
    """
    entries = _tag(image, _Tag.COLOUR_MAP, ())
    if image.mode in ("P", "PA") and max(entries, default=0) < 256:
        image.palette = ImagePalette.raw("RGB;L", bytes(entries))


def _wide_samples(image: Tiff, data: bytes, name: str, bits: int, orientation: int) -> np.ndarray:
    """uint16 (H, W, C) as stored, of 16-bit RGB in a compression that only libtiff reads."""
    if bits != 16:
        raise ImageReadError(f"{name} has {bits} bit colour; expected 8 or 16.", fix=RESAVE)
    if _tag(image, _Tag.PHOTOMETRIC) != 2:
        raise ImageReadError(f"{name} has 16 bit samples that are not RGB.", fix=RESAVE)
    if _tag(image, _Tag.COMPRESSION, 1) in _COMPRESSIONS:
        raise _incomplete(name)
    # libtiff hands over samples in the machine's order, so there the high byte is the second one on most machines.
    high, low = ("16L", "16B") if sys.byteorder == "little" else ("16B", "16L")
    return joined(data, "TIFF", high, low, orientation)


def _incomplete(name: str) -> ImageReadError:
    return ImageReadError(f"{name} is damaged: a part of its pixels is missing.", fix=COPY)


def _tag(image: Tiff, tag: _Tag, default: Any = None) -> Any:
    return image.tag_v2.get(tag, default)
