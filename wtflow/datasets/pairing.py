"""Which mask belongs to which image: one mask, one image, by name and never by position.

A mask that several images claim, and a mask of an image that has another one, belong to nobody: a guess would draw a
defect where there is none.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "_mask"
"""What the full name of a mask adds to the stem of its image; the bare stem serves as well."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """pairs: image -> its mask. clashes: (images, masks) whose names do not tell which belongs to which."""

    pairs: dict[Path, Path]
    clashes: tuple[tuple[tuple[Path, ...], tuple[Path, ...]], ...] = ()


def loose(name: str) -> str:
    """A name as a disk that ignores case and the way accents are stored would compare it."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def pair_masks(images: Iterable[Path], masks: Iterable[Path]) -> Pairing:
    """Pair the images of one folder with the masks of another: STEM_mask.EXT or STEM.EXT, whatever the endings.

    Case and the way accents are stored do not count: archives and disks change them. A group of images and masks that
    claim each other is paired if there is exactly one way to give each image one mask and leave no mask over, first by
    names compared loosely, then as they are spelt. Otherwise the group is a clash.
    """
    pairs: dict[Path, Path] = {}
    clashes = []
    for group_images, group_masks in _groups(list(images), list(masks)):
        found = _only_way(group_images, group_masks, loose) or _only_way(group_images, group_masks, str)
        if found is None:
            clashes.append((tuple(group_images), tuple(group_masks)))
        else:
            pairs |= found
    return Pairing(pairs, tuple(clashes))


def _groups(images: list[Path], masks: list[Path]) -> Iterable[tuple[list[Path], list[Path]]]:
    """Images and masks that claim each other, directly or by others between them. What nothing claims is left out."""
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for mask in masks:
        by_stem[loose(mask.stem)].append(mask)
    images_of: dict[str, list[Path]] = defaultdict(list)
    for image in images:
        images_of[loose(image.stem)].append(image)
    done: set[str] = set()
    for start in images_of:
        # 7.png claims 7_mask.png, which 7_mask.png claims as well, which claims 7_mask_mask.png, and so on.
        if start in done:
            continue
        stem = start
        while stem in by_stem and stem.endswith(MARK) and stem.removesuffix(MARK) in images_of:
            stem = stem.removesuffix(MARK)
        group_images, group_masks = [], list(by_stem.get(stem, ()))
        while stem in images_of:
            done.add(stem)
            group_images += images_of[stem]
            stem += MARK
            if stem not in by_stem:
                break
            group_masks += by_stem[stem]
        if group_masks:
            yield group_images, group_masks


def _only_way(images: list[Path], masks: list[Path], spelt: Callable[[str], str]) -> dict[Path, Path] | None:
    """The pairs if there is exactly one way to pair all of them, else None.

    Whoever has one choice left takes it, again and again: a graph of two sides with exactly one perfect matching always
    has somebody with one choice.
    """
    if len(images) != len(masks):
        return None
    choices = {
        image: {mask for mask in masks if spelt(mask.stem) in (spelt(image.stem), spelt(image.stem + MARK))}
        for image in images
    }
    pairs: dict[Path, Path] = {}
    while choices:
        image = next((one for one, left in choices.items() if len(left) == 1), None)
        if image is None:
            return None
        (mask,) = choices.pop(image)
        pairs[image] = mask
        for left in choices.values():
            left.discard(mask)
    return pairs
