"""The folder layout of MVTec AD, and the door to all layouts: find the categories of a root, scan one, check one.

    ROOT/CATEGORY/train/good/*           normal images to train on
    ROOT/CATEGORY/test/{good,DEFECT}/*   images to score
    ROOT/CATEGORY/ground_truth/DEFECT/*  masks, NAME_mask.png or NAME.png

Scanning lists folders and opens no image.

Source: Bergmann et al., MVTec AD, CVPR 2019.
"""

from pathlib import Path

from wtflow.datasets import btad, visa
from wtflow.datasets.files import describe_folder, is_folder, list_folders
from wtflow.datasets.health import check_category
from wtflow.datasets.layouts import (
    HOW_TO_ARRANGE,
    LAYOUT_NAMES,
    Layout,
    RootScan,
    WrongRootError,
    check_name,
    check_root,
    no_such_category,
    scan_tree,
)
from wtflow.errors import LayoutError
from wtflow.records.core import Category

__all__ = ["check_category", "find_categories", "scan_category"]

# What gives other data sets away that resemble MVTec AD but keep images or masks elsewhere.
_FOREIGN = {
    "train/good/rgb": "MVTec 3D-AD",
    "test_public": "MVTec AD 2",
    "test/logical_anomalies": "MVTec LOCO AD",
}

_MAX_ABOVE = 4
"""Levels between a category's parent and its deepest folder of images (VisA's Data/Images/Normal)."""


def find_categories(root: Path) -> RootScan:
    """The categories below a root and their layout. Raises LayoutError; WrongRootError when the root is a level off."""
    root = check_root(root)
    if layout_of(root) is not None:
        raise WrongRootError(
            f"{root} is itself a category ({describe_folder(root)}), not the folder that holds the categories.",
            fix=f"Use {root.parent} and choose the category {root.name} there.",
            suggestion=root.parent,
        )
    found = _categories(root)
    if not found:
        raise _wrong_root(root)
    layout = max(found, key=lambda key: len(found[key]))
    if layout == "visa":
        visa.check_split_file(root)
    return RootScan(root, layout, tuple(found[layout]), _hint(root, layout, found))


def scan_category(root: Path, name: str) -> Category:
    """The images of one category, masks paired by name. Raises LayoutError."""
    root = check_root(root)
    check_name(name)
    folder = root / name
    layout = layout_of(folder) if is_folder(folder) else None
    match layout:
        case "visa":
            return visa.scan(root, name)
        case "btad":
            return btad.scan(root, name)
        case "mvtec":
            return scan_tree(root, name, "mvtec", "good")
    if is_folder(folder):
        raise _unknown_layout(folder)
    raise no_such_category(root, name, find_categories(root).categories)


def layout_of(folder: Path) -> Layout | None:
    """The layout in which a folder is one category, or None."""
    if any(is_folder(folder / below) for below in _FOREIGN):
        return None
    if visa.is_category(folder):
        return "visa"
    if btad.is_category(folder):
        return "btad"
    return "mvtec" if _is_category(folder) else None


def _is_category(folder: Path) -> bool:
    """Also without train/good, so that the health check can say what is missing instead of the folder being unknown."""
    train, test = folder / "train", folder / "test"
    if is_folder(train / "good") or (
        is_folder(test) and (is_folder(test / "good") or is_folder(folder / "ground_truth"))
    ):
        return True
    # Several folders in train and none of them `good` is a classification data set.
    return is_folder(train) and is_folder(test) and len(list_folders(train)) <= 1


def _categories(root: Path) -> dict[Layout, list[str]]:
    found: dict[Layout, list[str]] = {}
    for name in list_folders(root):
        layout = layout_of(root / name)
        if layout is not None:
            found.setdefault(layout, []).append(name)
    return found


def _hint(root: Path, layout: Layout, found: dict[Layout, list[str]]) -> str:
    parts = [
        f"{', '.join(names)}: {LAYOUT_NAMES[other]} layout, not listed; give these a root of their own."
        for other, names in found.items()
        if other != layout
    ]
    known = {name for names in found.values() for name in names} | {"split_csv"}
    others = [name for name in list_folders(root) if name not in known]
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        parts.append(f"Not a category: {', '.join(others[:5])}{more}.")
    return " ".join(parts)


def _wrong_root(root: Path) -> LayoutError:
    """The error for a root without categories: one level off, of a layout that is not read, or something else."""
    below = _roots_below(root)
    if len(below) == 1:
        names = ", ".join(name for names in _categories(below[0]).values() for name in names[:3])
        return WrongRootError(
            f"{root} is too high: the categories ({names}) lie in {below[0].relative_to(root)}.",
            fix=f"Use {below[0]}.",
            suggestion=below[0],
        )
    if below:
        names = ", ".join(folder.name for folder in below[:10])
        return LayoutError(
            f"{root} holds several folders with categories: {names}.", fix=f"Use one of them, such as {below[0]}."
        )
    for above in root.parents[:_MAX_ABOVE]:
        if layout_of(above) is not None:
            return WrongRootError(
                f"{root} lies inside the category {above.name}; expected the folder that holds the categories.",
                fix=f"Use {above.parent} and choose the category {above.name} there.",
                suggestion=above.parent,
            )
    return _unknown_layout(root)


def _roots_below(root: Path) -> list[Path]:
    """Folders below that hold categories; a lone folder is opened in turn, as archives often unpack to NAME/NAME."""
    for _ in range(3):
        children = [root / name for name in list_folders(root)]
        holding = [child for child in children if _can_open(child) and _categories(child)]
        if holding or len(children) != 1:
            return holding
        root = children[0]
    return []


def _can_open(folder: Path) -> bool:
    """Folders of other people are passed over when looking around; the one that was asked for is not."""
    try:
        list_folders(folder)
    except LayoutError:
        return False
    return True


def _unknown_layout(folder: Path) -> LayoutError:
    for candidate in (folder, *(folder / name for name in list_folders(folder))):
        for below, name in _FOREIGN.items():
            if is_folder(candidate / below):
                return LayoutError(
                    f"{candidate} has the layout of {name} ({below}), which is not read.", fix=HOW_TO_ARRANGE
                )
    return LayoutError(f"{folder} is in no layout that is known: found {describe_folder(folder)}.", fix=HOW_TO_ARRANGE)
