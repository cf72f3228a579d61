"""The images of a run were moved: another folder is taken for theirs when every file in it is the one recorded."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets.files import is_folder
from wtflow.datasets.images import hash_file
from wtflow.datasets.run_images import Entry
from wtflow.errors import DamagedRunError, DatasetError, ImageReadError, RunNotFoundError
from wtflow.store.place import Place, write_place
from wtflow.store.runs import RunStore

_NAMED = 3
"""Files that a sentence names; of the rest it gives the number."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the files of a run compare with those below another folder."""

    root: Path
    n_agree: int
    differ: tuple[str, ...]
    """Images and masks that hold something else there, by their place below the category."""
    missing: tuple[str, ...]
    n_unrecorded: int
    """Masks that cannot be compared: runs made before 0.4.0 did not record what they held."""

    @property
    def n(self) -> int:
        return self.n_agree + len(self.differ) + len(self.missing)

    @property
    def is_full(self) -> bool:
        return self.n_agree == self.n > 0

    @property
    def words(self) -> str:
        """In a sentence or two."""
        parts = [f"{self.n_agree} of {self.n} images and masks agree"]
        for words, names in (("differ", self.differ), ("are missing", self.missing)):
            if names:
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                parts.append(f"{len(names)} {words} ({', '.join(names[:_NAMED])}{more})")
        note = ""
        if self.n_unrecorded:
            note = f" {self.n_unrecorded} masks cannot be compared: the run did not record what they held."
        return f"{'; '.join(parts)}.{note}"


def relocate(store: RunStore, run_id: str, root: Path, progress: Callable[[int, int], None]) -> Agreement:
    """Record that the images of a run lie below `root` now, if all of them are there unchanged.

    root: the folder that holds the category, or the category's own folder. `progress` takes files done and in all.
    Raises DatasetError, saying what differs, and then changes nothing; RunNotFoundError for a run without a list of its
    images; DamagedRunError, StoreError.
    """
    place = _place(store, run_id, root)
    found = _compare(store, run_id, place, progress)
    if not found.is_full:
        raise DatasetError(
            f"The images in {root} are not those of run {run_id}: {found.words}",
            fix=f"Give the folder in which {place.category} is as the run read it. Nothing was changed.",
        )
    write_place(store.folder(run_id), place)
    return found


def _place(store: RunStore, run_id: str, root: Path) -> Place:
    root = Path(root).expanduser().absolute()
    recorded = store.place(run_id)
    for one in (root, root.parent):
        if is_folder(one / recorded.category) and (one == root or root.name == recorded.category):
            return recorded.moved(str(one))
    raise DatasetError(
        f"{root} has no folder {recorded.category}.", fix=f"Give the folder that {recorded.category} lies in now."
    )


def _compare(store: RunStore, run_id: str, place: Place, progress: Callable[[int, int], None]) -> Agreement:
    data = store.data(run_id, place)
    if data is None or not data["samples"]:
        raise RunNotFoundError(
            f"Run {run_id} has no list of its images, so no folder can be compared with it.",
            fix="Resume the run, or train the category again.",
        )
    try:
        files = list(_files(data["samples"]))
    except (KeyError, TypeError) as error:
        raise DamagedRunError(
            f"data.json of {run_id} does not record what its images held.", fix="Train the category again."
        ) from error
    folder, n_agree = Path(place.root, place.category), 0
    differ, missing = [], []
    for done, (path, sha256) in enumerate(files, start=1):
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
        try:
            if hash_file(path) == sha256:
                n_agree += 1
            else:
                differ.append(name)
        except ImageReadError:
            missing.append(name)
        progress(done, len(files))
    n_unrecorded = sum(bool(entry["mask"]) and not entry.get("mask_sha256") for entry in data["samples"])
    return Agreement(Path(place.root), n_agree, tuple(differ), tuple(missing), n_unrecorded)


def _files(entries: Sequence[Entry]) -> Iterator[tuple[Path, str]]:
    """Every file whose contents the run recorded, with their hash."""
    for entry in entries:
        yield Path(entry["path"]), entry["sha256"]
        if mask := entry.get("mask_sha256"):
            yield Path(entry["mask"]), mask
