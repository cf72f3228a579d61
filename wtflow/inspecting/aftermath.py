"""What becomes of an image once it was scored: defective ones move to a folder, a message goes to another program.

Nothing here stops an inspection: what does not work is noted on the image. Imports no torch.
"""

import os
import shutil
from pathlib import Path

from wtflow.errors import SettingsError
from wtflow.inspecting.webhook import Webhook
from wtflow.records.inspect import Inspected, InspectSettings
from wtflow.store.inspected_rows import RowWriter

MOVED, COPIED = "Moved to ", "Copied to "


class Aftermath:
    """webhook: None where nobody is to be told."""

    def __init__(self, settings: InspectSettings, webhook: Webhook | None = None) -> None:
        self.folder = Path(settings.defective_to) if settings.defective_to else None
        self.is_moved, self.webhook = settings.is_moved, webhook

    @property
    def moves(self) -> bool:
        """Whether something is to be done with the files of defective images."""
        return self.folder is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, a sentence each."""
        return self.webhook.notes if self.webhook is not None else ()

    def handle(self, row: Inspected, writer: RowWriter) -> None:
        """Do it for an image whose row was just written."""
        if self.folder is not None and row.verdict == "defective":
            try:
                target = put_into(Path(row.path), self.folder, row.image, is_moved=self.is_moved)
            except OSError as error:
                verb = "moved" if self.is_moved else "copied"
                writer.note(row.image, f"Could not be {verb} to {self.folder} ({error.strerror or error}).")
            else:
                words = f"{MOVED if self.is_moved else COPIED}{target}."
                writer.note(row.image, words, str(target) if self.is_moved else None)
        if self.webhook is not None:
            self.webhook.send(row)
            self.write_notes(writer)

    def write_notes(self, writer: RowWriter) -> None:
        """Note on images what came of their messages meanwhile."""
        for image, note in self.webhook.failures() if self.webhook is not None else ():
            writer.note(image, note)

    def close(self, writer: RowWriter) -> None:
        """Wait for messages that are under way, for some seconds at most."""
        if self.webhook is not None:
            self.webhook.close()
            self.write_notes(writer)


def was_handled(row: Inspected) -> bool:
    """Whether the file of a defective image was moved or copied."""
    return row.note.startswith((MOVED, COPIED))


def refuse_folder(folder: Path, sources: tuple[str, ...]) -> None:
    """Raise SettingsError where defective images would be moved to a folder that is inspected itself."""
    if any(os.path.realpath(folder) == os.path.realpath(source) for source in sources):
        raise SettingsError(
            f"{folder} is inspected itself, so defective images cannot be put there.", fix="Give another folder."
        )


def put_into(path: Path, folder: Path, image: str, *, is_moved: bool) -> Path:
    """Where a file lies now that it was moved or copied into a folder, by the name of its image; nothing is replaced.
    Raises OSError.
    """
    parts = [part for part in image.split("/") if part not in ("", ".", "..")]
    target = folder.joinpath(*parts)
    if not target.suffix:  # two files of one name carry a number behind it
        target = target.with_name(target.name + path.suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    free, n = target, 1
    while os.path.lexists(free):
        n += 1
        free = target.with_name(f"{target.stem} ({n}){target.suffix}")
    if is_moved:
        shutil.move(path, free)
        return free
    fresh = free.with_name(f".{free.name}.copying")
    try:
        shutil.copy2(path, fresh)
        fresh.rename(free)
    finally:
        fresh.unlink(missing_ok=True)
    return free
