"""Whether a result file is whole, from its length, head and end alone: cheap enough for every line of a list."""

import json
import zipfile
from math import prod
from pathlib import Path

import numpy as np

_PARQUET = b"PAR1"


def why_damaged(path: Path) -> str:
    """What is wrong with a file that was cut off, emptied or overwritten, in a few words; empty where nothing is
    noticed. A change in the middle that keeps the length is not noticed.
    """
    try:
        check = _CHECKS.get(path.suffix)
        return check(path) if check else ""
    except Exception as error:  # the parsers raise many kinds of errors for damaged files
        return str(error) or type(error).__name__


def _parquet(path: Path) -> str:
    with path.open("rb") as file:
        size, head = path.stat().st_size, file.read(4)
        if size < 12 or head != _PARQUET:
            return "it does not begin as a table does"
        file.seek(-8, 2)
        length, end = int.from_bytes(file.read(4), "little"), file.read(4)
    return "" if end == _PARQUET and length + 12 <= size else "it is cut off"


def _npy(path: Path) -> str:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read(file)
        expected = file.tell() + prod(shape) * kind.itemsize
    size = path.stat().st_size
    return "" if size == expected else f"it has {size:,} bytes instead of {expected:,}"


def _npz(path: Path) -> str:
    with zipfile.ZipFile(path):
        return ""


def _json(path: Path) -> str:
    json.loads(path.read_text(encoding="utf-8"))
    return ""


def _safetensors(path: Path) -> str:
    with path.open("rb") as file:
        n_head = int.from_bytes(file.read(8), "little")
        size = path.stat().st_size
        if not 2 <= n_head <= size - 8:
            return "it is cut off, or it is no checkpoint"
        head = json.loads(file.read(n_head))
    expected = (
        8 + n_head + max((one["data_offsets"][1] for key, one in head.items() if key != "__metadata__"), default=0)
    )
    return "" if size == expected else f"it has {size:,} bytes instead of {expected:,}"


_CHECKS = {".safetensors": _safetensors, ".parquet": _parquet, ".npy": _npy, ".npz": _npz, ".json": _json}
