"""Listing folders of images: what is an image, what is junk."""

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path, PurePath

from wtflow.datasets.pairing import loose
from wtflow.errors import LayoutError
from wtflow.records.core import IMAGE_SUFFIXES

# What file managers, archives and network disks leave behind (lower case); names that begin with a dot are junk as
# well.
_JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin", "lost+found"}


def is_junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in _JUNK


def is_image_name(name: str) -> bool:
    return PurePath(name).suffix.lower() in IMAGE_SUFFIXES


def is_storable(name: str) -> bool:
    """Whether a name can be written as text; Linux allows bytes that are no UTF-8, which no report
    or table can hold.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(name: str) -> str:
    """A name as text that can always be written, with bytes that are no UTF-8 as \\x.. ."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def is_folder(path: Path) -> bool:
    """Whether a folder is there and may be looked at. `Path.is_dir` raises where a parent is locked."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def open_regular(path: Path) -> BufferedReader:
    """A file opened for reading. Raises OSError, also for a link to a pipe or a device, which would be waited for
    without end, and for a folder.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe that nobody writes to opens at once

    if not stat.S_ISREG(path.stat().st_mode):  # looked at before it is opened: opening a device may do something
        raise OSError(errno.EINVAL, "it is no file but a folder, pipe, device or socket", str(path))
    file = open(path, "rb", opener=opener)  # noqa: PTH123, SIM115 - Path.open takes no opener; the caller closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "it is no longer a file", str(path))


def list_folder(folder: Path) -> tuple[list[str], list[str]]:
    """(folders, files) in a folder, each sorted, without junk.
    A link counts as what it leads to, a broken one as a file.

    Raises: LayoutError when the folder cannot be opened.
    """
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_junk(entry.name):
                    continue
                # Only a link needs a second look, and one that leads nowhere or in circles counts as a file that cannot
                # be read.
                is_link = entry.is_symlink()
                if entry.is_dir(follow_symlinks=False) or (is_link and is_folder(folder / entry.name)):
                    folders.append(entry.name)
                elif is_link or entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
    except OSError as error:
        raise LayoutError(
            f"{folder} cannot be opened ({error.strerror}).", fix="Give yourself the right to read the folder."
        ) from error
    return sorted(folders), sorted(files)


def list_folders(folder: Path) -> list[str]:
    """Names of the folders in a folder, without those that cannot be written as text; empty when it is not there."""
    return [name for name in list_folder(folder)[0] if is_storable(name)] if is_folder(folder) else []


def list_images(folder: Path) -> list[Path]:
    """The images right in a folder, by name; empty when the folder is not there."""
    if not is_folder(folder):
        return []
    return [folder / name for name in list_folder(folder)[1] if is_image_name(name) and is_storable(name)]


def walk_files(folder: Path, locked: list[Path]) -> Iterator[Path]:
    """Every file below a folder without junk, following links downwards and sideways, visiting each folder once.
    Folders that cannot be opened are added to `locked`.
    """
    seen: set[str] = set()
    pending, top = [folder], Path(os.path.realpath(folder))
    while pending:
        here = pending.pop()
        real = os.path.realpath(here)
        # A link that leads upwards would bring in all that lies beside the folder.
        if real in seen or Path(real) in top.parents:
            continue
        seen.add(real)
        try:
            folders, files = list_folder(here)
        except LayoutError:
            locked.append(here)
            continue
        yield from (here / name for name in files)
        pending += [here / name for name in reversed(folders)]


def as_spelt(name: str, names: list[str]) -> str:
    """A name as a disk spells it: the one of `names` that is the same, or the only one that is but for case and the way
    accents are stored. The name itself when none or several are.
    """
    alike = [one for one in names if loose(one) == loose(name)]
    return alike[0] if len(alike) == 1 and name not in names else name


def describe_folder(folder: Path) -> str:
    """What lies right in a folder, in a few words: "the folders test, train and 3 .png files"."""
    folders, files = list_folder(folder)
    parts = []
    if folders:
        names = ", ".join(shown(name) for name in folders[:5])
        more = f" and {len(folders) - 5} more" if len(folders) > 5 else ""
        parts.append(f"the folder{'s' * (len(folders) > 1)} {names}{more}")
    for extension, n in Counter(PurePath(name).suffix.lower() or "extensionless" for name in files).most_common(3):
        parts.append(f"{n} {shown(extension)} file{'s' * (n > 1)}")
    return " and ".join(parts) if parts else "nothing"
