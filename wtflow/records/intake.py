"""What making a data set passes between layers: its images, its versions, what was added, refused and changed. Plain
values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

Label = Literal["good", "defect", "unsorted", "out"]
LABELS: tuple[Label, ...] = ("good", "defect", "unsorted", "out")
Side = Literal["train", "test"]

ID_LENGTH = 16
"""Hexadecimal digits of a content hash that name an image: two of 10,000 images share them once in 400 billion sets."""
DEFECT = "defect"
"""The type of a defective image of which no type is known."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a person says an image is. defect: its type, empty unless the label is "defect"."""

    label: Label
    defect: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a data set. Contents that are the same are one image."""

    sha256: str
    suffix: str
    """As the file is kept, in lower case, with its dot."""
    name: str
    """Its file name where it came from."""
    source: str
    """Where it came from, in words: a path, or "photos.zip: bad/IMG_1.jpg"."""
    height: int
    width: int
    label: Label = "unsorted"
    defect: str = ""
    mask: str = ""
    """Content hash of its mask; empty without one."""
    pinned: Side | Literal[""] = ""
    """The side of the split that a person chose."""
    changed: int = 0
    """Serial of the data set when the image was last changed."""
    is_linked: bool = False
    """The file is a hard link to the one that it came from."""
    kept_name: str = ""
    """The file name that it keeps in versions; empty: one made of `name` and `id`. Images of a copied folder keep
    theirs, so that runs on the copy can be compared with runs on the folder.
    """

    @property
    def id(self) -> str:
        return self.sha256[:ID_LENGTH]

    @property
    def has_mask(self) -> bool:
        return bool(self.mask)

    @property
    def labelled(self) -> Labelled:
        return Labelled(self.label, self.defect)

    @property
    def file(self) -> str:
        """Its file name in versions, unless it keeps its own: the stem that it came with, and the start of its id, so
        that two images never share a stem.
        """
        stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in PurePosixPath(self.name).stem)[:40].strip("_")
        return f"{stem or 'image'}-{self.id[:8]}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history of a data set. date: seconds since the epoch, UTC."""

    date: float
    words: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set as its manifest holds it. `serial` grows by one with every change."""

    name: str
    items: Mapping[str, Item] = field(default_factory=dict)
    """By id, in the order in which they were added."""
    seed: int = 0
    test_share: float = 0.3
    """Of the good images."""
    next_version: int = 1
    history: tuple[Event, ...] = ()
    origin: str = ""
    """The folder of the category that it was copied from; empty for one of loose images."""
    apart: frozenset[tuple[str, str]] = frozenset()
    """Pairs of ids, the smaller first, of which a person said that they show different parts."""
    serial: int = 0

    def of(self, *labels: Label) -> tuple[Item, ...]:
        """Images with any of these labels."""
        return tuple(item for item in self.items.values() if item.label in labels)

    @property
    def counts(self) -> dict[str, int]:
        """Label -> number of images."""
        return {label: len(self.of(label)) for label in LABELS}

    @property
    def types(self) -> dict[str, int]:
        """Defect type -> number of images, sorted."""
        names = sorted(item.defect for item in self.of("defect"))
        return {name: names.count(name) for name in dict.fromkeys(names)}


@dataclass(frozen=True, slots=True)
class Member:
    """One image in a version. path: below the version's folder of the data set, such as "test/good/a-0f3b.png"."""

    sha256: str
    side: Side
    defect: str
    """"good", or its type."""
    mask: str
    path: str

    @property
    def id(self) -> str:
        return self.sha256[:ID_LENGTH]


@dataclass(frozen=True, slots=True)
class Version:
    """A published state of a data set, never changed afterwards."""

    name: str
    number: int
    date: float
    members: tuple[Member, ...]
    seed: int
    test_share: float
    words: str = ""
    """What changed against the version before."""

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """side -> "good" or type -> number of images."""
        found: dict[str, dict[str, int]] = {"train": {}, "test": {}}
        for member in sorted(self.members, key=lambda member: member.path):
            found[member.side][member.defect] = found[member.side].get(member.defect, 0) + 1
        return found


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not taken, and why, in a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Added:
    """What adding images did. relabelled: ids of images that were there already, unsorted, and are sorted now; same:
    (name, id) of files whose contents were there already; clashes: the same, where what was said of them differs.
    """

    added: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    clashes: tuple[tuple[str, str], ...] = ()
    refused: tuple[Refused, ...] = ()
    n_ignored: int = 0
    """Files that are no images, such as notes and lists."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images that are nearly the same. distance: between their looks, 0 for equal ones."""

    first: str
    second: str
    distance: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the images of a data set go in the next version.

    sides: id -> side. moved: id -> why it changes sides against the newest version. kept_apart: sentences about groups
    of near-duplicates that the split had to follow.
    """

    sides: Mapping[str, Side]
    moved: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What the next version changes against the newest one: ids. masks: drawn, changed or removed."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    """Changed sides, without a change of the label."""

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.relabelled or self.masks or self.moved)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said of one image after a run, or an inspection, called it something. Of one image the last counts.

    image: its id in the run, or its name in an inspection; path: its file; kind: what it is after all; mask: content
    hash of the mask that was drawn, empty without one; run_id: of the run that was corrected.
    """

    sha256: str
    image: str
    path: str
    kind: Literal["good", "defect", "out"]
    defect: str
    mask: str
    run_id: str
    date: float

    @property
    def id(self) -> str:
        return self.sha256[:ID_LENGTH]

    @property
    def labelled(self) -> Labelled:
        return Labelled(self.kind, self.defect)


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying corrections made. version: the new one; is_copied: of a set that was copied just now from a folder
    of somebody else's; problems: corrections that stay in the list, and what was left out of the copy, with reasons.
    """

    version: Version
    n_applied: int
    is_copied: bool
    problems: tuple[Refused, ...] = ()
