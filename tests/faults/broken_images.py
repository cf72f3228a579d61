"""Image files damaged at random: each is read, or refused in one sentence, soon, and within some memory."""

import io
import os
import random
import resource
import time

import numpy as np
import tifffile
from PIL import Image

from faults.forked import result_in_child
from faults.outcome import Round

FILES = 6000
IN_ONE = 250
"""Files that one process reads; where it dies or hangs, they are tried one by one."""
LONGEST_S, MOST_MIB, MOST_WORDS = 30.0, 2048, 400


def run(this: Round) -> None:
    from wtflow.datasets import images  # noqa: F401 - before processes are forked
    from wtflow.errors import ImageReadError  # noqa: F401

    whole, left = whole_files(), this.count(FILES)
    while left > 0:
        n, seed = min(IN_ONE, left), this.chance.randrange(1 << 30)
        left -= n
        try:
            found = result_in_child(lambda seed=seed, n=n: [_read(whole, seed + i) for i in range(n)], patience_s=600)
        except Exception:
            found = [_alone(whole, seed + i) for i in range(n)]
        for i, (kind, what, wrong) in enumerate(found):
            with this.attempt(f"file of seed {seed + i}, {kind}", what):
                if wrong:
                    raise AssertionError(wrong)


def _alone(whole: dict[str, bytes], seed: int) -> tuple[str, str, str]:
    try:
        return result_in_child(lambda: _read(whole, seed), patience_s=120)
    except Exception as error:
        return ("?", "lost", f"{type(error).__name__}: {error}")


def _read(whole: dict[str, bytes], seed: int) -> tuple[str, str, str]:
    """(kind of damage, what came of it, what is wrong with that)."""
    from wtflow.datasets.images import load_image_bytes
    from wtflow.errors import ImageReadError

    chance = random.Random(seed)
    kind = chance.choice(list(whole))
    how, data = damaged(whole, kind, chance)
    began, wrong = time.thread_time(), ""
    try:
        load_image_bytes(data, "photo.png", 64)
        what = "read"
    except ImageReadError as error:
        what, text = "refused", str(error)
        if "\n" in text or len(text) > MOST_WORDS:
            wrong = f"not one sentence: {text[:300]!r}"
    except BaseException as error:
        what, wrong = "lost", f"{type(error).__name__}: {error}"
    if (took := time.thread_time() - began) > LONGEST_S:
        wrong = f"it took {took:.0f} s"
    if (peak := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024) > MOST_MIB:
        wrong = f"{peak} MiB of memory"
    return f"{kind} {how}", what, wrong


def damaged(whole: dict[str, bytes], kind: str, chance: random.Random) -> tuple[str, bytes]:
    """How a file was damaged, and what it holds then."""
    data, how = bytearray(whole[kind]), chance.choice(["cut", "bit", "bits", "zeros", "head", "more", "ones", "swap"])
    at = chance.randrange(len(data))
    if how == "cut":
        del data[at:]
    elif how in ("bit", "bits"):
        for _ in range(1 if how == "bit" else 20):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif how == "head":  # where sizes and offsets stand
        for _ in range(4):
            data[chance.randrange(min(64, len(data)))] = chance.randrange(256)
    elif how == "more":
        data[at:at] = chance.randbytes(chance.randrange(1, 200))
    elif how in ("zeros", "ones"):
        n = min(chance.randrange(1, 64), len(data) - at)
        data[at : at + n] = (b"\0" if how == "zeros" else b"\xff") * n
    else:  # the end of a file of another kind
        data[at:] = whole[chance.choice(list(whole))][at:]
    return how, bytes(data)


def whole_files() -> dict[str, bytes]:
    """Sound files of every kind that is read."""
    generator = np.random.default_rng(0)
    colour = generator.integers(0, 255, (48, 40, 3), dtype=np.uint8)
    deep = generator.integers(0, 65535, (48, 40), dtype=np.uint16)
    alpha = np.dstack([colour, colour[..., 0]])
    made = {
        "png": _saved(colour, "PNG"),
        "png 16": _saved(deep, "PNG"),
        "png alpha": _saved(alpha, "PNG"),
        "jpeg": _saved(colour, "JPEG"),
        "jpeg progressive": _saved(colour, "JPEG", progressive=True),
        "bmp": _saved(colour, "BMP"),
        "webp": _saved(colour, "WEBP"),
        "webp alpha": _saved(alpha, "WEBP", lossless=True),
        "tiff": _saved(colour, "TIFF"),
        "tiff lzw": _saved(colour, "TIFF", compression="tiff_lzw"),
        "tiff jpeg": _saved(colour, "TIFF", compression="jpeg"),
        "tiff 16": _tiff(deep),
        "tiff 16 colour": _tiff(np.stack([deep] * 3, 2), photometric="rgb"),
        "tiff deflate": _tiff(np.stack([deep] * 3, 2), photometric="rgb", compression="zlib"),
        "tiff tiles": _tiff(deep, tile=(16, 16)),
    }
    buffer = io.BytesIO()
    Image.fromarray(colour).quantize().save(buffer, "PNG")
    return made | {"png palette": buffer.getvalue()}


def _saved(pixels: np.ndarray, kind: str, **more) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **more)
    return buffer.getvalue()


def _tiff(pixels: np.ndarray, **more) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **more)
    return buffer.getvalue()


os.environ.setdefault("TIFFFILE_NUM_THREADS", "1")
