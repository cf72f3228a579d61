"""Folders of images in every layout: find the categories of a root, scan one.

A new layout is a new file like `mvtec` and one line in `LAYOUTS`. Scanning lists folders and opens no image.
"""

from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets import btad, mvtec, visa
from wtflow.datasets.files import describe_folder, is_folder, list_folders
from wtflow.datasets.layouts import FolderLayout
from wtflow.datasets.pairing import loose
from wtflow.datasets.roots import HOW_TO_ARRANGE, WrongRootError, check_name, check_root, no_such_category
from wtflow.errors import LayoutError
from wtflow.records.core import Category
from wtflow.records.reading import Reading

LAYOUTS: dict[str, FolderLayout] = {
    "visa": visa.LAYOUT,
    "btad": btad.LAYOUT,
    "mvtec": mvtec.LAYOUT,
}
"""Key -> layout, in the order in which a folder is tried; MVTec AD's rules are the loosest and come last."""

_FOREIGN = {
    "train/good/rgb": "MVTec 3D-AD",
    "test_public": "MVTec AD 2",
    "test/logical_anomalies": "MVTec LOCO AD",
}
"""Folder below a category -> data set that resembles MVTec AD but keeps images or masks elsewhere: not read."""

_MAX_ABOVE = 4
"""Levels between a category's parent and its deepest folder of images (VisA's Data/Images/Normal)."""


@dataclass(frozen=True, slots=True)
class RootScan:
    """The categories below a root. `layout` is a key of LAYOUTS; `hint` describes what else lies there and is not
    listed, or is empty.
    """

    root: Path
    layout: str
    categories: tuple[str, ...]
    hint: str = ""


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
    LAYOUTS[layout].check_root(root)
    return RootScan(root, layout, tuple(found[layout]), _hint(root, layout, found))


def scan_category(root: Path, name: str, reading: Reading | None = None) -> Category:
    """The images of one category, read as a person said, masks paired by name. Raises LayoutError."""
    root = check_root(root)
    check_name(name)
    folder = root / name
    layout = layout_of(folder) if is_folder(folder) else None
    if layout is not None:
        return LAYOUTS[layout].scan(root, name, reading or Reading())
    if is_folder(folder):
        raise _unknown_layout(folder)
    raise no_such_category(root, name, find_categories(root).categories)


def good_folders(root: Path, name: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The folders of test images that a person calls good, as the disk spells them. Raises LayoutError for one that is
    not there.
    """
    layout = LAYOUTS[scan_category(root, name).layout]
    if layout.split_file:
        raise LayoutError(
            f"{name} has the {layout.title} layout: {layout.split_file} says which images are good, not a folder.",
            fix=f"Change the label in {layout.split_file}.",
        )
    folders = list_folders(check_root(root) / name / "test")
    found = []
    for one in wanted:
        alike = [one] if one in folders else [folder for folder in folders if folder.casefold() == one.casefold()]
        if len(alike) != 1:
            raise LayoutError(
                f"{name} has no folder test/{one}.", fix=f"Folders of test images there are: {', '.join(folders[:20])}."
            )
        found += alike
    return tuple(dict.fromkeys(found))


def layout_of_training(sample_id: str) -> FolderLayout | None:
    """The layout whose training images have such ids, in any case."""
    name = loose(sample_id)
    return next((layout for layout in LAYOUTS.values() if name.startswith(loose(f"{layout.train_folder}/"))), None)


def layout_of(folder: Path) -> str | None:
    """The layout in which a folder is one category, or None."""
    if any(is_folder(folder / below) for below in _FOREIGN):
        return None
    return next((key for key, layout in LAYOUTS.items() if layout.is_category(folder)), None)


def _categories(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in list_folders(root):
        layout = layout_of(root / name)
        if layout is not None:
            found.setdefault(layout, []).append(name)
    return found


def _hint(root: Path, chosen: str, found: dict[str, list[str]]) -> str:
    parts = [
        f"{', '.join(names)}: {LAYOUTS[other].title} layout, not listed; give these a root of their own."
        for other, names in found.items()
        if other != chosen
    ]
    split_folders = {Path(layout.split_file).parts[0] for layout in LAYOUTS.values() if layout.split_file}
    known = {name for names in found.values() for name in names} | split_folders
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
    """A search skips folders that may not be opened; the folder that the caller named is not skipped."""
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
    return LayoutError(f"{folder} has no known layout: found {describe_folder(folder)}.", fix=HOW_TO_ARRANGE)
