"""Images that a person offers, dropped on a page or in a folder: listed without being read, each read by itself."""

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets.decode import read_bytes
from wtflow.datasets.files import is_folder, is_image_name, is_junk, shown
from wtflow.datasets.stamps import stamp_files
from wtflow.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Offered:
    """One image: a file (`path`), or the `data` of one that was dropped, with the `token` of that drop.

    name: for people; text that can always be written, whatever bytes the file's name has.
    """

    name: str
    path: Path | None = None
    data: bytes = b""
    token: str = ""

    def read(self) -> bytes:
        """Its bytes, as they are now. Raises ImageReadError, also for a pipe, a device or a folder."""
        return self.data if self.path is None else read_bytes(self.path, self.name)


def offer_path(text: str) -> list[Offered]:
    """The images right in the folder that a person typed, by name, or the one image that it leads to.

    Everything that is named like an image is listed, so that each file that cannot be read gets its reason: dead links,
    pipes, folders, names that are no UTF-8. Raises DatasetError where there is nothing.
    """
    # Unlike Path.expanduser, this leaves the `~` of an unknown user as it is.
    path = Path(os.path.abspath(os.path.expanduser(text.strip().strip('"'))))  # noqa: PTH100, PTH111
    if is_folder(path):
        names = _image_names(path)
        if names:
            return [Offered(shown(str(path / name)), path / name) for name in names]
    elif os.path.lexists(path) and is_image_name(path.name):
        return [Offered(shown(str(path)), path)]
    raise DatasetError(
        f"{text.strip()} holds no images, or is not a folder.",
        fix="Check the path; images lie directly in the folder.",
    )


def stamps_of(offered: Sequence[Offered]) -> list[Hashable]:
    """For each image what differs when its contents do, as far as that can be told without reading it."""
    stamps = stamp_files(one.path for one in offered if one.path is not None)
    return [one.token if one.path is None else (str(one.path), stamps[one.path]) for one in offered]


def _image_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_image_name(entry.name) and not is_junk(entry.name))
    except OSError as error:
        raise DatasetError(
            f"{folder} cannot be opened ({error.strerror}).", fix="Give yourself the right to read the folder."
        ) from error
