"""What the folder layouts share: their names, the errors about a wrong root, and the scan of train/test/ground_truth
trees.
"""

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wtflow.datasets.files import is_folder, list_folders, list_images, pair_masks
from wtflow.errors import LayoutError
from wtflow.records.core import GOOD, Category, Sample, Split

Layout = Literal["mvtec", "visa", "btad"]

LAYOUT_NAMES: dict[str, str] = {"mvtec": "MVTec AD", "visa": "VisA", "btad": "BTAD"}

MASK_FOLDERS: dict[str, str] = {"mvtec": "ground_truth", "visa": "Data/Masks", "btad": "ground_truth"}
"""Where a category keeps its masks, below its own folder."""

TRAIN_FOLDERS: dict[str, str] = {"mvtec": "train/good", "visa": "Data/Images/Normal", "btad": "train/ok"}
"""Where a category keeps its training normals."""

HOW_TO_ARRANGE = (
    "Arrange it as ROOT/CATEGORY/train/good, test/good and test/DEFECT, with masks in"
    " ground_truth/DEFECT/NAME_mask.png; the published MVTec AD, VisA and BTAD folders work as they are."
)


@dataclass(frozen=True, slots=True)
class RootScan:
    """The categories below a root. `hint` says what else lies there and is not listed; empty when there is nothing
    to say.
    """

    root: Path
    layout: Layout
    categories: tuple[str, ...]
    hint: str = ""


class WrongRootError(LayoutError):
    """The root is a level too high or too low; `suggestion` is the right one."""

    def __init__(self, message: str, *, fix: str, suggestion: Path | None = None) -> None:
        super().__init__(message, fix=fix)
        self.suggestion = suggestion

    def __reduce__(self):
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


def scan_tree(root: Path, name: str, layout: Layout, normal: str) -> Category:
    """The category of a train/test/ground_truth tree whose folders of good images are called `normal`. Opens no
    image.
    """
    folder = root / name
    samples = _samples(folder, "train", normal, GOOD)
    for defect in list_folders(folder / "test"):
        samples += _samples(folder, "test", defect, GOOD if defect == normal else defect)
    return Category(root, name, layout, tuple(sorted(samples, key=lambda sample: sample.id)))


def expected_mask(category: Category, sample: Sample) -> str:
    """Where the mask of a defective test image would be looked for first, below the category."""
    below = Path(sample.id).parent.name
    ending = "_mask.png" if category.layout == "mvtec" else ".png"
    return f"{MASK_FOLDERS[category.layout]}/{below}/{Path(sample.id).stem}{ending}"


def _samples(folder: Path, split: Split, name: str, defect: str) -> list[Sample]:
    images = list_images(folder / split / name)
    # A good image has no defect by definition, so a mask for it is not read.
    masks = {} if defect == GOOD else pair_masks(images, folder / "ground_truth" / name)
    return [Sample(image.relative_to(folder).as_posix(), image, split, defect, masks.get(image)) for image in images]
