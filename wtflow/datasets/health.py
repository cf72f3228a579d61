"""Check a category: every file is read once, one image in memory at a time."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from wtflow.config import BACKGROUND, Background
from wtflow.datasets.decode import Decoded, read_image
from wtflow.datasets.files import is_folder, is_image_name, is_storable, shown, walk_files
from wtflow.datasets.health_looks import note_looks, note_turned_mask
from wtflow.datasets.health_rules import Noted
from wtflow.datasets.images import binarise, hash_pixels
from wtflow.datasets.scan import LAYOUTS
from wtflow.errors import ImageReadError
from wtflow.records.core import GOOD, Category, Finding, HealthReport, Sample
from wtflow.records.flow import group_rank

MIN_NORMALS = 2
"""One image has no spread to learn from."""

LOW_RANGE = 1 / 8
"""A camera with 12 bits in a 16-bit file uses 1/16 of the range; a dark but well-exposed picture uses more than 1/8."""

_ALLOWED_EXTRAS = {"license.txt", "readme.txt", "image_anno.csv"}
"""What the published data sets keep next to a category's folders (lower case)."""


def count_samples(category: Category) -> dict[str, dict[str, int]]:
    """split -> defect type -> number of images, `good` first. Reads nothing."""
    counts: dict[str, dict[str, int]] = {"train": {}, "test": {}}
    for sample in sorted(category.samples, key=lambda sample: group_rank(sample.defect)):
        of_split = counts.setdefault(sample.split, {})
        of_split[sample.defect] = of_split.get(sample.defect, 0) + 1
    return counts


def check_category(category: Category, progress: Callable[[int, int], None] | None = None) -> HealthReport:
    """What a category contains and every finding, grouped by kind. Decodes every image and mask once.

    progress: called with (images done, images in all) before the first and after each image.
    """
    noted = Noted()
    sizes: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    first_seen: dict[str, Sample] = {}
    n_bytes = 0
    # Training images first, so that a copy is always reported on the test image.
    samples = sorted(category.samples, key=lambda sample: sample.split != "train")
    if progress is not None:
        progress(0, len(samples))
    for done, sample in enumerate(samples, start=1):
        n_bytes += _n_bytes(sample.path) + (_n_bytes(sample.mask_path) if sample.mask_path else 0)
        image = _read(sample.path, sample.id, "unreadable_image", noted)
        if image is not None:
            sizes[_size(image)] += 1
            modes[image.mode] += 1
            _note_range(image, sample, noted)
            note_looks(image, sample, noted)
            _note_copy(hash_pixels(image), sample, first_seen, noted)
        if sample.is_defective:
            _note_mask(category, sample, image, noted)
        if progress is not None:
            progress(done, len(samples))
    _note_leftovers(category, noted)
    counts = count_samples(category)
    findings = _about_counts(category, counts) + noted.findings() + _about_mixture(sizes, modes)
    rank = {"error": 0, "warning": 1, "info": 2}
    findings.sort(key=lambda finding: rank[finding.severity])
    return HealthReport(
        category.name,
        category.layout,
        counts,
        _by_number(sizes),
        _by_number(modes),
        n_bytes,
        tuple(findings),
        category.reading,
    )


def _read(path: Path, name: str, code: str, noted: Noted, background: Background = BACKGROUND) -> Decoded | None:
    try:
        return read_image(path, name, background)
    except ImageReadError as error:
        noted.add(code, name, error.message.removeprefix(f"{name} ").rstrip("."))
        return None


def _note_mask(category: Category, sample: Sample, image: Decoded | None, noted: Noted) -> None:
    if sample.mask_path is None:
        noted.add("missing_mask", sample.id, f"expected {LAYOUTS[category.layout].expected_mask(sample)}")
        return
    name = sample.mask_path.relative_to(category.root / category.name).as_posix()
    mask = _read(sample.mask_path, name, "unreadable_mask", noted, "none")
    if mask is None:
        return
    if image is not None and mask.pixels.shape[:2] != image.pixels.shape[:2]:
        noted.add("mask_size", name, f"{_size(mask)}, image {_size(image)}")
    if image is not None and not category.reading.masks_as_stored:
        note_turned_mask(image, mask, name, noted)
    if not binarise(mask.pixels).any():
        noted.add("empty_mask", name)


def _note_range(image: Decoded, sample: Sample, noted: Noted) -> None:
    if image.white > 255:
        low, high = int(image.pixels.min()), int(image.pixels.max())
        if high - low < image.white * LOW_RANGE:
            noted.add("low_range", sample.id, f"values from {low} to {high} of {image.white}")


def _note_copy(content: str, sample: Sample, first_seen: dict[str, Sample], noted: Noted) -> None:
    original = first_seen.setdefault(content, sample)
    if original is sample:
        return
    if sample.split == "train":
        noted.add("duplicate_in_train", sample.id, f"same as {original.id}")
    elif original.split == "train":
        noted.add("test_in_train", sample.id, f"same as {original.id}")
    elif original.defect != sample.defect:
        noted.add("two_labels", sample.id, f"same as {original.id}")


def _note_leftovers(category: Category, noted: Noted) -> None:
    """Files in the category's folder that are neither an image nor a mask of a sample."""
    folder = category.root / category.name
    used = {sample.path for sample in category.samples} | {
        sample.mask_path for sample in category.samples if sample.mask_path
    }
    good_folders = {Path(sample.id).parent.name for sample in category.samples if sample.defect == GOOD}
    for path in sorted(set(walk_files(folder)) - used):
        relative = path.relative_to(folder)
        name = shown(relative.as_posix())
        if not is_storable(str(relative)):
            noted.add("bad_name", name)
        elif len(relative.parts) == 1 and path.name.lower() in _ALLOWED_EXTRAS:
            continue
        elif not is_image_name(path.name):
            noted.add("extra_file", name)
        elif not name.startswith(f"{LAYOUTS[category.layout].mask_folder}/"):
            noted.add("unused_image", name)
        else:
            noted.add("good_mask" if relative.parent.name in good_folders else "orphan_mask", name)


def _about_counts(category: Category, counts: dict[str, dict[str, int]]) -> list[Finding]:
    """What the numbers of images alone show."""
    findings = []
    layout = LAYOUTS[category.layout]
    place = layout.train_folder
    n_train, test = sum(counts["train"].values()), counts["test"]
    add = (
        f"Put normal images into {category.name}/{place}"
        f"{f' and list them in {layout.split_file}' if layout.split_file else ''}."
    )
    if n_train == 0:
        state = "holds no training image" if is_folder(category.root / category.name / place) else "is missing"
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


def _about_mixture(sizes: Counter[str], modes: Counter[str]) -> list[Finding]:
    findings = []
    for code, counted, noun in (("mixed_sizes", sizes, "sizes"), ("mixed_modes", modes, "colour modes")):
        if len(counted) > 1:
            (most, n), *_ = counted.most_common(1)
            message = (
                f"Images have {len(counted)} different {noun}; {most} is the most frequent ({n} of {counted.total()})."
            )
            fix = {
                "mixed_sizes": (
                    "Nothing if the parts look alike when stretched to one square; otherwise crop them alike."
                ),
                "mixed_modes": (
                    "Nothing if they come from one camera: all become RGB in [0, 1]; otherwise record them alike."
                ),
            }[code]
            findings.append(Finding("info", code, message, fix))
    return findings


def _by_number(counted: Counter[str]) -> dict[str, int]:
    return dict(counted.most_common())


def _size(image: Decoded) -> str:
    height, width = image.pixels.shape[:2]
    return f"{width} x {height}"


def _n_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
