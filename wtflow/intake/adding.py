"""Images into a data set: from folders, single files, uploads and zip archives.

Names of what comes in are text only: files are kept under the hash of their contents, so no name can lead anywhere.
Contents that are there already are not added twice. What was added stays when the process is killed on the way.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import BinaryIO

from wtflow.datasets.decode import read_bytes
from wtflow.datasets.files import is_folder, is_image_name, is_junk, shown, walk_files
from wtflow.datasets.layouts import MASKS
from wtflow.datasets.scan import layout_of
from wtflow.errors import DatasetError
from wtflow.intake.archive import open_archive, parts_of, read_member, why_not
from wtflow.intake.limits import limits, refuse_too_much
from wtflow.intake.taking import Arriving, Progress, Tally, take_all
from wtflow.numbers import count
from wtflow.records.intake import DEFECT, Added, Labelled, Refused
from wtflow.store.dataset_names import check_type_name
from wtflow.store.runs import RunStore

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar")


def add_folder(
    store: RunStore,
    name: str,
    folder: Path,
    labelled: Labelled,
    *,
    by_folder: bool = False,
    is_linking: bool = False,
    is_allowed: Callable[[Path], bool] | None = None,
    progress: Progress | None = None,
) -> Added:
    """Add every image below a folder.

    by_folder: the folders right below it name the types of defects. is_linking: hard links in place of copies, where
    the disk allows it; then nobody may write into these files any more. is_allowed: files that fail it, such as links
    that lead out of what a page may read, are refused. progress: called with (files done, files in all).

    Raises DatasetError for a folder that is not there, is a data set already or holds no image; DiskFullError.
    """
    folder = Path(os.path.abspath(os.path.expanduser(folder)))  # noqa: PTH100, PTH111 - people want the path they gave
    if not is_folder(folder):
        raise DatasetError(f"{shown(str(folder))} is no folder.", fix="Check the spelling, or give a zip file.")
    _refuse_data_set(folder)
    tally, locked = Tally(), []
    paths = _images(walk_files(folder, locked), folder, tally, is_allowed)
    tally.refused += [Refused(shown(str(one)), "The folder may not be opened.") for one in locked]

    def arriving() -> Iterator[Arriving]:
        for path in paths:
            below = path.relative_to(folder).parts
            what = Labelled("defect", type_named(below)) if by_folder else labelled
            yield Arriving(path.name, str(path), what, lambda path=path: read_bytes(path, path.name), path)

    _refuse_none(paths, tally, f"{shown(str(folder))} holds")
    return take_all(store, name, arriving(), len(paths), tally, f"from {folder}", is_linking, progress)


def add_files(
    store: RunStore,
    name: str,
    paths: Iterable[Path],
    labelled: Labelled,
    *,
    is_linking: bool = False,
    progress: Progress | None = None,
) -> Added:
    """Add single files. As `add_folder`."""
    tally = Tally()
    wanted = _images(paths, None, tally, None)
    _refuse_none(wanted, tally, "These files hold")
    came = (Arriving(p.name, str(p), labelled, lambda p=p: read_bytes(p, p.name), p) for p in wanted)
    return take_all(store, name, came, len(wanted), tally, "from single files", is_linking, progress)


def add_uploads(
    store: RunStore,
    name: str,
    files: Iterable[tuple[str, bytes | BinaryIO]],
    labelled: Labelled,
    *,
    source: str = "dropped",
    progress: Progress | None = None,
) -> Added:
    """Add files that a person dropped, (name, contents) each; a zip among them is opened as `add_zip` does. Raises
    ArchiveError beyond the limits, DiskFullError.
    """
    tally, allowed, came, n_bytes = Tally(), limits(), [], 0
    parts: list[Added] = []
    for label, contents in files:
        if PurePath(label).suffix.lower() == ".zip":
            file = io.BytesIO(contents) if isinstance(contents, bytes) else contents
            parts.append(add_zip(store, name, file, labelled, title=base_name(label), progress=progress))
            continue
        if not _is_wanted(label, tally):
            continue
        came.append(Arriving(base_name(label), f"{source}: {label}", labelled, _reader(contents)))
        n_bytes += _length(contents)
    refuse_too_much(len(came), n_bytes, "What was dropped", allowed)
    parts.append(take_all(store, name, came, len(came), tally, "dropped", False, progress))
    return joined(parts)


def add_zip(
    store: RunStore,
    name: str,
    archive: Path | BinaryIO,
    labelled: Labelled,
    *,
    title: str = "",
    by_folder: bool = False,
    progress: Progress | None = None,
) -> Added:
    """Add every image in a zip archive, one at a time; nothing is unpacked to the disk but images that can be read.

    Raises ArchiveError for an archive that is damaged, encrypted, unsafe or beyond the limits, DatasetError where it
    holds no image, DiskFullError.
    """
    title = title or (archive.name if isinstance(archive, Path) else "archive.zip")
    tally, allowed = Tally(), limits()
    with open_archive(archive, title, allowed) as opened:
        wanted = []
        for member in opened.infolist():
            if member.is_dir():
                continue
            if why := why_not(member):
                tally.refused.append(Refused(member.filename, why))
            elif _is_wanted(member.filename, tally):
                wanted.append(member)
        n_above = _n_above([parts_of(member.filename) for member in wanted])

        def arriving() -> Iterator[Arriving]:
            for member in wanted:
                below = parts_of(member.filename)[n_above:]
                what = Labelled("defect", type_named(below)) if by_folder else labelled
                yield Arriving(
                    base_name(member.filename),
                    f"{title}: {member.filename}",
                    what,
                    lambda member=member: read_member(opened, member),
                )

        _refuse_none(wanted, tally, f"{title} holds")
        return take_all(store, name, arriving(), len(wanted), tally, f"from {title}", False, progress)


def type_named(below: tuple[str, ...]) -> str:
    """The type of a defective image by its path below the folder of defects: its first folder."""
    return check_type_name(below[0]) if len(below) > 1 else DEFECT


def joined(parts: Iterable[Added]) -> Added:
    """Several additions as one."""
    tally = Tally()
    for part in parts:
        for one in ("added", "relabelled", "same", "clashes", "refused"):
            getattr(tally, one).extend(getattr(part, one))
        tally.n_ignored += part.n_ignored
    return tally.done()


def base_name(name: str) -> str:
    """The last part of a name from any system."""
    return next(iter(parts_of(name)[-1:]), name)


# -- inside ----------------------------------------------------------------------------------------------------------


def _images(
    paths: Iterable[Path], folder: Path | None, tally: Tally, is_allowed: Callable[[Path], bool] | None
) -> list[Path]:
    """The paths that name images and may be read; the others are noted."""
    found = []
    for path in paths:
        name = shown(str(path if folder is None else path.relative_to(folder)))
        if not _is_wanted(name, tally):
            continue
        if is_allowed is not None and not is_allowed(path):
            tally.refused.append(Refused(name, "It is a link that leads out of the folders that may be read."))
        elif name != str(path if folder is None else path.relative_to(folder)):
            tally.refused.append(Refused(name, "Its name is no valid UTF-8."))
        else:
            found.append(path)
    return found


def _is_wanted(name: str, tally: Tally) -> bool:
    """Whether a name, with folders or without, is that of an image that is to be added; if not, why is noted."""
    parts = parts_of(name)
    if any(is_junk(part) for part in parts if part != ".."):
        return False
    if any(part.casefold() == MASKS for part in parts[:-1]):
        tally.refused.append(Refused(name, f"It lies in a folder {MASKS}, which holds masks: import it as one."))
    elif name.lower().endswith(ARCHIVES):
        tally.refused.append(Refused(name, "It is an archive inside another source: give it by itself."))
    elif is_image_name(name):
        return True
    else:
        tally.n_ignored += 1
    return False


def _refuse_data_set(folder: Path) -> None:
    """Raises DatasetError for a folder whose images are arranged as a data set already."""
    for one in (folder, folder.parent):
        if layout_of(one) is not None and (one == folder or folder.name.casefold() == MASKS):
            raise DatasetError(
                f"{shown(str(one))} is a data set already, with training, test and perhaps masks.",
                fix=f"Train on it as it is: python -m wtflow train {one.parent} {one.name}; or give folders inside it.",
            )


def _refuse_none(wanted: list, tally: Tally, what: str) -> None:
    if not wanted and not tally.refused:
        others = f"; {count(tally.n_ignored, 'file')} there {'is' if tally.n_ignored == 1 else 'are'} something else"
        raise DatasetError(
            f"{what} no PNG, JPEG, BMP, TIFF or WebP image{others if tally.n_ignored else ''}.",
            fix="Give a folder, a zip or files with images.",
        )


def _n_above(paths: list[tuple[str, ...]]) -> int:
    """How many folders at the top of an archive only wrap the others: shared by all files, with folders below."""
    n = 0
    while (
        len({path[: n + 1] for path in paths}) == 1
        and all(len(path) > n + 1 for path in paths)
        and any(len(path) > n + 2 for path in paths)
    ):
        n += 1
    return n


def _reader(contents: bytes | BinaryIO) -> Callable[[], bytes]:
    """Reads what a person dropped when its turn comes."""

    def read() -> bytes:
        if isinstance(contents, bytes):
            return contents
        contents.seek(0)
        return contents.read()

    return read


def _length(contents: bytes | BinaryIO) -> int:
    return len(contents) if isinstance(contents, bytes) else contents.seek(0, io.SEEK_END)
