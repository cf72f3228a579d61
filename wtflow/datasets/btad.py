"""The folder layout of BTAD: ROOT/01/{train/ok, test/ok, test/ko, ground_truth/ko}, images and masks as PNG or BMP.

Source: Mishra et al., VT-ADL, ISIE 2021, arXiv 2104.10036 (beanTech Anomaly Detection dataset).
"""

from pathlib import Path

from wtflow.datasets.files import is_folder
from wtflow.datasets.layouts import MASKS, FolderLayout, scan_tree
from wtflow.records.core import Category
from wtflow.records.reading import Reading


def is_category(folder: Path) -> bool:
    """Whether a folder is one product: `ok` in place of MVTec AD's `good`."""
    is_mvtec = is_folder(folder / "train" / "good") or is_folder(folder / "test" / "good")
    return not is_mvtec and any(is_folder(folder / below) for below in ("train/ok", "test/ok", "test/ko"))


def scan(root: Path, name: str, reading: Reading) -> Category:
    """The category's images, `ok` counted as good."""
    return scan_tree(root, name, "btad", "ok", reading)


LAYOUT = FolderLayout("btad", "BTAD", "train/ok", MASKS, ".png", is_category, scan)
