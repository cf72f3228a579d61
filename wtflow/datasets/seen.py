"""What a run saw: the contents that it recorded of every image, its own small pictures, and originals read again.

An original is compared with what was recorded before anything is made of it, so that a picture under an old name is
never taken for the one that was scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wtflow.config import Background
from wtflow.datasets.images import load_recorded
from wtflow.datasets.pictures import decode_picture
from wtflow.datasets.run_images import Entry
from wtflow.errors import DamagedRunError, ImageChangedError, ImageReadError
from wtflow.records.shapes import Shape
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class SeenImages:
    """The images of one run, from `open_seen`."""

    store: RunStore
    run_id: str
    entries: Mapping[str, Entry]
    """By id, as data.json lists them; empty where it cannot be read."""
    background: Background
    """What shows where an image is transparent, as when it was scored."""

    def holds_pictures(self) -> bool:
        return self.store.holds_pictures(self.run_id)

    def own(self, row: int, name: str) -> np.ndarray | None:
        """uint8 (H, W, 3): the run's own picture of a row of the score table, None where it keeps none. Raises
        DamagedRunError, ImageReadError.
        """
        encoded = self.store.picture(self.run_id, row)
        return None if encoded is None else decode_picture(encoded, f"The run's picture of {name}")

    def is_gone(self, sample_id: str) -> bool:
        """Whether no file lies where the image was."""
        return sample_id in self.entries and not Path(self.entries[sample_id]["path"]).exists()

    def original(self, sample_id: str, size_px: int | Shape | None) -> np.ndarray:
        """float32 (H, W, 3): an image that the run scored or learned from, as `load_image` gives it. The bytes that
        are compared with the recorded ones are those that are decoded.

        Raises: ImageChangedError where the file holds something else, ImageReadError where it cannot be read.
        """
        entry = self.entries.get(sample_id)
        if entry is None:
            raise ImageChangedError(
                f"Run {self.run_id} does not record what {sample_id} held, so the file may show something else now.",
                fix="Train the category again.",
            )
        path = Path(entry["path"])
        try:
            return load_recorded(path, entry["sha256"], size_px, self.background, sample_id)
        except ImageChangedError as error:
            raise ImageChangedError(
                f"{sample_id} has changed since this run read it.",
                fix=f"Put the old file back at {path}, or train again.",
            ) from error
        except ImageReadError as error:
            if not self.is_gone(sample_id):
                raise
            moved = f"if the images were moved: python -m wtflow relocate {self.run_id} NEW_ROOT"
            raise ImageReadError(error.message, fix=f"Put it back at {path}; {moved}.") from error


def open_seen(store: RunStore, run_id: str) -> SeenImages:
    """The images of a run. A list of images that is absent or damaged only means that no original can be compared."""
    try:
        samples = (store.data(run_id) or {"samples": []})["samples"]
        entries = {entry["id"]: entry for entry in samples if entry["path"] and entry["sha256"]}
    except (DamagedRunError, KeyError, TypeError):
        entries = {}
    return SeenImages(store, run_id, entries, store.config(run_id).settings.background)
