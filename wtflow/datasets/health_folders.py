"""What listing a category's folders shows, without opening a file: what is missing, too much, or in the wrong place."""

import shlex
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from wtflow.datasets.files import is_folder, is_image_name, is_storable, list_folders, shown, walk_files
from wtflow.datasets.good_names import sounds_good
from wtflow.datasets.health_rules import Noted, worst_first
from wtflow.datasets.layouts import normals_of, tree_of
from wtflow.datasets.pairing import MARK, loose
from wtflow.datasets.scan import LAYOUTS
from wtflow.records.core import GOOD, Category, Finding, Offer
from wtflow.records.flow import group_rank

MIN_NORMALS = 2
"""One image has no spread to learn from."""

_MASK_ENDS = (MARK, "-mask", "_gt", "_seg", "_label", "_groundtruth", "_ground_truth")
"""How names of masks end, behind the name of their image."""

_ALLOWED_EXTRAS = {"license.txt", "readme.txt", "image_anno.csv"}
"""What the published data sets keep next to a category's folders (lower case)."""


def count_samples(category: Category) -> dict[str, dict[str, int]]:
    """split -> defect type -> number of images, `good` first. Reads nothing."""
    counts: dict[str, dict[str, int]] = {"train": {}, "test": {}}
    for sample in sorted(category.samples, key=lambda sample: group_rank(sample.defect)):
        of_split = counts.setdefault(sample.split, {})
        of_split[sample.defect] = of_split.get(sample.defect, 0) + 1
    return counts


def look_at_folders(category: Category) -> tuple[Finding, ...]:
    """Every finding that needs no file to be opened, the worst first. Quick for large data sets, too."""
    noted = Noted()
    return worst_first([*note_folders(category, noted), *noted.findings()])


def note_folders(category: Category, noted: Noted) -> list[Finding]:
    """Note what is wrong with single files and folders. Returns the findings that are about more than these."""
    _note_pairs(category, noted)
    _note_names(category, noted)
    deep = _note_leftovers(category, noted)
    findings = _about_counts(category) + _about_deep(deep)
    if not LAYOUTS[category.layout].split_file:
        findings += _about_test_folders(
            category, {PurePosixPath(path).parts[1] for path in deep if loose(path).startswith("test/")}, noted
        )
    return findings


def _about_counts(category: Category) -> list[Finding]:
    """What the numbers of images alone show."""
    findings, counts = [], count_samples(category)
    layout = LAYOUTS[category.layout]
    place = layout.train_folder
    n_train, test = sum(counts["train"].values()), counts["test"]
    add = (
        f"Put normal images into {category.name}/{place}"
        f"{f' and list them in {layout.split_file}' if layout.split_file else ''}."
    )
    if n_train == 0:
        train = tree_of(category.root / category.name).train
        state = "holds no training image" if is_folder(normals_of(train, Path(place).name)) else "is missing"
        meant = [] if layout.split_file else [name for name in list_folders(train) if sounds_good(name)]
        if len(meant) == 1 and state == "is missing":
            add = f"If {train.name}/{meant[0]} holds the normal images, rename it to {place}. Otherwise: {add}"
        findings.append(Finding("error", "no_train", f"{place} {state}: there is nothing to learn from.", add))
    elif n_train < MIN_NORMALS:
        message = f"There is {n_train} normal training image; expected at least {MIN_NORMALS}."
        findings.append(Finding("error", "few_normals", message, add, tuple(s.id for s in category.of("train"))))
    n_good, n_test = test.get(GOOD, 0), sum(test.values())
    if n_test == 0:
        message = "There are no test images: training works, but there will be no scores, no heat maps and no metrics."
        findings.append(
            Finding("warning", "no_test", message, "Add test images, or try single images on the finished run.")
        )
    elif n_good == n_test:
        message = (
            "There are no defective test images: scores and heat maps work, but every metric needs defects and is"
            " absent."
        )
        fix = "Add defective images to see metrics; until then a threshold can come from held-out normals."
        findings.append(Finding("info", "no_defects", message, fix))
    elif n_good == 0:
        message = "There are no normal test images: image AUROC is absent, and image AP and F1 have no meaning."
        findings.append(
            Finding("info", "no_good_tests", message, "Add normal images that were not trained on to the test images.")
        )
    return findings


def _note_pairs(category: Category, noted: Noted) -> None:
    """Masks that are missing or belong to several images, and images with several masks."""
    in_clash = {image for clash in category.clashes for image in clash.images}
    # Nobody draws masks for good images: a folder that sounds good has its own finding.
    asks_for_none = {name for name, suspect in _suspects(category).items() if not suspect.n_masks}
    for sample in category.samples:
        is_missing = sample.is_defective and sample.mask_path is None and sample.id not in in_clash
        if is_missing and sample.defect not in asks_for_none:
            noted.add("missing_mask", sample.id, f"expected {LAYOUTS[category.layout].expected_mask(sample)}")
    for clash in category.clashes:
        if len(clash.images) == 1:
            noted.add("several_masks", clash.images[0], ", ".join(clash.masks))
        for mask in clash.masks if len(clash.images) > 1 else ():
            noted.add("contested_mask", mask, ", ".join(clash.images))


def _note_names(category: Category, noted: Noted) -> None:
    """Images that differ from another of their folder by ending, case or the way accents are stored only."""
    in_clash = {image for clash in category.clashes for image in clash.images}
    first: dict[tuple[str, str], str] = {}
    for sample in category.samples:
        path = PurePosixPath(sample.id)
        original = first.setdefault((path.parent.as_posix(), loose(path.stem)), sample.id)
        if original != sample.id and sample.id not in in_clash:
            noted.add("same_name", sample.id, f"beside {PurePosixPath(original).name}")
    for sample in category.samples:
        path = PurePosixPath(sample.id)
        stem = next((loose(path.stem).removesuffix(end) for end in _MASK_ENDS if loose(path.stem).endswith(end)), None)
        original = None if stem is None else first.get((path.parent.as_posix(), stem))
        if original is not None and sample.mask_path is None:
            noted.add("mask_among_images", sample.id, f"beside {PurePosixPath(original).name}")


