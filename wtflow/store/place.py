"""Where the images of a run lie now, after they were moved: one small file of the run, beside what the run recorded.

config.json, data.json and the score table stay as they were written; paths in them are read through `Place`.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from wtflow.errors import DamagedRunError
from wtflow.store import layout
from wtflow.store.files import explained, read_json, write_json


@dataclass(frozen=True, slots=True)
class Place:
    """The images of `category` that a run recorded below `recorded` lie below `root` now."""

    recorded: str
    root: str
    category: str
    between: tuple[str, ...] = ()
    """Where they lay between the two. A run that was resumed meanwhile recorded paths there."""

    def moved(self, root: str) -> "Place":
        """The same images, below another root now."""
        earlier = (self.root, *self.between)
        between = tuple(dict.fromkeys(one for one in earlier if one not in (root, self.recorded)))
        return Place(self.recorded, root, self.category, between)

    def now(self, path: str) -> str:
        """Where a file that was recorded as `path` lies now. One that does not lie below the category stays."""
        # Written after the move, a path is right already. This comes first: one root may lie below the other.
        if not path or not self.is_moved or _below(path, self.root, self.category) is not None:
            return path
        for earlier in (self.recorded, *self.between):
            if (below := _below(path, earlier, self.category)) is not None:
                return str(Path(self.root, self.category, *below))
        return path

    @property
    def is_moved(self) -> bool:
        return bool(self.between) or self.root != self.recorded


def write_place(folder: Path, place: Place) -> None:
    """Record where the images of the run in `folder` are; nothing is kept of images that were never moved."""
    path = folder / layout.PLACE
    if place.is_moved:
        write_json(path, {"root": place.root, "between": list(place.between)})
        return
    with explained(path):
        path.unlink(missing_ok=True)


def read_place(folder: Path, recorded: str, category: str) -> Place:
    """Where the images of the run in `folder` are. Raises DamagedRunError."""
    path = folder / layout.PLACE
    if not path.is_file():
        return Place(recorded, recorded, category)
    values = read_json(path)
    root, between = values.get("root"), values.get("between", [])
    if not (isinstance(root, str) and root and isinstance(between, list) and all(isinstance(b, str) for b in between)):
        raise DamagedRunError(
            f"{path.name} in {folder.name} names no folder.", fix="Delete this file, then relocate the run again."
        )
    return Place(recorded, root, category, tuple(between))


def _below(path: str, root: str, category: str) -> tuple[str, ...] | None:
    """The parts of a path below root/category; None where it lies elsewhere. Both may come from another system."""
    parts, own = _parts(path), (*_parts(root), *_parts(category))
    return parts[len(own) :] if parts[: len(own)] == own and len(parts) > len(own) else None


def _parts(path: str) -> tuple[str, ...]:
    kind = PureWindowsPath if PureWindowsPath(path).drive else PurePosixPath
    return kind(path).parts
