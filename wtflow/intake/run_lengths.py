"""Run lengths of COCO, plain or compressed, as masks. Pixels are counted down the columns, background first.

Source: the format as pycocotools' maskApi describes it; written anew.
"""

from typing import Any

import numpy as np

from wtflow.errors import DatasetError

_FIX = "Export the masks again, or as polygons."


def decode_runs(values: dict[str, Any], shape: tuple[int, int], name: str) -> np.ndarray:
    """bool (H, W). Raises DatasetError for runs of another size or that fill none."""
    size, counts = values.get("size"), values.get("counts")
    if size != list(shape):
        raise DatasetError(
            f"The run lengths of {name} are of size {str(size)[:40]}, the image has {shape[0]} rows of {shape[1]}.",
            fix=_FIX,
        )
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    n = shape[0] * shape[1]
    is_sound = (
        isinstance(runs, list)
        and len(runs) <= n + 2
        and all(isinstance(run, int) and 0 <= run <= n for run in runs)
        and sum(runs) == n
    )
    if not is_sound:
        raise DatasetError(f"The run lengths of {name} do not fill its image.", fix=_FIX)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(shape[1], shape[0]).T


def _unpacked(text: str) -> list[int] | None:
    """Compressed counts: numbers of 5 bits a letter, from the third on as differences to the last but one."""
    counts: list[int] = []
    value, shift = 0, 0
    for letter in text:
        part = ord(letter) - 48
        if not 0 <= part < 64 or shift > 60:
            return None
        value |= (part & 0x1F) << shift
        shift += 5
        if part & 0x20:
            continue
        if part & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value, shift = 0, 0
    return counts if shift == 0 else None