def _note_leftovers(category: Category, noted: Noted) -> list[str]:
    """Files in the category's folder that are neither an image nor a mask of a sample. Returns those that lie below the
    folders that are read, and not in them.
    """
    deep: list[str] = []
    locked: list[Path] = []
    folder, layout = category.root / category.name, LAYOUTS[category.layout]
    used = {sample.path for sample in category.samples} | {
        sample.mask_path for sample in category.samples if sample.mask_path
    }
    used |= {folder / mask for clash in category.clashes for mask in clash.masks} | set(category.good_masks)
    for path in sorted(set(walk_files(folder, locked)) - used):
        relative = path.relative_to(folder)
        name = shown(relative.as_posix())
        if not is_storable(str(relative)):
            noted.add("bad_name", name)
        elif len(relative.parts) == 1 and path.name.lower() in _ALLOWED_EXTRAS:
            continue
        elif not is_image_name(path.name):
            noted.add("extra_file", name)
        elif _is_too_deep(category, relative):
            deep.append(name)
        else:
            is_mask = loose(name).startswith(f"{loose(layout.mask_folder)}/")
            noted.add("orphan_mask" if is_mask else "unused_image", name)
    for path in locked:
        noted.add("locked_folder", shown(path.relative_to(folder).as_posix()))
    return deep


def _is_too_deep(category: Category, relative: Path) -> bool:
    """Whether a file lies below a folder that is read, such as train/good, and not in it."""
    layout, parts = LAYOUTS[category.layout], relative.parts
    if layout.split_file or len(parts) < 4:
        return False
    first, second = loose(parts[0]), loose(parts[1])
    return first in ("test", layout.mask_folder) or f"{first}/{second}" == layout.train_folder


def _about_deep(paths: list[str]) -> list[Finding]:
    """The finding about files in folders below those that are read: in which ones, and how many."""
    if not paths:
        return []
    folders = Counter(PurePosixPath(path).parent.as_posix() for path in paths).most_common()
    listed = ", ".join(f"{n} in {folder}" for folder, n in folders[:4])
    more = f" and more in {len(folders) - 4} other folders" if len(folders) > 4 else ""
    above = "/".join(PurePosixPath(folders[0][0]).parts[:2])
    message = (
        f"{len(paths)} file{'s' * (len(paths) != 1)} one folder too deep, and not read: {listed}{more}. Only what lies"
        f" right in a folder such as {above} is read."
    )
    return [
        Finding("warning", "too_deep", message, "Move what lies there up into the folder that is read.", tuple(paths))
    ]


def _about_test_folders(category: Category, deep: set[str], noted: Noted) -> list[Finding]:
    """Folders of test images that are empty, called good and not there, or good by their name and read as a defect.
    deep: names of those with images below them.
    """
    test = tree_of(category.root / category.name).test
    folders = list_folders(test)
    n_images = Counter(PurePosixPath(sample.id).parts[1] for sample in category.of("test"))
    for name in folders:
        if not n_images[name] and name not in deep:
            noted.add("empty_folder", shown(f"{test.name}/{name}"))
    for name in category.reading.good:
        if name not in folders:
            noted.add("unknown_good", f"{test.name}/{name}")
    return _offer_good(_suspects(category), category, test.name)


class _Suspect(NamedTuple):
    """A folder of test images that counts as a defect type although its name says good."""

    n_images: int
    n_masks: int

    @property
    def words(self) -> str:
        masks = (
            f"{self.n_masks} with a mask" if self.n_masks else f"without {'a mask' if self.n_images == 1 else 'masks'}"
        )
        return f"{self.n_images} image{'s' * (self.n_images != 1)}, {masks}"


def _suspects(category: Category) -> dict[str, _Suspect]:
    """Defect type, which is the name of its folder, -> what is in it, for those that sound good. Where a file lists the
    labels, names of folders say nothing.
    """
    if LAYOUTS[category.layout].split_file:
        return {}
    found = {}
    for name in category.defects:
        if sounds_good(name):
            own = [sample for sample in category.samples if sample.defect == name]
            found[name] = _Suspect(len(own), sum(sample.mask_path is not None for sample in own))
    return found


def _offer_good(suspects: dict[str, _Suspect], category: Category, test: str) -> list[Finding]:
    """The finding about folders of test images whose names say good although they count as defect types."""
    if not suspects:
        return []
    names, reading = sorted(suspects), category.reading
    listed = " and ".join(f"{test}/{name} ({suspects[name].words})" for name in names)
    if len(names) == 1:
        message = f"{listed} counts as a defect type, but its name says good."
    else:
        message = f"{listed} count as defect types, but their names say good."
    options = " ".join(f"--good {shlex.quote(name)}" for name in names)
    fix = (
        f"If {'it holds' if len(names) == 1 else 'they hold'} normal images, read them as good (in the shell:"
        f" {options}), or move them to {test}/{Path(LAYOUTS[category.layout].train_folder).name}."
    )
    choices = [(name,) for name in names] + ([tuple(names)] if len(names) > 1 else [])
    offers = tuple(
        Offer(
            f"Read {' and '.join(f'{test}/{name}' for name in chosen)} as good",
            reading.model_copy(update={"good": (*reading.good, *chosen)}),
        )
        for chosen in choices
    )
    return [Finding("warning", "sounds_good", message, fix, tuple(f"{test}/{name}" for name in names), offers)]
