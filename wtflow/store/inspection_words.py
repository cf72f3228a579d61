"""What people call an inspection and what they wrote on its images: words.json in its folder.

Every write is one small change to the newest contents, under the store's lock. A damaged file is never overwritten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from wtflow.errors import DamagedRunError
from wtflow.store import inspections
from wtflow.store.files import explained, write_json
from wtflow.store.lock import locked
from wtflow.store.notes import clean_comment, clean_name
from wtflow.store.runs import RunStore

WORDS = "words.json"


@dataclass(frozen=True, slots=True)
class InspectionWords:
    """A name, empty where nobody gave one, and a text for each image that somebody wrote one on."""

    name: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = ""
    notes: dict[str, str] = {}


def read_words(store: RunStore, inspection_id: str) -> InspectionWords:
    """What people wrote about an inspection. Raises RunNotFoundError, DamagedRunError, StoreError."""
    stored = _read(store, inspection_id)
    return InspectionWords(stored.name, stored.notes)


def name_inspection(store: RunStore, inspection_id: str, name: str) -> None:
    """Call an inspection by a name; an empty one takes it back. Raises SettingsError for a name that is too long or
    has control characters, DamagedRunError without writing, RunBusyError, DiskFullError, StoreError.
    """
    name = clean_name(name)
    _change(store, inspection_id, lambda stored: stored.model_copy(update={"name": name}))


def note_image(store: RunStore, inspection_id: str, image: str, text: str) -> None:
    """Write a text on an image of an inspection; an empty one removes it. Raises as `name_inspection`."""
    text = clean_comment(text)

    def change(stored: _Stored) -> _Stored:
        notes = {name: one for name, one in stored.notes.items() if name != image}
        return stored.model_copy(update={"notes": notes | ({image: text} if text else {})})

    _change(store, inspection_id, change)


def _change(store: RunStore, inspection_id: str, change: Callable[[_Stored], _Stored]) -> None:
    with locked(store):  # deleting an inspection takes the same lock, so a deleted folder does not come back
        changed = change(_read(store, inspection_id))
        write_json(inspections.folder_of(store, inspection_id) / WORDS, changed.model_dump(mode="json"))


def _read(store: RunStore, inspection_id: str) -> _Stored:
    path = inspections.folder_of(store, inspection_id) / WORDS
    with explained(path):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return _Stored()
    try:
        return _Stored.model_validate_json(content)
    except ValidationError as error:
        raise DamagedRunError(
            f"What was written about inspection {inspection_id} cannot be read: {WORDS} is damaged"
            f" ({error.errors()[0]['msg']}).",
            fix="Restore the file, or move it out of the folder; it is plain text.",
        ) from error
