"""What people write about a run and its images, in its notes.json.

Every write is one small change, made to the newest contents of the file under the store's lock, so two windows do not
overwrite each other's notes. The file is replaced in one step: a crash leaves the old one or the new one. A damaged
file is never overwritten.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from wtflow.errors import DamagedRunError, SettingsError
from wtflow.records.notes import CommentSaved, ImageNote, RunNotes
from wtflow.store import layout
from wtflow.store.files import explained, write_json
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore

MAX_TAG = 40
"""Characters of a tag: one that fits on a card."""
MAX_TAGS = 20
"""Tags of one image."""
MAX_COMMENT = 4000
"""Characters of a comment, about a printed page."""
JOINT = "\n\n--- written meanwhile in another window: ---\n"
"""Stands between two texts when both are kept."""

_VERSION = 1


class _StoredImage(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    tags: list[str]
    comment: str
    label_is_wrong: bool
    revision: NonNegativeInt


class _StoredNotes(BaseModel):
    """notes.json. An unknown field is refused, since the next change would drop it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schema_version: int
    comment: str
    revision: NonNegativeInt
    images: dict[str, _StoredImage]


def notes_of(store: RunStore, run_id: str) -> RunNotes:
    """What people wrote about a run; empty where nobody wrote anything. Raises RunNotFoundError, DamagedRunError."""
    path = store.folder(run_id) / layout.NOTES
    with explained(path):
        if not path.exists():
            return RunNotes()
        content = path.read_bytes()
    try:
        stored = _StoredNotes.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise _damaged(
            run_id, f"{'.'.join(str(part) for part in first['loc'])[:80]}: {first['msg']}".lstrip(": ")
        ) from error
    if stored.schema_version != _VERSION:
        raise _damaged(run_id, f"it has schema {stored.schema_version}, and this version reads {_VERSION}")
    images = {
        name: ImageNote(tuple(one.tags), one.comment, one.label_is_wrong, one.revision)
        for name, one in stored.images.items()
    }
    return RunNotes(images, stored.comment, stored.revision)


def as_stored(notes: RunNotes) -> dict[str, Any]:
    """The notes as notes.json holds them, plain values: the file of an export can be put back into the run."""
    return {"schema_version": _VERSION} | asdict(notes)


def add_tag(store: RunStore, run_id: str, sample_id: str, tag: str) -> RunNotes:
    """Tag an image; a tag that the run has in other capitals is taken as that one. Raises SettingsError for a tag that
    is not valid or one too many.
    """
    tag = clean_tag(tag)

    def change(notes: RunNotes) -> RunNotes:
        note, known = notes.note(sample_id), {one.casefold(): one for one in notes.tags}
        spelt = known.get(tag.casefold(), tag)
        if spelt in note.tags:
            return notes
        if len(note.tags) >= MAX_TAGS:
            raise SettingsError(
                f"{sample_id} has {MAX_TAGS} tags already.", fix="Remove one first, or write the rest as a comment."
            )
        return _with(notes, sample_id, replace(note, tags=(*note.tags, spelt)))

    return _change(store, run_id, change)


def remove_tag(store: RunStore, run_id: str, sample_id: str, tag: str) -> RunNotes:
    """Remove a tag from an image; one that it does not have is skipped."""

    def change(notes: RunNotes) -> RunNotes:
        note = notes.note(sample_id)
        return _with(notes, sample_id, replace(note, tags=tuple(one for one in note.tags if one != tag)))

    return _change(store, run_id, change)


def flag_label(store: RunStore, run_id: str, sample_id: str, is_wrong: bool) -> RunNotes:
    """Mark the label of an image as wrong, or remove the mark."""
    return _change(
        store, run_id, lambda notes: _with(notes, sample_id, replace(notes.note(sample_id), label_is_wrong=is_wrong))
    )


def set_comment(store: RunStore, run_id: str, sample_id: str | None, text: str, revision: int) -> CommentSaved:
    """Write the comment of an image, or of the run itself where `sample_id` is None.

    revision: that of the comment which the person started from. Where the comment has changed since, both texts are
    kept, the newer below. Raises SettingsError for a text longer than MAX_COMMENT, unless the comment was already as
    long.
    """
    text, is_joined = _clean_comment(text), False

    def change(notes: RunNotes) -> RunNotes:
        nonlocal is_joined
        note = None if sample_id is None else notes.note(sample_id)
        old = notes if note is None else note
        if len(text) > max(MAX_COMMENT, len(old.comment)):
            raise SettingsError(
                f"The comment has {len(text)} characters; at most {MAX_COMMENT} fit.",
                fix="Shorten it, or split it over several images.",
            )
        if text == old.comment:
            return notes
        is_joined = revision != old.revision and bool(old.comment)
        fresh = JOINT.join(part for part in (old.comment, text) if part) if is_joined else text
        revised = {"comment": fresh, "revision": old.revision + 1}
        if sample_id is None or note is None:
            return replace(notes, **revised)
        return _with(notes, sample_id, replace(note, **revised))

    return CommentSaved(_change(store, run_id, change), is_joined)


def clean_tag(text: str) -> str:
    """A tag without space around it. Raises SettingsError unless it is 1 to MAX_TAG visible characters on one line."""
    tag = unicodedata.normalize("NFC", text).strip()
    if not tag or len(tag) > MAX_TAG:
        raise SettingsError(
            f"A tag has 1 to {MAX_TAG} characters; this one has {len(tag)}.",
            fix="Shorten it, or write a comment, which can be longer.",
        )
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in tag):
        raise SettingsError(
            "A tag is one line of letters, digits and signs.", fix="Remove line breaks and control characters."
        )
    return tag


def _clean_comment(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in text):
        raise SettingsError(
            "The comment contains control characters.",
            fix="Remove them, or paste the text as plain text.",
        )
    return text


def _with(notes: RunNotes, sample_id: str, note: ImageNote) -> RunNotes:
    return notes if note == notes.note(sample_id) else replace(notes, images=notes.images | {sample_id: note})


def _change(store: RunStore, run_id: str, change: Callable[[RunNotes], RunNotes]) -> RunNotes:
    """Make one change to the newest notes. Raises DamagedRunError without writing, RunBusyError,
    DiskFullError, StoreError.
    """
    with locked(store):  # deleting a run takes the same lock, so a deleted folder does not come back
        old = notes_of(store, run_id)
        fresh = change(old)
        if fresh != old:
            folder = store.folder(run_id)
            write_json(folder / layout.NOTES, as_stored(fresh))
            # left by a process that was killed while it wrote; nobody writes now
            for left in folder.glob(f".{layout.NOTES}.*"):
                with explained(left):
                    left.unlink(missing_ok=True)
    return fresh


def _damaged(run_id: str, why: str) -> DamagedRunError:
    return DamagedRunError(
        f"{layout.NOTES} of {run_id} cannot be read ({why}).",
        fix=(
            "It is never overwritten. Restore it, or move it out of the run's folder to start again; it is plain text."
            " The rest of the run is untouched."
        ),
    )
