"""The folder layout of VisA: ROOT/CATEGORY/Data/{Images/{Normal,Anomaly}, Masks/Anomaly},
split by ROOT/split_csv/1cls.csv.

Source: Zou et al., SPot-the-Difference, ECCV 2022, arXiv 2207.14315.
"""

import csv
import io
from collections import defaultdict
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from wtflow.datasets.files import is_file, is_folder, open_regular
from wtflow.datasets.layouts import FolderLayout
from wtflow.errors import LayoutError
from wtflow.records.core import GOOD, Category, Clash, Sample
from wtflow.records.reading import Reading

SPLIT_FILE = "split_csv/1cls.csv"
COLUMNS = ("object", "split", "label", "image", "mask")

_RESTORE = "Copy split_csv/1cls.csv from the VisA download into the root again."


def is_category(folder: Path) -> bool:
    return is_folder(folder / "Data" / "Images")


def scan(root: Path, name: str, reading: Reading) -> Category:
    """The images of a category as the split file lists them, whether or not they are there. Raises LayoutError."""
    LAYOUT.check_root(root)
    samples: dict[str, Sample] = {}
    claims: dict[Path, list[str]] = defaultdict(list)
    for number, row in _rows(root):
        if row["object"] == name:
            sample, mask = _sample(root, name, number, row)
            if sample.id in samples:
                raise LayoutError(f"{SPLIT_FILE} line {number} lists {row['image']} a second time.", fix=_RESTORE)
            samples[sample.id] = sample
            if mask is not None:
                claims[mask].append(sample.id)
    clashes, good_masks = [], []
    for mask, ids in claims.items():
        if len(ids) > 1:  # a mask that several images claim belongs to none of them
            samples |= {one: replace(samples[one], mask_path=None) for one in ids}
            clashes.append(Clash(tuple(sorted(ids)), (mask.relative_to(root / name).as_posix(),)))
        elif not samples[ids[0]].is_defective:
            good_masks.append(mask)
    if not samples:
        raise LayoutError(f"{SPLIT_FILE} lists no image of {name!r}.", fix=_RESTORE)
    ordered = tuple(samples[key] for key in sorted(samples))
    return Category(root, name, "visa", ordered, reading, tuple(clashes), tuple(good_masks))


def _rows(root: Path) -> list[tuple[int, dict[str, str]]]:
    """(line number, row) of the split file."""
    try:
        with open_regular(root / SPLIT_FILE) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise LayoutError(
                    f"{SPLIT_FILE} has no column {', '.join(missing)}; expected {', '.join(COLUMNS)}.", fix=_RESTORE
                )
            return [(reader.line_num, {column: row[column].strip() for column in COLUMNS}) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LayoutError(f"{root / SPLIT_FILE} cannot be read ({error}).", fix=_RESTORE) from error


def _sample(root: Path, name: str, number: int, row: dict[str, str]) -> tuple[Sample, Path | None]:
    """The image of a row, and the mask that the row names if the file is there, whatever the label."""
    split, label = row["split"], row["label"]
    if split not in ("train", "test") or label not in ("normal", "anomaly"):
        raise LayoutError(
            f"{SPLIT_FILE} line {number} has split {split!r}, label {label!r}; expected train or test, normal or"
            " anomaly.",
            fix=_RESTORE,
        )
    if split == "train" and label == "anomaly":
        raise LayoutError(
            f"{SPLIT_FILE} line {number} trains on the defective image {row['image']}.",
            fix="Use the one-class split, 1cls.csv.",
        )
    image = _below(name, row["image"], number)
    mask = root / _below(name, row["mask"], number) if row["mask"] else None
    if mask is not None and not is_file(mask):
        mask = None
    sample = Sample(
        id=image.relative_to(name).as_posix(),
        path=root / image,
        split=split,
        defect=GOOD if label == "normal" else label,
        mask_path=mask if label == "anomaly" else None,
    )
    return sample, mask


def _below(name: str, text: str, number: int) -> PurePosixPath:
    """A path of the split file, refused when it leads out of the category's folder."""
    path = PurePosixPath(text)
    is_inside = path.parts[:1] == (name,) and len(path.parts) > 1 and ".." not in path.parts
    # A backslash or a drive would lead out of the folder on Windows only.
    if not is_inside or "\\" in text or "\0" in text or PureWindowsPath(text).drive:
        raise LayoutError(f"{SPLIT_FILE} line {number} names {text!r}; expected a path below {name}/.", fix=_RESTORE)
    return path


LAYOUT = FolderLayout(
    "visa",
    "VisA",
    "Data/Images/Normal",
    "Data/Masks",
    ".png",
    is_category,
    scan,
    split_file=SPLIT_FILE,
    mask_rule="defect=nonzero",  # its masks number the kinds of defect
)
