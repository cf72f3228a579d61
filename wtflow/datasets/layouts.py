"""What the folder layouts share: the record that describes one, and the scan of train/test/ground_truth trees."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wtflow.datasets.files import is_file, list_folders, list_images, pair_masks
from wtflow.errors import LayoutError
from wtflow.records.core import GOOD, Category, Sample, Split
from wtflow.records.reading import Reading

MASKS = "ground_truth"
"""The folder of masks in such a tree."""


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """One way to arrange a data set. Each layout's file ends with its own; `scan.LAYOUTS` lists them all.

    key: as runs and reports store it; title: for people. train_folder and mask_folder lie below the category's folder.
    mask_ending: replaces the image's ending in the mask's name. split_file: below the root, lists what trains and what
    tests; empty where the folders do.
    """

    key: str
    title: str
    train_folder: str
    mask_folder: str
    mask_ending: str
    is_category: Callable[[Path], bool]
    """Whether a folder is one category of this layout."""
    scan: Callable[[Path, str, Reading], Category]
    """The category of this name below a root, read as a person said. Opens no image. Raises LayoutError."""
    split_file: str = ""

    def expected_mask(self, sample: Sample) -> str:
        """The first path, below the category, at which the mask of a defective test image is looked for."""
        below = Path(sample.id).parent.name
        return f"{self.mask_folder}/{below}/{Path(sample.id).stem}{self.mask_ending}"

    def check_root(self, root: Path) -> None:
        """Raises LayoutError when the root lacks the layout's split file."""
        if self.split_file and not is_file(root / self.split_file):
            raise LayoutError(
                f"{root} has the {self.title} layout, but {self.split_file} is missing: it lists which images train"
                " and which test.",
                fix=(
                    f"Copy {self.split_file} from the {self.title} download into the root, or convert the category to"
                    " the MVTec AD layout."
                ),
            )


def scan_tree(root: Path, name: str, layout: str, normal: str, reading: Reading) -> Category:
    """The category of a train/test/ground_truth tree whose folders of normal images are called `normal`; those that
    a person called good count as such among the test images. Opens no image.
    """
    folder = root / name
    samples = _samples(folder, "train", normal, GOOD)
    for defect in list_folders(folder / "test"):
        samples += _samples(folder, "test", defect, GOOD if defect == normal or defect in reading.good else defect)
    return Category(root, name, layout, tuple(sorted(samples, key=lambda sample: sample.id)), reading)


def _samples(folder: Path, split: Split, name: str, defect: str) -> list[Sample]:
    images = list_images(folder / split / name)
    # A normal image has no defect by definition, so a mask for it is not read.
    masks = {} if defect == GOOD else pair_masks(images, folder / MASKS / name)
    return [Sample(image.relative_to(folder).as_posix(), image, split, defect, masks.get(image)) for image in images]
