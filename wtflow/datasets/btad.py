"""The folder layout of BTAD: ROOT/01/{train/ok, test/ok, test/ko, ground_truth/ko}, images and masks as PNG or BMP.

Source: Mishra et al., VT-ADL, ISIE 2021, arXiv 2104.10036 (beanTech Anomaly Detection dataset).
"""

from pathlib import Path

from wtflow.datasets.files import is_folder
from wtflow.datasets.layouts import MASKS, FolderLayout, normals_of, scan_tree, tree_of
from wtflow.records.core import Category
from wtflow.records.reading import Reading


def is_category(folder: Path) -> bool:
    """Whether a folder is one product: `ok` in place of MVTec AD's `good`."""
    train, test, _ = tree_of(folder)
    is_mvtec = is_folder(normals_of(train, "good")) or is_folder(test / "good")
    is_btad = is_folder(normals_of(train, "ok")) or is_folder(test / "ok") or is_folder(test / "ko")
    return is_btad and not is_mvtec


def scan(root: Path, name: str, reading: Reading) -> Category:
    """The category's images, `ok` counted as good."""
    return scan_tree(root, name, "btad", "ok", reading)


LAYOUT = FolderLayout("btad", "BTAD", "train/ok", MASKS, ".png", is_category, scan)
