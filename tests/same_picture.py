"""One picture in every encoding that the app reads.

A picture is uint8 (H, W, 4): RGB and alpha. Each writer gives a file's bytes, or None where its encoding cannot hold
the picture. Pillow writes few of the variants of PNG and BMP, so they are written here by hand.
"""

import functools
import io
import itertools
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import tifffile
from PIL import Image

Writer = Callable[[np.ndarray], bytes | None]

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
"""First row and column, and step of both, of the seven passes of an interlaced PNG."""

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""Colour types of PNG."""


def is_grey(picture: np.ndarray) -> bool:
    return bool((picture[..., :1] == picture[..., 1:3]).all())


def is_opaque(picture: np.ndarray) -> bool:
    return bool((picture[..., 3] == 255).all())


def is_cut_out(picture: np.ndarray) -> bool:
    """True if each pixel is either opaque or not there at all."""
    return bool(np.isin(picture[..., 3], (0, 255)).all())


# PNG


def png(
    samples: np.ndarray,
    colour_type: int,
    depth: int,
    *,
    is_interlaced: bool = False,
    filter_type: int = 0,
    chunks: tuple[tuple[bytes, bytes], ...] = (),
    late: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """samples: (H, W, C) in the file's own numbers. chunks and late: before and after the pixels."""
    height, width = samples.shape[:2]
    passes = [samples[r::dr, c::dc] for r, c, dr, dc in ADAM7] if is_interlaced else [samples]
    raw = b"".join(_lines(part, depth, filter_type) for part in passes if part.size)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, is_interlaced)
    packed = zlib.compress(raw)
    data = [(b"IDAT", packed[: len(packed) // 2]), (b"IDAT", packed[len(packed) // 2 :])]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in [(b"IHDR", header), *chunks, *data, *late, (b"IEND", b"")]
    )


def _lines(samples: np.ndarray, depth: int, filter_type: int) -> bytes:
    rows = samples.reshape(len(samples), -1)
    if depth < 8:
        bits = np.unpackbits(rows.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
        packed = np.packbits(bits.reshape(len(rows), -1), axis=1)
    else:
        packed = np.frombuffer(rows.astype(">u2" if depth == 16 else ">u1").tobytes(), np.uint8).reshape(len(rows), -1)
    step = max(1, depth * samples.shape[2] // 8)
    before = np.zeros_like(packed)
    if filter_type == 1:
        before[:, step:] = packed[:, :-step] if packed.shape[1] > step else before[:, step:]
    elif filter_type == 2:
        before[1:] = packed[:-1]
    return b"".join(bytes([filter_type]) + row.tobytes() for row in packed - before)


def _png_samples(picture: np.ndarray, colour_type: int) -> np.ndarray | None:
    """(H, W, C) uint8 of a colour type without a palette, None where it cannot hold the picture."""
    has_grey, has_alpha = colour_type in (GREY, GREY_ALPHA), colour_type in (GREY_ALPHA, RGBA)
    if (has_grey and not is_grey(picture)) or (not has_alpha and not is_opaque(picture)):
        return None
    return np.dstack([picture[..., :1] if has_grey else picture[..., :3], *([picture[..., 3:]] if has_alpha else [])])


def png_plain(picture: np.ndarray, colour_type: int, depth: int, **how) -> bytes | None:
    samples = _png_samples(picture, colour_type)
    if samples is None:
        return None
    if depth == 16:
        return png(samples.astype(np.uint16) * 257, colour_type, 16, **how)
    step = 255 // ((1 << depth) - 1)
    return png(samples // step, colour_type, depth, **how) if (samples % step == 0).all() else None


def png_palette(picture: np.ndarray, depth: int, order: int, **how) -> bytes | None:
    """order: of the entries; -1 for the darkest last."""
    entries, index = np.unique(picture.reshape(-1, 4), axis=0, return_inverse=True)
    n = len(entries)
    if n > 1 << depth:
        return None
    place = np.arange(n)[::order]
    index = np.argsort(place)[index.ravel()].reshape(*picture.shape[:2], 1)
    entries = entries[place]
    chunks = [(b"PLTE", entries[:, :3].tobytes())]
    if (entries[:, 3] < 255).any():
        chunks.append((b"tRNS", entries[:, 3].tobytes()))
    return png(index, PALETTE, depth, chunks=tuple(chunks), **how)


def png_keyed(picture: np.ndarray, colour_type: int, depth: int) -> bytes | None:
    """One colour that no opaque pixel has is declared transparent."""
    if not is_cut_out(picture) or (colour_type == GREY and not is_grey(picture)):
        return None
    step = 255 // ((1 << min(depth, 8)) - 1)
    samples = picture[..., :1] if colour_type == GREY else picture[..., :3]
    if (samples % step).any():
        return None
    samples = samples // step
    taken = {tuple(value) for value in samples[picture[..., 3] == 255].tolist()}
    free = [(value,) * samples.shape[2] for value in range(1 << min(depth, 8))]
    if not (key := next((value for value in free if value not in taken), None)):
        return None
    samples = np.where(picture[..., 3:] == 0, np.array(key, np.uint8), samples)
    factor = 257 if depth == 16 else 1
    declared = struct.pack(f">{len(key)}H", *(value * factor for value in key))
    return png(samples.astype(np.uint16) * factor, colour_type, depth, chunks=((b"tRNS", declared),))


# BMP


def bmp_alpha(picture: np.ndarray) -> bytes | None:
    """32 bits with a mask for alpha, header of 108 bytes, rows from the bottom. A picture without a visible pixel would
    be read as opaque, as viewers do.
    """
    if not picture[..., 3].any():
        return None
    height, width = picture.shape[:2]
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, height * width * 4, 0, 0, 0, 0)
    header += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs"
    header = header.ljust(108, b"\0")
    pixels = picture[::-1][..., [2, 1, 0, 3]].tobytes()
    return b"BM" + struct.pack("<III", 14 + len(header) + len(pixels), 0, 14 + len(header)) + header + pixels


# Pillow


def pillow(picture: np.ndarray, mode: str, kind: str, **options) -> bytes | None:
    """mode: L, LA, RGB, RGBA, 1 or P."""
    if mode in ("L", "LA", "1") and not is_grey(picture):
        return None
    if "A" not in mode and not is_opaque(picture):
        return None
    if mode == "1" and not np.isin(picture[..., 0], (0, 255)).all():
        return None
    if mode == "P" and len(np.unique(picture.reshape(-1, 4), axis=0)) > 256:
        return None
    image = Image.fromarray(picture).convert({"P": "RGB"}.get(mode, mode))
    if mode == "P":
        image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
        if (np.asarray(image.convert("RGB")) != picture[..., :3]).any():
            return None
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# TIFF


def write_tiff(
    samples: np.ndarray,
    photometric: int,
    *,
    compression: int = 1,
    order: str = "<",
    is_separate: bool = False,
    rows: int = 1000,
    extra: int | None = None,
    predictor: int = 1,
    orientation: int | None = None,
    colour_map: list[int] | None = None,
) -> bytes:
    """samples: (H, W, C), uint8 or uint16. rows: of a strip; extra: kind of the last sample, 1 premultiplied alpha and
    2 alpha. compression: 1 none, 5 LZW, 8 deflate, 32773 PackBits; neither of them repeats anything.
    """
    height, width, n_channels = samples.shape
    planes = [samples[..., c : c + 1] for c in range(n_channels)] if is_separate else [samples]
    strips = [plane[first : first + rows] for plane in planes for first in range(0, height, rows)]
    packed = [_PACKED[compression](_as_bytes(strip, order, predictor)) for strip in strips]
    offsets = list(itertools.accumulate((len(strip) for strip in packed), initial=8))
    shorts, longs = 3, 4
    tags = {
        256: (longs, [width]),
        257: (longs, [height]),
        258: (shorts, [samples.itemsize * 8] * n_channels),
        259: (shorts, [compression]),
        262: (shorts, [photometric]),
        273: (longs, offsets[:-1]),
        274: (shorts, orientation and [orientation]),
        277: (shorts, [n_channels]),
        278: (longs, [rows]),
        279: (longs, [len(strip) for strip in packed]),
        284: (shorts, [2 if is_separate else 1]),
        317: (shorts, [predictor]),
        320: (shorts, colour_map),
        338: (shorts, extra and [extra]),
    }
    tags = {tag: (kind, values) for tag, (kind, values) in tags.items() if values}
    behind = offsets[-1]
    directory, spill = struct.pack(f"{order}H", len(tags)), b""
    spill_at = behind + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in tags.items():
        content = struct.pack(f"{order}{len(values)}{'HL'[kind - 3]}", *values)
        if len(content) > 4:
            content, spill = struct.pack(f"{order}L", spill_at + len(spill)), spill + content
        directory += struct.pack(f"{order}HHL", tag, kind, len(values)) + content.ljust(4, b"\0")
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}L", behind)
    return start + b"".join(packed) + directory + bytes(4) + spill


def _as_bytes(strip: np.ndarray, order: str, predictor: int) -> bytes:
    if predictor == 2:
        strip = np.concatenate([strip[:, :1], strip[:, 1:] - strip[:, :-1]], axis=1)
    return strip.astype(strip.dtype.newbyteorder(order)).tobytes()


def _lzw(raw: bytes) -> bytes:
    """Nine bits a byte: the table is cleared before codes get longer."""
    clear, end = 256, 257
    codes = [code for i in range(0, len(raw), 200) for code in (clear, *raw[i : i + 200])] + [end]
    bits = "".join(f"{code:09b}" for code in codes)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))


def _pack_bits(raw: bytes) -> bytes:
    return b"".join(bytes([len(part) - 1]) + part for part in (raw[i : i + 128] for i in range(0, len(raw), 128)))


_PACKED: dict[int, Callable[[bytes], bytes]] = {1: bytes, 5: _lzw, 8: zlib.compress, 32773: _pack_bits}


def tiff(picture: np.ndarray, is_colour: bool, extra: int | None, factor: int, **how) -> bytes | None:
    """factor: 1 for 8 bits, 257 for 16."""
    samples = _tiff_samples(picture, is_colour, extra, factor)
    if samples is None:
        return None
    photometric = how.pop("photometric", 2 if is_colour else 1)
    if photometric == 0:
        samples[..., 0] = np.iinfo(samples.dtype).max - samples[..., 0]
    return write_tiff(samples, photometric, extra=extra, **how)


def tiff_palette(picture: np.ndarray, extra: int | None, factor: int, **how) -> bytes | None:
    """factor: 257 for the palette's colours in 16 bits as they should be, 1 for 8-bit numbers in them."""
    entries, index = np.unique(picture[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
    if len(entries) > 256 or (extra is None and not is_opaque(picture)):
        return None
    samples = index.reshape(*picture.shape[:2], 1).astype(np.uint8)
    if extra:
        samples = np.dstack([samples, picture[..., 3:]])
    colours = np.pad(entries, ((0, 256 - len(entries)), (0, 0))).astype(int) * factor
    return write_tiff(samples, 3, extra=extra, colour_map=colours.T.ravel().tolist(), **how)


def tiff_tiles(picture: np.ndarray, is_colour: bool, extra: int | None, factor: int, **how) -> bytes | None:
    """Written by tifffile, in tiles."""
    samples = _tiff_samples(picture, is_colour, extra, factor)
    if samples is None:
        return None
    if samples.shape[2] == 1:
        samples, how = samples[..., 0], how | {"planarconfig": None}
    elif how["planarconfig"] == "separate":
        samples = np.ascontiguousarray(np.moveaxis(samples, -1, 0))
    options = {"extrasamples": [extra]} if extra else {}
    file = io.BytesIO()
    tifffile.imwrite(
        file, samples, photometric="rgb" if is_colour else "minisblack", tile=(16, 16), metadata=None, **options, **how
    )
    return file.getvalue()


def _tiff_samples(picture: np.ndarray, is_colour: bool, extra: int | None, factor: int) -> np.ndarray | None:
    if (not is_colour and not is_grey(picture)) or (extra is None and not is_opaque(picture)):
        return None
    samples = picture[..., :3] if is_colour else picture[..., :1]
    if extra == 1:
        if not is_cut_out(picture):
            return None  # multiplied colours are rounded: the picture is another
        samples = np.where(picture[..., 3:] == 0, 0, samples)
    if extra is not None:
        samples = np.dstack([samples, picture[..., 3:]])
    dtype = np.uint8 if factor == 1 else np.uint16
    return samples.astype(dtype) * dtype(factor)


def is_refused(name: str) -> bool:
    """True for the encodings that the app does not read and says so: what Pillow does not open, and grey with alpha in
    planes of their own that only libtiff unpacks.
    """
    is_grey_tiff, has_alpha = name.startswith("tiff grey"), "extra None" not in name
    is_unpacked_by_libtiff = "compression 5" in name or "compression 32773" in name
    return is_grey_tiff and (
        (has_alpha and ("16 bit" in name or "white is 0" in name or ("planes" in name and is_unpacked_by_libtiff)))
        or ("16 bit >" in name and "white is 0" in name)
    )


def encodings() -> Iterator[tuple[str, Writer]]:
    """(name, writer) of each."""
    yield from _pngs()
    yield "bmp with alpha", bmp_alpha
    for mode in ("1", "L", "RGB", "P"):
        yield f"bmp {mode}", functools.partial(pillow, mode=mode, kind="BMP")
    for mode, exact in (("RGB", True), ("RGBA", True), ("RGBA", False), ("L", True)):
        name = f"webp {mode}{' hidden colours kept' if exact else ''}"
        yield name, functools.partial(pillow, mode=mode, kind="WEBP", lossless=True, exact=exact)
    yield from _tiffs()


def _pngs() -> Iterator[tuple[str, Writer]]:
    for kind, is_interlaced, filter_type in itertools.product((GREY, RGB, GREY_ALPHA, RGBA), (False, True), (0, 1, 2)):
        for depth in (1, 2, 4, 8, 16) if kind == GREY else (8, 16):
            name = f"png type {kind}, {depth} bit, filter {filter_type}{', interlaced' if is_interlaced else ''}"
            how = {"is_interlaced": is_interlaced, "filter_type": filter_type}
            yield name, functools.partial(png_plain, colour_type=kind, depth=depth, **how)
    for depth, order, is_interlaced in itertools.product((1, 2, 4, 8), (1, -1), (False, True)):
        name = f"png palette, {depth} bit, order {order}{', interlaced' if is_interlaced else ''}"
        yield name, functools.partial(png_palette, depth=depth, order=order, is_interlaced=is_interlaced)
    for kind, depth in itertools.product((GREY, RGB), (1, 2, 4, 8, 16)):
        if kind == GREY or depth >= 8:
            name = f"png type {kind}, {depth} bit, one colour transparent"
            yield name, functools.partial(png_keyed, colour_type=kind, depth=depth)


def _tiffs() -> Iterator[tuple[str, Writer]]:
    for mode, compression in itertools.product(
        ("1", "L", "LA", "P", "RGB", "RGBA"), (None, "tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd")
    ):
        yield f"tiff {mode} {compression}", functools.partial(pillow, mode=mode, kind="TIFF", compression=compression)
    for compression in ("group3", "group4", "tiff_ccitt"):
        yield f"tiff 1 {compression}", functools.partial(pillow, mode="1", kind="TIFF", compression=compression)
    for extra, factor, order, compression in itertools.product((None, 2), (1, 257), "<>", (1, 5)):
        name = f"tiff palette, extra {extra}, colours x {factor} {order}, compression {compression}"
        yield name, functools.partial(tiff_palette, extra=extra, factor=factor, order=order, compression=compression)
    for is_colour, extra, factor, order, compression in itertools.product(
        (True, False), (None, 1, 2), (1, 257), "<>", (1, 5, 8, 32773)
    ):
        start = f"tiff {'RGB' if is_colour else 'grey'}, extra {extra}, {8 if factor == 1 else 16} bit {order}"
        how = {"is_colour": is_colour, "extra": extra, "factor": factor}
        for name, more in {
            "strips": {"rows": 2},
            "predictor": {"predictor": 2},
            "planes": {"is_separate": True},
            "white is 0": {"photometric": 0},
        }.items():
            if (name == "predictor" and compression in (1, 32773)) or (name == "white is 0" and is_colour):
                continue
            yield (
                f"{start}, compression {compression}, {name}",
                functools.partial(tiff, **how, order=order, compression=compression, **more),
            )
        if compression in (1, 8):
            for planes in ("contig", "separate"):
                options = {"byteorder": order, "compression": {1: None, 8: "zlib"}[compression], "planarconfig": planes}
                yield (
                    f"{start}, compression {compression}, tiles, {planes}",
                    functools.partial(tiff_tiles, **how, **options),
                )
