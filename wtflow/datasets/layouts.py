"""What the folder layouts share: the record that describes one, and the scan of train/test/ground_truth trees."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wtflow.datasets.files import as_spelt, is_file, list_folders, list_images
from wtflow.datasets.pairing import loose, pair_masks
from wtflow.errors import LayoutError
from wtflow.records.core import GOOD, Category, Clash, Sample, Split
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
    mask_rule: str = "auto"
    """What the published data set says of the values in its masks: auto where they are black and one other."""

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


class Tree(NamedTuple):
    """The three folders of such a tree, spelt as the disk spells them, whether or not they are there."""

    train: Path
    test: Path
    masks: Path


def tree_of(folder: Path) -> Tree:
    """The folders of a train/test/ground_truth tree. Case does not count: on some systems it does not either."""
    names = _names_in(folder)
    return Tree(*(folder / as_spelt(name, names) for name in ("train", "test", MASKS)))


def normals_of(train: Path, normal: str) -> Path:
    """The folder of training images in the folder `train`, spelt as the disk spells it."""
    return train / as_spelt(normal, _names_in(train))


def scan_tree(root: Path, name: str, layout: str, normal: str, reading: Reading) -> Category:
    """The category of a train/test/ground_truth tree whose folders of normal images are called `normal`; those that
    a person called good count as such among the test images. Opens no image.
    """
    folder = root / name
    tree = tree_of(folder)

    def below(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    def sample(image: Path, split: Split, defect: str, mask: Path | None = None) -> Sample:
        return Sample(below(image), image, split, defect, mask)

    samples = [sample(image, "train", GOOD) for image in list_images(normals_of(tree.train, normal))]
    clashes, good_masks = [], []
    for defect, masks_folder in _test_folders(tree).items():
        images, masks = list_images(tree.test / defect), list_images(masks_folder) if masks_folder else []
        if defect == normal or defect in reading.good:
            # A normal image has no defect by definition, so a mask for it is not read.
            samples += [sample(image, "test", GOOD) for image in images]
            good_masks += masks
        else:
            pairing = pair_masks(images, masks)
            samples += [sample(image, "test", defect, pairing.pairs.get(image)) for image in images]
            clashes += [Clash(*(tuple(sorted(map(below, side))) for side in one)) for one in pairing.clashes]
    samples.sort(key=lambda sample: sample.id)
    return Category(root, name, layout, tuple(samples), reading, tuple(clashes), tuple(good_masks))


def _test_folders(tree: Tree) -> dict[str, Path | None]:
    """Each folder of test images with its folder of masks, None where there is none.

    One whose name differs by case only serves where exactly one folder of test images asks for it.
    """
    of_masks, of_images = list_folders(tree.masks), list_folders(tree.test)
    asking = Counter(loose(name) for name in of_images)
    alike: dict[str, list[str]] = {}
    for name in of_masks:
        alike.setdefault(loose(name), []).append(name)
    found: dict[str, Path | None] = {}
    for name in of_images:
        near = alike.get(loose(name), [])
        is_clear = len(near) == 1 and asking[loose(name)] == 1
        found[name] = tree.masks / (near[0] if is_clear else name) if is_clear or name in near else None
    return found


def _names_in(folder: Path) -> list[str]:
    """The folders in a folder; none where it may not be opened, which is told once its images are asked for."""
    try:
        return list_folders(folder)
    except LayoutError:
        return []
