"""The folder that people give as root, and a category's name: checked, with errors that suggest the right one."""

import difflib
import os
from pathlib import Path
from typing import Any

from wtflow.datasets.files import is_folder
from wtflow.errors import LayoutError

HOW_TO_ARRANGE = (
    "Arrange it as ROOT/CATEGORY/train/good, test/good and test/DEFECT, with masks in"
    " ground_truth/DEFECT/NAME_mask.png; the published MVTec AD, VisA and BTAD folders work as they are."
)


class WrongRootError(LayoutError):
    """The root is a level too high or too low; `suggestion` is the right one."""

    def __init__(self, message: str, *, fix: str, suggestion: Path | None = None) -> None:
        super().__init__(message, fix=fix)
        self.suggestion = suggestion

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.message, self.fix, self.suggestion))


def _rebuild(message: str, fix: str, suggestion: Path | None) -> WrongRootError:
    return WrongRootError(message, fix=fix, suggestion=suggestion)


def check_root(root: Path) -> Path:
    """The root as an absolute path, `~` and `..` resolved by name. Raises LayoutError when there is no such folder."""
    text = str(root)
    if not text.strip() or "\0" in text:
        raise LayoutError("No folder is given.", fix="Give the folder that holds the categories.")
    # Path.absolute would keep `..`, and Path.resolve would follow links: people want to see the path that they gave.
    root = Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111
    if is_folder(root):
        return root
    if not os.path.lexists(root):
        raise LayoutError(f"{root} does not exist.", fix="Check the spelling, or choose another folder.")
    if root.suffix.lower() in (".zip", ".tar", ".gz", ".xz", ".tgz", ".7z", ".rar"):
        raise LayoutError(f"{root} is an archive; expected a folder.", fix="Unpack it and give the unpacked folder.")
    raise LayoutError(f"{root} is not a folder.", fix="Give the folder that holds the categories.")


def check_name(name: str) -> None:
    """Refuse a category name that could lead out of the root. Raises LayoutError."""
    if not name.strip() or name in (".", "..") or any(c in name for c in "/\\\0") or Path(name).drive:
        raise LayoutError(
            f"{name!r} is not the name of a category.",
            fix="Give the name of one folder in the root, without separators.",
        )


def no_such_category(root: Path, name: str, known: tuple[str, ...]) -> LayoutError:
    """The error for a category that is not below the root."""
    close = difflib.get_close_matches(name, known, n=1)
    fix = f"Did you mean {close[0]}?" if close else f"Categories there are: {', '.join(known[:20])}."
    return LayoutError(f"There is no category {name!r} in {root}.", fix=fix)
