"""What people write about a run and its images, in its notes.json.

Every write is one small change, made to the newest contents of the file under the store's lock, so two windows do not
overwrite each other's notes. The file is replaced in one step: a crash leaves the old one or the new one. A damaged
file is never overwritten.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from wtflow.errors import SettingsError
from wtflow.records.notes import CommentSaved, ImageNote, RunNotes
from wtflow.store import layout
from wtflow.store.files import explained, write_json
from wtflow.store.lock import locked
from wtflow.store.note_file import as_stored, read_notes
from wtflow.store.runs import RunStore

MAX_TAG = 40
"""Characters of a tag: one that fits on a card."""
MAX_TAGS = 20
"""Tags of one image, or of the run."""
MAX_NAME = 60
"""Characters of a run's name: one that fits in a line of a picker."""
MAX_COMMENT = 4000
"""Characters of a comment, about a printed page."""
_TURNS = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
"""Characters that turn the direction of what follows, also of our own words beside them."""
JOINT = "\n\n--- written meanwhile in another window: ---\n"
"""Stands between two texts when both are kept."""


def notes_of(store: RunStore, run_id: str) -> RunNotes:
    """What people wrote about a run; empty where nobody wrote anything. Raises RunNotFoundError, DamagedRunError."""
    return read_notes(store.folder(run_id))


def add_tag(store: RunStore, run_id: str, sample_id: str, tag: str) -> RunNotes:
    """Tag an image; a tag that the run has in other capitals is taken as that one. Raises SettingsError for a tag that
    is not valid or one too many.
    """
    tag = clean_tag(tag)

    def change(notes: RunNotes) -> RunNotes:
        note, known = notes.note(sample_id), {one.casefold(): one for one in notes.image_tags}
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
    text, is_joined = _plain(text), False

    def change(notes: RunNotes) -> RunNotes:
        nonlocal is_joined
        note = None if sample_id is None else notes.note(sample_id)
        old = notes if note is None else note
        _check_length(text, max(MAX_COMMENT, len(old.comment)), "Shorten it, or split it over several images.")
        if text == old.comment:
            return notes
        is_joined = revision != old.revision and bool(old.comment)
        fresh = JOINT.join(part for part in (old.comment, text) if part) if is_joined else text
        revised = {"comment": fresh, "revision": old.revision + 1}
        if sample_id is None or note is None:
            return replace(notes, **revised)
        return _with(notes, sample_id, replace(note, **revised))

    return CommentSaved(_change(store, run_id, change), is_joined)


def name_run(store: RunStore, run_id: str, name: str) -> RunNotes:
    """Give a run a name; an empty one takes its name back. Raises SettingsError for a name that is not valid."""
    name = clean_name(name)
    return _change(store, run_id, lambda notes: replace(notes, name=name))


def star_run(store: RunStore, run_id: str, star: bool) -> RunNotes:
    """Star a run, or take its star back."""
    return _change(store, run_id, lambda notes: replace(notes, star=star))


def archive_run(store: RunStore, run_id: str, archived: bool) -> RunNotes:
    """Leave a run out of lists and pickers until somebody asks for archived ones, or take it back."""
    return _change(store, run_id, lambda notes: replace(notes, archived=archived))


def tag_run(store: RunStore, run_id: str, before: Sequence[str], after: Sequence[str]) -> RunNotes:
    """Change the tags of a run as a whole from those that a person saw to those they want: what another window added
    meanwhile stays. Raises SettingsError for a tag that is not valid or one too many.
    """
    wanted = [clean_tag(tag) for tag in after]

    def change(notes: RunNotes) -> RunNotes:
        tags = {tag.casefold(): tag for tag in notes.tags if tag in wanted or tag not in before}
        for tag in wanted:
            if tag not in before:
                tags.setdefault(tag.casefold(), tag)
        if len(tags) > max(MAX_TAGS, len(notes.tags)):
            raise SettingsError(
                f"A run has at most {MAX_TAGS} tags.", fix="Remove one first, or write the rest as a comment."
            )
        return replace(notes, tags=tuple(tags.values()))

    return _change(store, run_id, change)


def clean_name(text: str) -> str:
    """A name of a run without space around it, or empty. Raises SettingsError beyond MAX_NAME characters, and for more
    than one line of visible ones.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > MAX_NAME:
        raise SettingsError(
            f"A name has at most {MAX_NAME} characters; this one has {len(name)}.",
            fix="Shorten it, or write a comment, which can be longer.",
        )
    return _one_line(name, "A name")


def clean_tag(text: str) -> str:
    """A tag without space around it. Raises SettingsError unless it is 1 to MAX_TAG visible characters on one line."""
    tag = unicodedata.normalize("NFC", text).strip()
    if not tag or len(tag) > MAX_TAG:
        raise SettingsError(
            f"A tag has 1 to {MAX_TAG} characters; this one has {len(tag)}.",
            fix="Shorten it, or write a comment, which can be longer.",
        )
    return _one_line(tag, "A tag")


def _one_line(text: str, what: str) -> str:
    """The same text. Raises SettingsError for line breaks, and for characters that control how others are shown."""
    if any(
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(letter) in _TURNS
        for letter in text
    ):
        raise SettingsError(
            f"{what} is one line of letters, digits and signs.", fix="Remove line breaks and control characters."
        )
    return text


def clean_comment(text: str) -> str:
    """A comment without space around it, line breaks as one character.
    Raises SettingsError beyond MAX_COMMENT characters and for control characters.
    """
    text = _plain(text)
    _check_length(text, MAX_COMMENT, "Shorten it.")
    return text


def _check_length(text: str, most: int, fix: str) -> None:
    if len(text) > most:
        raise SettingsError(f"The comment has {len(text)} characters; at most {MAX_COMMENT} fit.", fix=fix)


def _plain(text: str) -> str:
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
