"""The folder layout of MVTec AD, also the one for own images.

    ROOT/CATEGORY/train/good/*           normal images to train on
    ROOT/CATEGORY/test/{good,DEFECT}/*   images to score
    ROOT/CATEGORY/ground_truth/DEFECT/*  masks, NAME_mask.png or NAME.png

Source: Bergmann et al., MVTec AD, CVPR 2019.
"""

from pathlib import Path

from wtflow.datasets.files import is_folder, list_folders
from wtflow.datasets.layouts import MASKS, FolderLayout, normals_of, scan_tree, tree_of
from wtflow.records.core import Category
from wtflow.records.reading import Reading


def is_category(folder: Path) -> bool:
    """Also without train/good, so that the health check reports what is missing and the folder is not unknown."""
    train, test, masks = tree_of(folder)
    if is_folder(normals_of(train, "good")) or (is_folder(test) and (is_folder(test / "good") or is_folder(masks))):
        return True
    # Several folders in train and none of them `good` is a classification data set.
    return is_folder(train) and is_folder(test) and len(list_folders(train)) <= 1


def scan(root: Path, name: str, reading: Reading) -> Category:
    """The category's images, masks paired by name."""
    return scan_tree(root, name, "mvtec", "good", reading)


LAYOUT = FolderLayout("mvtec", "MVTec AD", "train/good", MASKS, "_mask.png", is_category, scan)
