"""Which folders of the server pages may look into: WTFLOW_ROOTS, or the home folder. The shell reads what its user may.

Links are resolved before they are judged, so that none leads out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets.files import is_folder, is_image_name, is_storable, list_folder
from wtflow.errors import DatasetError, LayoutError
from wtflow.numbers import count
from wtflow.permission import changes

MOST_COUNTED = 10_000
"""Images after which a folder is not counted on: the number is only to tell folders apart."""


@dataclass(frozen=True, slots=True)
class Below:
    """A folder in the list of another. n_images: right in it; n_folders: right in it; is_open: it may be listed."""

    path: Path
    n_images: int
    n_folders: int
    is_open: bool = True


def allowed_roots() -> tuple[Path, ...]:
    """The folders that WTFLOW_ROOTS names, separated as PATH is, links resolved; the home folder without it."""
    named = [part for part in os.environ.get("WTFLOW_ROOTS", "").split(os.pathsep) if part.strip()]
    found = [Path(os.path.realpath(os.path.expanduser(part))) for part in named or ["~"]]  # noqa: PTH111
    return tuple(dict.fromkeys(found))


def allowed(path: str | Path) -> bool:
    """Whether a page may read this file or folder: it lies, links resolved, in one of the allowed roots or is one."""
    return _lies_in(path, allowed_roots())


def _lies_in(path: str | Path, roots: tuple[Path, ...]) -> bool:
    text = str(path)
    if "\0" in text:
        return False
    try:
        real = Path(os.path.realpath(os.path.expanduser(text)))  # noqa: PTH111
    except (OSError, ValueError):
        return False
    return any(real == root or root in real.parents for root in roots)


@changes("see folders of the server")
def list_below(path: str | Path) -> tuple[Below, ...]:
    """The folders right in an allowed folder, by name, with the number of images in each. Raises DatasetError for one
    that may not be read, is none or cannot be opened.
    """
    folder = check_allowed(path)
    try:
        names = [name for name in list_folder(folder)[0] if is_storable(name)]
    except LayoutError as error:
        raise DatasetError(error.message, fix=error.fix) from error
    return tuple(_look_into(folder / name) for name in names if allowed(folder / name))


@changes("see folders of the server")
def check_allowed(path: str | Path) -> Path:
    """The folder as an absolute path. Raises DatasetError for one that a page may not read, or that is none."""
    text = str(path)
    if not allowed(text):
        roots = ", ".join(map(str, allowed_roots()))
        raise DatasetError(
            f"{text[:200]!r} lies outside the folders that may be read here: {roots}.",
            fix="Choose one below these, or set WTFLOW_ROOTS before the app is started.",
        )
    folder = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111
    if not is_folder(folder):
        raise DatasetError(f"{folder} is no folder.", fix="Choose a folder from the list.")
    return folder


@changes("see folders of the server")
def check_typed(path: str | Path, own: Path) -> None:
    """Raises LayoutError for a path that a person typed, or that an address holds, where WTFLOW_ROOTS is set and the
    path lies outside. own: the folder of the runs, whose data sets may be read anyway.
    """
    is_limited = bool(os.environ.get("WTFLOW_ROOTS", "").strip())
    if not is_limited or _lies_in(path, (Path(os.path.realpath(own)), *allowed_roots())):
        return
    raise LayoutError(
        f"{str(path)[:200]!r} lies outside the folders that may be read here: {', '.join(map(str, allowed_roots()))}.",
        fix="Choose one below these, or set WTFLOW_ROOTS before the app is started.",
    )


def count_words(below: Below) -> str:
    """What lies right in a folder, in words."""
    if not below.is_open:
        return "may not be opened"
    more = " or more" if below.n_images == MOST_COUNTED else ""
    return f"{count(below.n_images, 'image')}{more}, {count(below.n_folders, 'folder')}"


def _look_into(folder: Path) -> Below:
    try:
        folders, files = list_folder(folder)
    except LayoutError:
        return Below(folder, 0, 0, is_open=False)
    return Below(folder, min(sum(map(is_image_name, files)), MOST_COUNTED), len(folders))
