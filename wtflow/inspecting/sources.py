"""Which images a person means: files and folders, walked in natural order, named without two alike. Imports no torch.

Folders are walked to the bottom. Hidden files and what file managers leave are skipped, and so are links: what they
lead to lies inside the folder, where it is found by its own name, or outside of it.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets.files import is_folder, is_image_name, is_junk, shown
from wtflow.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Item:
    """One image to score. stamp: size in bytes, time of the last change in ns and number on the disk, as it was
    listed; () where it could not be looked at.
    """

    image: str
    path: Path
    stamp: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The images of all sources, in order. n_links: links that lead out of their folder. locked: folders that cannot be
    opened.
    """

    items: tuple[Item, ...]
    n_links: int = 0
    locked: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of it, a sentence each."""
        links = "link leads" if self.n_links == 1 else "links lead"
        left = [f"{self.n_links:,} {links} out of the folder and were left out."] if self.n_links else []
        return (*left, *(f"The folder {name} cannot be opened." for name in self.locked))


def list_images(sources: Sequence[str | Path], without: Sequence[Path] = ()) -> Listing:
    """Every image of folders and files. without: folders that are left out, such as those that are written to.

    A file that was named itself is listed whatever it is called. Raises DatasetError for a source that does not exist.
    """
    paths = [Path(one) for one in sources]
    outside = {os.path.realpath(one) for one in without}
    walk = _Walk(outside)
    items: list[Item] = []
    for path, label in zip(paths, labels_of(paths), strict=True):
        if is_folder(path):
            found = sorted(walk.files(path), key=lambda one: natural(one[0]))
            items += [Item(f"{label}{shown(name)}", path / name, stamp) for name, stamp in found]
        elif os.path.lexists(path):
            items.append(Item(label, path, stamp_now(path)))
        else:
            raise DatasetError(f"{path} does not exist.", fix="Check the path.")
    return Listing(tuple(_without_twins(items)), walk.n_links, tuple(walk.locked))


def labels_of(paths: Sequence[Path]) -> list[str]:
    """What stands before the names of a folder's images ("line_a/"), and the name of a file. A single folder has
    nothing before them; of two folders, or two files, of one name the later is numbered.
    """
    alone = len(paths) == 1
    found, taken = [], Counter[str]()
    for path in paths:
        name = shown(Path(os.path.abspath(path)).name) or "images"  # noqa: PTH100 - links stay as they are
        folder = is_folder(path)
        if alone and folder:
            return [""]
        taken[name] += 1
        if taken[name] > 1:
            stem, dot, suffix = ("", "", "") if folder else name.rpartition(".")
            name = f"{stem} ({taken[name]}){dot}{suffix}" if stem else f"{name} ({taken[name]})"
        found.append(f"{name}/" if folder else name)
    return found


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which image 2 comes before image 10, folder by folder."""
    parts = re.split(r"([0-9]+)", name.replace("/", "\0"))
    return [(1, int(one), one) if one.isdecimal() and one.isascii() else (0, 0, one.casefold()) for one in parts]


def stamp_now(path: Path) -> tuple[int, ...]:
    """The stamp of a file; () where it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns, found.st_ino)


class _Walk:
    def __init__(self, outside: set[str]) -> None:
        self.outside = outside
        self.n_links = 0
        self.locked: list[str] = []

    def files(self, top: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
        """(path below the folder with forward slashes, stamp) of each image."""
        real = os.path.realpath(top)
        pending = [""]
        while pending:
            below = pending.pop()
            if os.path.join(real, below).rstrip(os.sep) in self.outside:  # noqa: PTH118 - compared as text
                continue
            try:
                with os.scandir(top / below if below else top) as entries:
                    found = list(entries)
            except OSError:
                self.locked.append(shown(str(top / below)))
                continue
            for entry in found:
                if is_junk(entry.name):
                    continue
                name = f"{below}/{entry.name}" if below else entry.name
                if entry.is_symlink():
                    self.n_links += not os.path.realpath(entry.path).startswith(real.rstrip(os.sep) + os.sep)
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(name)
                elif is_image_name(entry.name):
                    yield name, _stamp_of(entry)


def _stamp_of(entry: os.DirEntry[str]) -> tuple[int, ...]:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns, found.st_ino)


def _without_twins(items: Sequence[Item]) -> Iterator[Item]:
    """Each image once: two names that only bytes beyond UTF-8 tell apart get a number."""
    taken = Counter[str]()
    for item in items:
        taken[item.image] += 1
        yield item if taken[item.image] == 1 else Item(f"{item.image} ({taken[item.image]})", item.path, item.stamp)
