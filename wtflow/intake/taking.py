"""Images on their way into a data set: read, checked, kept under the hash of their contents, and written down."""

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from wtflow.datasets.decode import decode_image, size_of
from wtflow.errors import ImageReadError
from wtflow.intake.limits import Limits, limits
from wtflow.numbers import count
from wtflow.records.intake import Added, DataSet, Item, Labelled, Refused
from wtflow.store.datasets import ORIGINALS, change_set, folder_of
from wtflow.store.files import explained, write_atomic
from wtflow.store.runs import RunStore

BATCH = 200
"""Images after which the manifest is written: so many are added again at most after a process was killed."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Arriving:
    """One file on its way in: its name, where it came from in words, what it is, and how to read it. path: the file
    itself, where it lies on this computer.
    """

    name: str
    source: str
    labelled: Labelled
    read: Callable[[], bytes]
    path: Path | None = None


@dataclass(slots=True)
class Tally:
    """What happened to the files so far."""

    added: list[str] = field(default_factory=list)
    relabelled: list[str] = field(default_factory=list)
    same: list[tuple[str, str]] = field(default_factory=list)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    n_ignored: int = 0

    def done(self) -> Added:
        """The same as a record."""
        return Added(
            tuple(self.added),
            tuple(self.relabelled),
            tuple(self.same),
            tuple(self.clashes),
            tuple(self.refused),
            self.n_ignored,
        )


def take_all(
    store: RunStore,
    name: str,
    came: Iterable[Arriving],
    n: int,
    tally: Tally,
    words: str,
    is_linking: bool,
    progress: Progress | None,
) -> Added:
    """Take n files. words: where they come from, for the history. Raises DatasetError, DiskFullError."""
    folder, allowed = folder_of(store, name), limits()
    waiting: list[Item] = []
    for done, one in enumerate(came, start=1):
        try:
            waiting.append(_take(folder, one, is_linking, allowed))
        except ImageReadError as error:
            tally.refused.append(Refused(one.source, error.message))
        if len(waiting) >= BATCH or (done == n and waiting):
            _register(store, name, waiting, tally, words)
            waiting = []
        if progress is not None:
            progress(done, n)
    if waiting:
        _register(store, name, waiting, tally, words)
    return tally.done()


def _take(folder: Path, one: Arriving, is_linking: bool, allowed: Limits) -> Item:
    """The image as an item, its file in place. Raises ImageReadError."""
    data = one.read()
    height, width = size_of(data, one.name)
    if height * width > allowed.n_pixels:
        raise ImageReadError(
            f"{one.name} has {width} x {height} pixels; at most {allowed.n_pixels:,} are taken.",
            fix="Shrink it, or raise WTFLOW_UPLOAD_PIXELS.",
        )
    decode_image(data, one.name)  # a file that is cut off has a sound header
    sha256, suffix = hashlib.sha256(data).hexdigest(), PurePath(one.name).suffix.lower()
    item = Item(sha256, suffix, one.name, one.source, height, width, one.labelled.label, one.labelled.defect)
    path = folder / ORIGINALS / f"{item.id}{suffix}"
    with explained(path):
        if path.exists():
            return item
        if is_linking and one.path is not None and _link(one.path, path):
            return replace(item, is_linked=True)
    write_atomic(path, lambda file: file.write(data), is_flushed=False)
    return item


def _link(source: Path, path: Path) -> bool:
    """Whether a hard link could be made; not across disks, and not where the disk knows none."""
    try:
        os.link(os.path.realpath(source), path)
    except OSError:
        return False
    return True


def _register(store: RunStore, name: str, came: list[Item], tally: Tally, words: str) -> None:
    fresh = Tally()

    def change(old: DataSet) -> DataSet:
        items = dict(old.items)
        for item in came:
            known = items.get(item.id)
            if known is None:
                items[item.id] = item
                fresh.added.append(item.id)
            elif item.label == "unsorted" or known.labelled == item.labelled:
                fresh.same.append((item.source, item.id))
            elif known.label in ("unsorted", "out"):
                items[item.id] = replace(known, label=item.label, defect=item.defect)
                fresh.relabelled.append(item.id)
            else:
                fresh.clashes.append((item.source, item.id))
        return replace(old, items=items)

    change_set(store, name, change, f"{count(len(came), 'image')} came {words}.")
    for part in ("added", "relabelled", "same", "clashes"):
        getattr(tally, part).extend(getattr(fresh, part))
