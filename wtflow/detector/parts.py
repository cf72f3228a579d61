"""The members of a detector's file: written, and read back only where each one is what the file says. No torch."""

import hashlib
import io
import json
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from wtflow.datasets.files import open_regular
from wtflow.errors import DetectorFileError
from wtflow.store.files import write_atomic

SUFFIX = ".wtf"
CARD = "detector.json"
WEIGHTS = "weights.safetensors"
FLOW = "flow.safetensors"
NORMALS = "normals.safetensors"
PARTS = (WEIGHTS, FLOW, NORMALS)

MOST_BYTES = 4 * 2**30 - 2**20
"""Of a file: what a plain zip can hold, and several times the largest backbone that runs on a CPU."""
MOST_CARD_BYTES = 64 * 2**20
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The first one that a zip can name: the same detector gives the same bytes."""
AGAIN = "Copy it again from where it came from, or export it again."


def write_parts(path: Path, card: dict[str, Any], parts: dict[str, bytes]) -> int:
    """Write the card and the tensors as one zip, in place only when it is whole; returns its bytes.
    Raises DiskFullError, StoreError.
    """
    said = {name: _said(content) for name, content in parts.items()}
    text = json.dumps(card | {"parts": said}, indent=1, allow_nan=False, ensure_ascii=False, sort_keys=True).encode()

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in {CARD: text, **parts}.items():
                info = zipfile.ZipInfo(name, _MOMENT)
                info.external_attr = 0o644 << 16
                archive.writestr(info, content)

    write_atomic(path, write)
    return path.stat().st_size


def read_parts(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The card and the tensors' bytes by name. Raises DetectorFileError for a file that is not exactly what it says.

    Members are stored, so none is larger than the file itself, and nothing is written to the disk.
    """
    data = _read(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _refuse_others(path.name, members, len(data))
            found = {member.filename: archive.read(member) for member in members}
    except (
        zipfile.BadZipFile,
        EOFError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        OSError,
        struct.error,
    ) as error:
        raise DetectorFileError(f"{path.name} is damaged, or no detector's file ({error}).", fix=AGAIN) from error
    card = _json(path.name, found.pop(CARD))
    said = card.get("parts")
    for name, content in found.items():
        if not isinstance(said, dict) or said.get(name) != _said(content):
            raise DetectorFileError(f"{path.name} is damaged: {name} is not what was written.", fix=AGAIN)
    return card, found


def _said(content: bytes) -> dict[str, Any]:
    """What the card says of a member."""
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            head = file.read(4)
            size = path.stat().st_size
            if head != b"PK\x03\x04" or size > MOST_BYTES:
                what = "is larger than any detector's file" if size > MOST_BYTES else "is no detector's file"
                raise DetectorFileError(
                    f"{path.name} {what}.", fix="Give one that `python -m wtflow export RUN --detector` wrote."
                )
            return head + file.read(MOST_BYTES)
    except OSError as error:
        raise DetectorFileError(
            f"{path} cannot be read ({error.strerror or error}).", fix="Check the path and the right to read it."
        ) from error


def _refuse_others(name: str, members: list[zipfile.ZipInfo], n_bytes: int) -> None:
    """Anything but our members, once each, stored, and no larger than the file."""
    names = [member.filename for member in members]
    if sorted(names) != sorted((CARD, *PARTS)):
        raise DetectorFileError(
            f"{name} is no detector's file: it holds {', '.join(one[:40] for one in names[:4]) or 'nothing'}.",
            fix="Give one that `python -m wtflow export RUN --detector` wrote.",
        )
    for member in members:
        is_plain = member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 0x1
        is_plain = is_plain and not stat.S_ISLNK(member.external_attr >> 16)
        most = MOST_CARD_BYTES if member.filename == CARD else n_bytes
        if not is_plain or member.file_size != member.compress_size or member.file_size > most:
            raise DetectorFileError(f"{name} is damaged: {member.filename} is not stored as it should be.", fix=AGAIN)


def _json(name: str, content: bytes) -> dict[str, Any]:
    try:
        card = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DetectorFileError(f"{name} is damaged: {CARD} cannot be read ({error}).", fix=AGAIN) from error
    if not isinstance(card, dict):
        raise DetectorFileError(f"{name} is damaged: {CARD} is no JSON object.", fix=AGAIN)
    return card
