"""Versions of a data set: folders in the MVTec AD layout that runs read, never changed once they are published."""

import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from wtflow.datasets.images import hash_file
from wtflow.datasets.pairing import loose
from wtflow.errors import ChangedMeanwhileError, DamagedDataSetError, DatasetError
from wtflow.intake.near import find_pairs, known_pairs
from wtflow.intake.split import place
from wtflow.numbers import count
from wtflow.permission import changes
from wtflow.records.core import GOOD
from wtflow.records.intake import Changes, DataSet, Item, Member, Pair, Placed, Side, Version
from wtflow.records.run_list import RunQuery
from wtflow.store.dataset_versions import (
    newest_version,
    open_version,
    remove_version,
    version_numbers,
    version_of,
    version_root,
    write_version,
)
from wtflow.store.datasets import VERSIONS, change_set, data_home, folder_of, mask_of, open_set, original_of
from wtflow.store.files import explained
from wtflow.store.index.look import index_of
from wtflow.store.runs import RunStore

FEWEST_GOOD = 2
"""Good images that a training needs."""


@changes("make versions of data sets")
def publish(
    store: RunStore,
    name: str,
    *,
    seen: int | None = None,
    sides: Mapping[str, Side] | None = None,
    is_correcting: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Version:
    """The next version, written. Looks for near-duplicates first, unless that was done. Images that are not sorted or
    left out are not in it.

    seen: the serial of the state on the screen. sides: of all images, in place of a split. is_correcting: images that
    are in the newest version keep their sides whatever they look like, and only new ones follow their near-duplicates.
    Raises DatasetError where too few images are good, or nothing has
    changed since the newest version; ChangedMeanwhileError, DamagedDataSetError, DiskFullError.
    """
    data, previous = open_set(store, name), newest_version(store, name)
    pairs = () if sides is not None else _pairs_for(store, data, previous, is_correcting, progress)
    if seen is not None and data.serial != seen:
        raise ChangedMeanwhileError(
            f"The data set {name} was changed in another window meanwhile, so no version was made.",
            fix="Look at it as it is now, then publish it again.",
        )
    placed = place(data, pairs, previous) if sides is None else Placed(sides)
    members = members_of(data, placed)
    _refuse_too_few(name, members, data)
    changes = compare_members(members, previous)
    if changes.is_empty and previous is not None:
        raise DatasetError(
            f"Version {previous.number} of {name} holds exactly this already.", fix="Train on it, or change something."
        )
    version = Version(
        name, data.next_version, time.time(), members, data.seed, data.test_share, changes_words(changes, previous)
    )
    folder = folder_of(store, name) / VERSIONS / f".making-{version.number}-{os.getpid()}"
    try:
        _write_images(store, data, version, folder)
        return _put_in_place(store, data, version, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def what_changes(store: RunStore, name: str, progress: Callable[[int, int], None] | None = None) -> Changes:
    """What the next version would change against the newest one. Looks for near-duplicates, unless that was done."""
    data = open_set(store, name)
    placed = place(data, find_pairs(store, name, progress), previous := newest_version(store, name))
    return compare_members(members_of(data, placed), previous)


def is_published(store: RunStore, data: DataSet) -> bool:
    """Whether the newest version holds what the next one would. Looks for no near-duplicates: of images that nobody
    compared yet, none counts as one.
    """
    previous = newest_version(store, data.name)
    if previous is None:
        return False
    placed = place(data, known_pairs(store, data.name) or (), previous)
    return compare_members(members_of(data, placed), previous).is_empty


def members_of(data: DataSet, placed: Placed) -> tuple[Member, ...]:
    """The images of a version, each with its path below the folder of the data set."""
    found = []
    for key, side in placed.sides.items():
        item = data.items[key]
        kind = item.defect or GOOD
        mask = item.mask if item.label == "defect" else ""
        found.append(Member(item.sha256, side, kind, mask, f"{side}/{kind}/{item.kept_name or item.file}"))
    n_of = Counter(_stem(member) for member in found)
    # Two that kept their names may meet where one was relabelled; then both get the name that no other has.
    found = [
        replace(one, path=f"{one.side}/{one.defect}/{data.items[one.id].file}") if n_of[_stem(one)] > 1 else one
        for one in found
    ]
    return tuple(sorted(found, key=lambda member: member.path))


def _stem(member: Member) -> str:
    """What a disk or a pairing of masks would take for the same name."""
    return loose(str(PurePosixPath(member.path).with_suffix("")))


def compare_members(members: Iterable[Member], previous: Version | None) -> Changes:
    """What differs from an earlier version."""
    now = {member.id: member for member in members}
    old = {member.id: member for member in previous.members} if previous else {}
    common = [key for key in now if key in old]
    relabelled = tuple(key for key in common if now[key].defect != old[key].defect)
    return Changes(
        added=tuple(key for key in now if key not in old),
        removed=tuple(key for key in old if key not in now),
        relabelled=relabelled,
        masks=tuple(key for key in common if now[key].mask != old[key].mask),
        moved=tuple(key for key in common if now[key].side != old[key].side and key not in relabelled),
    )


def changes_words(changes: Changes, previous: Version | None) -> str:
    """The same in a sentence."""
    if previous is None:
        return f"The first version, of {count(len(changes.added), 'image')}."
    parts = [
        f"{count(len(ids), 'image')} {words}"
        for ids, words in (
            (changes.added, "added"),
            (changes.removed, "removed"),
            (changes.relabelled, "relabelled"),
            (changes.masks, "with another mask"),
            (changes.moved, "moved between training and test"),
        )
        if ids
    ]
    return f"Against version {previous.number}: {', '.join(parts) or 'nothing has changed'}."


def runs_of(store: RunStore, name: str, number: int | None = None) -> tuple[str, ...]:
    """Ids of the runs that were trained on a version of a set, or on any, newest first; damaged runs are left out."""
    index = index_of(store)
    index.look()
    found = []
    for run in index.find(RunQuery(below=str(data_home(store) / name), archived="also", sort="-run"), {}).runs:
        version = version_of(run.root)
        if version is None or version[0] != name or (number is not None and version[1] != number):
            continue
        if Path(run.root) == version_root(store, name, version[1]):
            found.append(run.run_id)
    return tuple(found)


def delete_version(store: RunStore, name: str, number: int) -> None:
    """Delete a version that no run uses; its number is never given again. Raises DatasetError, naming the runs, for one
    that is used, and where there is none.
    """
    open_version(store, name, number)
    if users := runs_of(store, name, number):
        more = f" and {len(users) - 3:,} more" if len(users) > 3 else ""
        raise DatasetError(
            f"Version {number} of {name} is used by {count(len(users), 'run')}: {', '.join(users[:3])}{more}.",
            fix="Delete these runs first, or keep the version.",
        )
    remove_version(store, name, number)


def _pairs_for(
    store: RunStore,
    data: DataSet,
    previous: Version | None,
    is_correcting: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[Pair, ...]:
    if not is_correcting or previous is None:
        return find_pairs(store, data.name, progress)
    old = {member.id for member in previous.members}
    if all(item.id in old for item in data.of("good", "defect")):
        return ()  # nothing new has to find its side
    pairs = find_pairs(store, data.name, progress)
    return tuple(pair for pair in pairs if not {pair.first, pair.second} <= old)


# -- inside ------------------------------------------------------------------------------------------------------------


def _refuse_too_few(name: str, members: Iterable[Member], data: DataSet) -> None:
    n = sum(member.side == "train" for member in members)
    if n < FEWEST_GOOD:
        good = count(len(data.of("good")), "good image")
        raise DatasetError(
            f"{name} has {good}, of which {n} would train; at least {FEWEST_GOOD} are needed.",
            fix="Add good images, or call those good that are not sorted yet.",
        )


def _write_images(store: RunStore, data: DataSet, version: Version, folder: Path) -> None:
    """The folder of a version: links to the files that the data set keeps, or copies where the disk knows no links."""
    shutil.rmtree(folder, ignore_errors=True)
    members = []
    for member in version.members:
        item = data.items[member.id]
        source = original_of(store, data.name, item)
        if not source.is_file() or (item.is_linked and hash_file(source) != item.sha256):
            raise DamagedDataSetError(
                f"The image {item.name} of {data.name} is gone, or another program wrote into its file.",
                fix=f"Add it again from {item.source}, or leave it out.",
            )
        _link_or_copy(source, folder / data.name / member.path)
        if member.mask:
            member = replace(member, mask=_write_mask(store, data.name, item, member, folder))
        members.append(member)
    write_version(folder, replace(version, members=tuple(members)))


def _write_mask(store: RunStore, name: str, item: Item, member: Member, folder: Path) -> str:
    """The hash of the mask's file, once it is in its place."""
    source, path = mask_of(store, name, item), Path(member.path)
    with explained(source):
        if not source.is_file():
            raise DamagedDataSetError(
                f"The mask of {item.name} in {name} is gone.", fix="Draw it again, or remove it from the image."
            )
    _link_or_copy(source, folder / name / "ground_truth" / member.defect / f"{path.stem}_mask.png")
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _link_or_copy(source: Path, path: Path) -> None:
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, path)
        except OSError:
            shutil.copyfile(source, path)


def _put_in_place(store: RunStore, data: DataSet, version: Version, folder: Path) -> Version:
    """Rename the finished folder while nobody else may change the set, and count on."""
    final = version_root(store, data.name, version.number)

    def change(now: DataSet) -> DataSet:
        if now.serial != data.serial or version.number in version_numbers(store, data.name):
            raise ChangedMeanwhileError(
                f"The data set {data.name} was changed while version {version.number} was made, so it was not kept.",
                fix="Publish it again.",
            )
        with explained(final):
            folder.rename(final)
        return replace(now, next_version=version.number + 1)

    change_set(store, data.name, change, f"Version {version.number}: {version.words}")
    return open_version(store, data.name, version.number)
