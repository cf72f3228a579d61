"""Zip archives opened safely: what is unsafe as a whole is refused before anything is read, links and devices one by
one. Nothing is ever unpacked under the name that an archive gives.
"""

import contextlib
import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from wtflow.datasets.decode import MAX_BYTES
from wtflow.datasets.files import open_regular
from wtflow.errors import ArchiveError, ImageReadError
from wtflow.intake.limits import Limits, refuse_too_much
from wtflow.numbers import size

FEWEST_BYTES = 50_000_000
"""Up to this size unpacked the ratio does not count: drawn pictures and masks pack well."""
_END, _END_64 = b"PK\5\6", b"PK\6\6"
_TAIL = 66_000
"""Bytes at the end that hold the record of the end and the longest comment."""
_ENCRYPTED = 0x1
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)
_COPY = "Make the archive again, or unpack it and give the folder."


@contextlib.contextmanager
def open_archive(archive: Path | BinaryIO, title: str, allowed: Limits) -> Generator[zipfile.ZipFile, None, None]:
    """A zip whose list of files is sound. Raises ArchiveError for one that is damaged, encrypted, has names that lead
    out of it, or unpacks to more than is allowed.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open_regular(archive)) if isinstance(archive, Path) else archive
            refuse_too_much(_n_listed(file), 0, title, allowed)
            opened = stack.enter_context(zipfile.ZipFile(file))
        except _BROKEN as error:
            raise ArchiveError(f"{title} is no zip archive that can be read ({error}).", fix=_COPY) from error
        _refuse_unsafe(opened, title, allowed)
        yield opened


def why_not(member: zipfile.ZipInfo) -> str:
    """Why one entry is not taken, in a sentence; empty for a plain file."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "It is a link, and links in an archive are not followed."
    if kind not in (0, stat.S_IFREG):
        return "It is a device, pipe or socket, not a file."
    return ""


def read_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The contents of one entry: never more than the archive's list promised. Raises ImageReadError."""
    name = member.filename
    if member.file_size > MAX_BYTES:
        raise ImageReadError(f"{name} is {size(member.file_size)} large; at most 1 GiB is read.", fix="Shrink it.")
    try:
        with opened.open(member) as file:
            data = file.read(member.file_size + 1)
    except _BROKEN as error:
        raise ImageReadError(f"{name} cannot be unpacked ({_why(error)}).", fix=_COPY) from error
    if len(data) != member.file_size:
        raise ImageReadError(f"{name} is cut off in the archive.", fix=_COPY)
    return data


def _why(error: Exception) -> str:
    """The reason in words. Where two places of an archive disagree on a name, Python quotes both, bytes and all."""
    words = str(error)
    if words.startswith("File name in directory"):
        return "it has another name where its contents begin than in the archive's list"
    return words[:120] or type(error).__name__


def parts_of(name: str) -> tuple[str, ...]:
    """The folders and the name of an entry; some programs write backslashes."""
    return tuple(part for part in re.split(r"[/\\]", name) if part not in ("", "."))


def _refuse_unsafe(opened: zipfile.ZipFile, title: str, allowed: Limits) -> None:
    members = opened.infolist()
    n_bytes = sum(member.file_size for member in members)
    refuse_too_much(sum(not member.is_dir() for member in members), n_bytes, title, allowed)
    packed = max(1, sum(member.compress_size for member in members))
    if n_bytes > FEWEST_BYTES and n_bytes / packed > allowed.ratio:
        raise ArchiveError(
            f"{title} unpacks to {size(n_bytes)}, {n_bytes // packed:,} times its size: that is no archive of photos.",
            fix=f"If it is one, raise WTFLOW_UPLOAD_RATIO (now {allowed.ratio}).",
        )
    for member in members:
        name = member.filename
        if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts_of(name):
            raise ArchiveError(
                f"{title} holds a file named {name[:120]!r}, which leads out of the archive. Nothing of it was taken.",
                fix="Make the archive again from inside the folder of images.",
            )
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{title} is encrypted.", fix="Unpack it with its password and give the folder.")


def _n_listed(file: BinaryIO) -> int:
    """How many entries an archive says that it lists, before its list is read; 0 where it does not say so."""
    file.seek(0, io.SEEK_END)
    file.seek(max(0, file.tell() - _TAIL))
    tail = file.read()
    file.seek(0)
    at, at_64 = tail.rfind(_END), tail.rfind(_END_64)
    if at_64 >= 0 and len(tail) >= at_64 + 40:
        return struct.unpack_from("<Q", tail, at_64 + 32)[0]
    return struct.unpack_from("<H", tail, at + 10)[0] if at >= 0 and len(tail) >= at + 12 else 0
