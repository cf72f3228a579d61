"""What changes when a file is written again, asked for many files at once: one listing per folder."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from wtflow.records.core import Category

ABSENT = -1
"""The stamp of every file that is not there or may not be looked at."""


def stamp_of(found: os.stat_result) -> int:
    """Differs when a file was written again or replaced, also by a copy that took over the old time and size."""
    return hash((found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))


def stamp_files(paths: Iterable[Path]) -> dict[Path, int]:
    """path -> stamp, ABSENT where there is no such file. Opens no file.

    Lists each folder once and asks for its files right after: the systems of network drives answer that from the
    listing, where one question per path costs a round trip each.
    """
    wanted: dict[Path, set[str]] = defaultdict(set)
    stamps: dict[Path, int] = {}
    for path in paths:
        wanted[path.parent].add(path.name)
        stamps[path] = ABSENT
    for folder, names in wanted.items():
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in names:
                    with contextlib.suppress(OSError):  # a link that leads nowhere
                        stamps[folder / entry.name] = stamp_of(entry.stat())
    return stamps


def stamp_category(category: Category) -> dict[Path, int]:
    """path -> stamp of every image and mask of a category."""
    masks = (sample.mask_path for sample in category.samples if sample.mask_path is not None)
    return stamp_files([*(sample.path for sample in category.samples), *masks, *category.good_masks])


def fingerprint(category: Category, stamps: dict[Path, int]) -> int:
    """Differs when an image or a mask of the category was added, removed or written again, paired otherwise, or is
    read otherwise.
    """
    samples = tuple(
        (sample.id, stamps[sample.path], sample.mask_path and (str(sample.mask_path), stamps[sample.mask_path]))
        for sample in category.samples
    )
    good_masks = tuple((str(path), stamps[path]) for path in category.good_masks)
    return hash((samples, good_masks, category.clashes, category.reading))
