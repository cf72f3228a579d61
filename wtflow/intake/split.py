"""Which images train and which test, in the next version: defective ones test, and so does a share of the good ones.

Near-duplicates lie on one side together. An image that is in a version stays on its side in the next, so that versions
can be compared on common test images, unless its group forces it over.
"""

import hashlib
from collections.abc import Iterable, Mapping

from wtflow.errors import DatasetError
from wtflow.intake.near import groups_of
from wtflow.numbers import count
from wtflow.records.intake import DataSet, Item, Pair, Placed, Side, Version


def place(data: DataSet, pairs: Iterable[Pair], previous: Version | None) -> Placed:
    """The side of every good and every defective image. pairs: near-duplicates; previous: the newest version.

    Raises DatasetError where what a person pinned contradicts itself: a defective image to training, or one group to
    both sides.
    """
    items = {item.id: item for item in data.of("good", "defect")}
    linked = [(p.first, p.second) for p in pairs if (min(p.first, p.second), max(p.first, p.second)) not in data.apart]
    groups = groups_of(items, linked)
    was: dict[str, Side] = {member.id: member.side for member in previous.members} if previous else {}
    sides: dict[str, Side] = {}
    moved: dict[str, str] = {}
    free: list[tuple[str, ...]] = []
    for group in groups:
        side = _forced(group, items, was)
        if side is None:
            free.append(group)
            continue
        for key in group:
            sides[key] = side
            if key in was and was[key] != side:
                moved[key] = _why_moved(items[key], group, items)
    sides |= _drawn(free, sides, items, data)
    return Placed(sides, moved, tuple(_sentences(groups, items, moved)))


def _forced(group: tuple[str, ...], items: Mapping[str, Item], was: Mapping[str, Side]) -> Side | None:
    """The side that a group cannot choose; None where it can."""
    pinned = {side for key in group if (side := items[key].pinned)}
    defective = [key for key in group if items[key].label == "defect"]
    if "train" in pinned and (defective or "test" in pinned):
        at = next(key for key in group if items[key].pinned == "train")
        other = defective[0] if defective else next(key for key in group if items[key].pinned == "test")
        one, two = items[at], items[other]
        if at == other:
            raise DatasetError(
                f"{one.name} is defective and pinned to training, which learns from good images alone.",
                fix="Release it, or call it good.",
            )
        what = "defective" if defective else "pinned to the test"
        raise DatasetError(
            f"{one.name} is pinned to training, but it is nearly the same as {two.name}, which is {what}.",
            fix="Release one of the two, or say that they show different parts.",
        )
    if defective:
        return "test"
    if pinned:
        return pinned.pop()
    before = {was[key] for key in group if key in was}
    if not before:
        return None
    # An image that trained a run is no fair test of the next; the other way round nothing is lost but a test image.
    return "train" if "train" in before else "test"


def _drawn(
    free: Iterable[tuple[str, ...]], sides: Mapping[str, Side], items: Mapping[str, Item], data: DataSet
) -> dict[str, Side]:
    """Sides of the groups that may choose, so that the share of good images that test comes close to what is wanted.

    The order comes from the seed and the images alone, so that it is the same on every computer.
    """
    good = {key for key, item in items.items() if item.label == "good"}
    wanted = round(data.test_share * len(good))
    n = sum(side == "test" and key in good for key, side in sides.items())
    found: dict[str, Side] = {}
    for group in sorted(free, key=lambda group: hashlib.sha256(f"{data.seed} {group[0]}".encode()).digest()):
        side: Side = "test" if n + len(group) <= wanted else "train"
        n += len(group) if side == "test" else 0
        found.update((key, side) for key in group)
    return found


def _why_moved(item: Item, group: tuple[str, ...], items: Mapping[str, Item]) -> str:
    if item.label == "defect":
        return f"{item.name} is defective now, so it tests."
    if item.pinned:
        return f"{item.name} was pinned to the other side."
    defective = next((items[key].name for key in group if items[key].label == "defect"), None)
    if defective is not None:
        return f"{item.name} is nearly the same as {defective}, which is defective and tests."
    other = next((items[key].name for key in group if items[key].pinned), None)
    if other is not None:
        return f"{item.name} is nearly the same as {other}, which was pinned."
    return f"{item.name} is nearly the same as an image that trains."


def _sentences(groups: Iterable[tuple[str, ...]], items: Mapping[str, Item], moved: Mapping[str, str]) -> Iterable[str]:
    """What a person should know of groups and moves."""
    several = [group for group in groups if len(group) > 1]
    if several:
        n = sum(map(len, several))
        yield (
            f"{n:,} images are near-duplicates of others, in {count(len(several), 'group')}: each group lies on one"
            " side, so that no image is tested that was all but trained on."
        )
    with_defect = [
        key
        for group in several
        if any(items[one].label == "defect" for one in group)
        for key in group
        if items[key].label == "good"
    ]
    if with_defect:
        looks, tests = ("looks", "tests") if len(with_defect) == 1 else ("look", "test")
        yield f"{count(len(with_defect), 'good image')} {looks} nearly like a defective one, and {tests} with it."
    yield from moved.values()
