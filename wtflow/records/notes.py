"""What people wrote about a run and its images. Plain values."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ImageNote:
    """What people wrote about one image."""

    tags: tuple[str, ...] = ()
    """In their own words, in the order they were added."""
    comment: str = ""
    label_is_wrong: bool = False
    revision: int = 0
    """How often the comment was changed. Who changes it gives the revision that the change began from."""

    @property
    def is_empty(self) -> bool:
        """Nothing to show; a comment that was taken back leaves only its revision."""
        return not (self.tags or self.comment or self.label_is_wrong)


@dataclass(frozen=True, slots=True)
class RunNotes:
    """What people wrote about one run. Read it through `note`: images without a note are not listed, and listed ones
    may be empty again.
    """

    images: dict[str, ImageNote] = field(default_factory=dict)
    """By sample id."""
    comment: str = ""
    revision: int = 0
    name: str = ""
    """What people call the run; empty where nobody named it."""
    tags: tuple[str, ...] = ()
    """Of the run as a whole, in the order they were added."""
    star: bool = False
    archived: bool = False
    """Left out of lists and pickers until somebody asks for archived runs."""

    def note(self, sample_id: str) -> ImageNote:
        return self.images.get(sample_id, ImageNote())

    @property
    def is_empty(self) -> bool:
        return not (self.comment or self.name or self.tags or self.star) and all(
            note.is_empty for note in self.images.values()
        )

    @property
    def image_tags(self) -> tuple[str, ...]:
        """Every tag that an image has, the most used first; ties by name."""
        counts = Counter(tag for note in self.images.values() for tag in note.tags)
        return tuple(sorted(counts, key=lambda tag: (-counts[tag], tag)))

    @property
    def flagged(self) -> frozenset[str]:
        """Ids of the images whose label is called wrong."""
        return frozenset(sample_id for sample_id, note in self.images.items() if note.label_is_wrong)


@dataclass(frozen=True, slots=True)
class CommentSaved:
    """The notes after a comment was saved. `is_joined`:
    somebody else had changed it meanwhile, and both texts were kept.
    """

    notes: RunNotes
    is_joined: bool
