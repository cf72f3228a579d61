"""notes.json of a run as the disk holds it: its schema, reading it, and the notes as its values."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from wtflow.errors import DamagedRunError
from wtflow.records.notes import ImageNote, RunNotes
from wtflow.store import layout
from wtflow.store.files import explained

_VERSION = 1
_OF_THE_RUN = ("name", "tags", "star", "archived")
"""Fields that files of earlier versions lack. They are left out while they are empty, so that such a version goes on
reading.
"""


class _StoredImage(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tags: list[str]
    comment: str
    label_is_wrong: bool
    revision: NonNegativeInt


class _StoredNotes(BaseModel):
    """An unknown field is refused, since the next change would drop it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: int
    comment: str
    revision: NonNegativeInt
    images: dict[str, _StoredImage]
    name: str = ""
    tags: list[str] = []
    star: bool = False
    archived: bool = False


def read_notes(folder: Path) -> RunNotes:
    """The notes in a run's folder; empty where nobody wrote anything. Raises DamagedRunError, StoreError."""
    path = folder / layout.NOTES
    with explained(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return RunNotes()
    try:
        stored = _StoredNotes.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(str(part) for part in first['loc'])[:80]}: {first['msg']}".lstrip(": ")
        raise _damaged(folder.name, why) from error
    if stored.schema_version != _VERSION:
        raise _damaged(folder.name, f"it has schema {stored.schema_version}, and this version reads {_VERSION}")
    images = {
        name: ImageNote(tuple(one.tags), one.comment, one.label_is_wrong, one.revision)
        for name, one in stored.images.items()
    }
    tags = tuple(stored.tags)
    return RunNotes(images, stored.comment, stored.revision, stored.name, tags, stored.star, stored.archived)


def as_stored(notes: RunNotes) -> dict[str, Any]:
    """The notes as notes.json holds them, plain values: the file of an export can be put back into the run."""
    values = asdict(notes)
    return {"schema_version": _VERSION} | {
        name: value for name, value in values.items() if value or name not in _OF_THE_RUN
    }


def _damaged(run_id: str, why: str) -> DamagedRunError:
    return DamagedRunError(
        f"{layout.NOTES} of {run_id} cannot be read ({why}).",
        fix=(
            "It is never overwritten. Restore it, or move it out of the run's folder to start again; it is plain text."
            " The rest of the run is untouched."
        ),
    )
