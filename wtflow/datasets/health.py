"""Check a category: every file is read once, one image in memory at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from wtflow.config import BACKGROUND, Background
from wtflow.datasets.decode import Decoded, read_image
from wtflow.datasets.health_folders import count_samples, note_folders
from wtflow.datasets.health_looks import about_cut_outs, note_looks
from wtflow.datasets.health_rules import Noted, worst_first
from wtflow.datasets.images import hash_pixels
from wtflow.datasets.masks.check import MaskCheck, note_good_masks
from wtflow.datasets.scan import LAYOUTS
from wtflow.errors import DatasetError, ImageReadError
from wtflow.records.core import Category, Finding, HealthReport, Sample
from wtflow.records.pixel_images import PixelImages

DEFAULT_SIZE_PX = 256
"""The image size of preset `fast`."""

MOST_STRETCH = 2
"""Longer sides than so many times the shorter one lose much when they become a square."""

LOW_RANGE = 1 / 8
"""A camera with 12 bits in a 16-bit file uses 1/16 of the range; a dark but well-exposed picture uses more than 1/8."""


def check_category(
    category: Category, progress: Callable[[int, int], None] | None = None, size_px: int = DEFAULT_SIZE_PX
) -> HealthReport:
    """What a category contains and every finding, grouped by kind. Decodes every image once, and masks once more to
    count regions.

    progress: called with (images done, images in all) before the first and after each image. size_px: of the map that
    regions are compared with.
    """
    noted, masks = Noted(), MaskCheck(category.reading, LAYOUTS[category.layout].mask_rule)
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
            _note_strip(image, sample, noted)
            _note_copy(hash_pixels(image), sample, first_seen, noted)
        if sample.is_defective:
            _note_mask(category, sample, image, masks, noted)
        if progress is not None:
            progress(done, len(samples))
    decision, regions, about_masks = masks.finish(size_px, noted)
    note_good_masks(category, decision, noted)
    about_folders = note_folders(category, noted)
    about_looks = [*about_cut_outs(category, noted), *_about_mixture(sizes, modes)]
    findings = worst_first([*about_folders, *noted.findings(), *about_masks, *about_looks])
    return HealthReport(
        category.name,
        category.layout,
        count_samples(category),
        _by_number(sizes),
        _by_number(modes),
        n_bytes,
        findings,
        category.reading,
        decision,
        regions,
        _pixel_images(category, masks.left_out),
    )


def listed_pixel_images(category: Category) -> PixelImages:
    """Of how many test images pixel metrics will be, if every mask that is there can be used. Opens no file."""
    missing = {one.id: "missing" for one in category.of("test") if one.is_defective and one.mask_path is None}
    return _pixel_images(category, missing)


def _pixel_images(category: Category, left_out: Mapping[str, str]) -> PixelImages:
    """Of how many test images pixel metrics will be. left_out: ids of defective ones -> why."""
    test = category.of("test")
    return PixelImages(len(test) - len(left_out), sum(one.is_defective for one in test), Counter(left_out.values()))


def refuse_errors(name: str, findings: Iterable[Finding]) -> None:
    """Raises DatasetError, with the first of them, when findings about the category `name` prevent training."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        more = f" There {'is' if len(errors) == 2 else 'are'} {len(errors) - 1} more." if len(errors) > 1 else ""
        raise DatasetError(f"{name} cannot be trained yet: {errors[0].message}{more}", fix=errors[0].fix)


def _read(path: Path, name: str, code: str, noted: Noted, background: Background = BACKGROUND) -> Decoded | None:
    try:
        return read_image(path, name, background)
    except ImageReadError as error:
        noted.add(code, name, error.message.removeprefix(f"{name} ").rstrip("."))
        return None


def _note_mask(category: Category, sample: Sample, image: Decoded | None, masks: MaskCheck, noted: Noted) -> None:
    path, folder = sample.mask_path, category.root / category.name
    name = "" if path is None else path.relative_to(folder).as_posix()
    masks.add(sample, name, image, noted)


def _note_range(image: Decoded, sample: Sample, noted: Noted) -> None:
    if image.white > 255:
        low, high = int(image.pixels.min()), int(image.pixels.max())
        if high - low < image.white * LOW_RANGE:
            noted.add("low_range", sample.id, f"values from {low} to {high} of {image.white}")


def _note_strip(image: Decoded, sample: Sample, noted: Noted) -> None:
    if max(image.pixels.shape[:2]) > MOST_STRETCH * min(image.pixels.shape[:2]):
        noted.add("strip", sample.id, f"{_size(image)} px")


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
