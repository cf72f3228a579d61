"""Images that came through a browser, alone or in zip archives, and folders that a person typed. Imports no torch."""

import contextlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, overload
from zipfile import ZipFile, ZipInfo

from wtflow.datasets.allowed import allowed, allowed_roots
from wtflow.datasets.files import is_folder, is_image_name, is_junk
from wtflow.errors import DatasetError
from wtflow.intake.archive import open_archive, parts_of, read_member, why_not
from wtflow.intake.limits import limits, refuse_too_much

AT_ONCE: Final = 64
"""So many images are answered while a person waits; more go on in a process of their own."""


class Dropped(NamedTuple):
    """A file as a browser sent it."""

    name: str
    file: BinaryIO


class DroppedImages(Sequence[tuple[str, bytes]]):
    """(name, contents) of each image. Contents are read when they are asked for, so a large zip is never in memory."""

    def __init__(self, parts: Sequence[tuple[str, BinaryIO | tuple[ZipFile, ZipInfo]]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self._parts]

    @overload
    def __getitem__(self, at: int) -> tuple[str, bytes]: ...
    @overload
    def __getitem__(self, at: slice) -> "DroppedImages": ...
    def __getitem__(self, at: int | slice) -> "tuple[str, bytes] | DroppedImages":
        if isinstance(at, slice):
            return DroppedImages(self._parts[at])
        name, source = self._parts[at]
        if isinstance(source, tuple):
            return name, read_member(*source)
        source.seek(0)
        return name, source.read()


@contextlib.contextmanager
def dropped_images(files: Sequence[Dropped]) -> Generator[DroppedImages, None, None]:
    """The images among dropped files, those of zip archives in their place. Raises ArchiveError for an archive that is
    damaged, encrypted or too large, or leads out of itself; DatasetError where there is no image.
    """
    allowed, parts = limits(), []
    with contextlib.ExitStack() as stack:
        for name, file in files:
            if not name.lower().endswith(".zip"):
                parts.append((name, file))
                continue
            opened = stack.enter_context(open_archive(file, name, allowed))
            parts += [(parts_of(one.filename)[-1], (opened, one)) for one in _images_in(opened)]
        refuse_too_much(len(parts), 0, "What was dropped", allowed)
        if not parts:
            raise DatasetError(
                "No image was found in what was dropped.",
                fix="Drop PNG, JPEG, BMP, TIFF or WebP files, or a zip of them.",
            )
        yield DroppedImages(parts)


def source_of(text: str) -> Path:
    """The folder or image that a person typed, absolute. Raises DatasetError where there is none, and for one outside
    of WTFLOW_ROOTS where that is set.
    """
    # Unlike Path.expanduser, this leaves the `~` of an unknown user as it is.
    path = Path(os.path.abspath(os.path.expanduser(text.strip().strip('"'))))  # noqa: PTH100, PTH111
    if os.environ.get("WTFLOW_ROOTS", "").strip() and not allowed(path):
        raise DatasetError(
            f"{text.strip()[:200]} lies outside the folders that may be read here:"
            f" {', '.join(map(str, allowed_roots()))}.",
            fix="Choose one below these, or set WTFLOW_ROOTS before the app is started.",
        )
    if is_folder(path) or (os.path.lexists(path) and is_image_name(path.name)):
        return path
    raise DatasetError(
        f"{text.strip()} is neither a folder nor an image.", fix="Check the path, or choose another folder."
    )


def _images_in(opened: ZipFile) -> Iterator[ZipInfo]:
    for member in opened.infolist():
        parts = parts_of(member.filename)
        if member.is_dir() or not parts or why_not(member) or any(is_junk(part) for part in parts):
            continue
        if is_image_name(parts[-1]):
            yield member
