"""Masks from files: pictures named as their images are, and annotations of COCO and LabelMe."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import numpy as np

from wtflow.datasets.decode import read_bytes, read_stored
from wtflow.datasets.files import is_folder, is_image_name, shown, walk_files
from wtflow.datasets.masks.decide import decide
from wtflow.datasets.masks.survey import Survey
from wtflow.datasets.masks.values import mask_pixels
from wtflow.datasets.pairing import MARK, loose
from wtflow.errors import DatasetError, ImageReadError
from wtflow.intake.archive import parts_of
from wtflow.intake.masks import encode_mask, keep_masks
from wtflow.intake.polygons import Outlines, draw, read_outlines
from wtflow.numbers import count
from wtflow.records.intake import DataSet, Item, Refused
from wtflow.records.mask_rule import MaskRule, parse_rule
from wtflow.store.datasets import open_set
from wtflow.store.runs import RunStore


@dataclass(frozen=True, slots=True)
class MasksRead:
    """Ids of the images that got a mask, and files or images that gave none, with the reason."""

    ids: tuple[str, ...]
    refused: tuple[Refused, ...]


@dataclass(slots=True)
class _Tally:
    masks: dict[str, bytes] = field(default_factory=dict)
    """Id -> its PNG."""
    refused: list[Refused] = field(default_factory=list)

    def refuse(self, name: str, reason: str) -> None:
        self.refused.append(Refused(name, reason))

    def keep(self, item: Item, marked: np.ndarray, name: str) -> None:
        if marked.shape != (item.height, item.width):
            said = f"{marked.shape[1]} x {marked.shape[0]}"
            self.refuse(name, f"The mask has {said} pixels, the image {item.width} x {item.height}.")
        elif not marked.any():
            self.refuse(name, "The mask marks nothing.")
        elif item.id in self.masks:
            self.refuse(name, f"Another mask of {item.name} was read before this one.")
        else:
            self.masks[item.id] = encode_mask(marked)


def import_masks(
    store: RunStore,
    name: str,
    source: Path,
    *,
    rule: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> MasksRead:
    """Give the images of a set the masks in a folder of pictures or of JSON files, or in one JSON file. They belong
    together by name, and where several images share one, by the name of the folder above.

    rule: what the values of mask pictures mean, as `check --mask-values` takes it. Raises DatasetError for a source
    without masks, or where it is not certain what their values mean.
    """
    paths = _files(source)
    pictures = [path for path in paths if is_image_name(path.name)]
    jsons = [path for path in paths if path.suffix.lower() == ".json"]
    if not pictures and not jsons:
        raise DatasetError(
            f"{source} holds neither pictures of masks nor JSON files with outlines.",
            fix="Give a folder of PNG masks named as their images, or COCO or LabelMe files.",
        )
    data, tally = open_set(store, name), _Tally()
    found_rule = _rule_of(pictures, rule) if pictures else MaskRule()
    for done, path in enumerate((*pictures, *jsons), start=1):
        if done <= len(pictures):
            _from_picture(data, path, found_rule, tally)
        else:
            _from_json(data, path, tally)
        if progress is not None:
            progress(done, len(paths))
    if tally.masks:
        words = f"{count(len(tally.masks), 'mask')} read from {source}."
        keep_masks(store, name, tally.masks, words)
    return MasksRead(tuple(tally.masks), tuple(tally.refused))


def masks_words(read: MasksRead) -> tuple[str, ...]:
    """What happened, in sentences."""
    found = [f"{count(len(read.ids), 'mask')} read."]
    return (*found, *(f"{one.name}: {one.reason}" for one in read.refused[:10]))


def match(data: DataSet, file_name: str) -> list[Item]:
    """The images that a mask or an annotation of this name may belong to: one, where it is certain."""
    *above, last = parts_of(file_name) or (file_name,)
    stem = loose(PurePath(last).stem)
    items = data.of("good", "defect", "unsorted")
    found = [item for item in items if loose(PurePath(item.name).stem) == stem]
    if not found and stem.endswith(MARK):
        found = [item for item in items if loose(PurePath(item.name).stem) == stem.removesuffix(MARK)]
    if len(found) > 1 and above:
        folder = loose(above[-1])
        near = [item for item in found if folder in (loose(item.defect), *(map(loose, parts_of(item.source)[-2:-1])))]
        found = near or found
    if len(found) > 1:
        defective = [item for item in found if item.label == "defect"]
        found = defective if len(defective) == 1 else found
    return found


# -- inside ------------------------------------------------------------------------------------------------------------


def _files(source: Path) -> list[Path]:
    source = source.expanduser().absolute()
    if is_folder(source):
        locked: list[Path] = []
        paths = list(walk_files(source, locked))
        return [path for path in paths if is_image_name(path.name) or path.suffix.lower() == ".json"]
    if not source.is_file():
        raise DatasetError(f"{shown(str(source))} does not exist.", fix="Check the spelling.")
    return [source]


def _rule_of(pictures: Sequence[Path], rule: str) -> MaskRule:
    """What the values of these masks mean. Raises DatasetError where that is not certain."""
    said = parse_rule(rule)
    if said.is_explicit:
        return said
    survey = Survey()
    for path in pictures:
        try:
            survey.add(read_stored(path), "", alpha=said.alpha)
        except ImageReadError:
            continue  # told when its turn comes
    decision = decide(survey, said)
    why = decision.reason or next(iter(decision.doubtful.values()), "")
    if why:
        offers = " or ".join(f"--mask-values {words}" for words in decision.suggestions[:2])
        raise DatasetError(
            f"It is not certain what these masks mean: {why}.", fix=f"Say it: {offers or '--mask-values'}."
        )
    return parse_rule(decision.rule)


def _from_picture(data: DataSet, path: Path, rule: MaskRule, tally: _Tally) -> None:
    name = shown(path.name)
    items = match(data, f"{path.parent.name}/{path.name}")
    if len(items) != 1:
        tally.refuse(name, _why_no_image(items))
        return
    try:
        tally.keep(items[0], rule.apply(mask_pixels(read_stored(path, name), alpha=rule.alpha).values)[0], name)
    except ImageReadError as error:
        tally.refuse(name, error.message)


def _from_json(data: DataSet, path: Path, tally: _Tally) -> None:
    name = shown(path.name)
    try:
        outlines = read_outlines(read_bytes(path, name), name)
    except (ImageReadError, DatasetError) as error:
        tally.refuse(name, error.message)
        return
    for one in _together(outlines):
        label = f"{name}: {one.name}"
        for problem in dict.fromkeys(one.problems):
            tally.refuse(label, f"Not read: {problem}.")
        if not (one.polygons or one.circles or one.runs):
            continue
        items = match(data, one.name)
        if len(items) != 1:
            tally.refuse(label, _why_no_image(items))
        elif one.shape not in ((0, 0), (items[0].height, items[0].width)):
            said = f"{one.shape[1]} x {one.shape[0]}"
            tally.refuse(label, f"Drawn on {said} pixels; the image has {items[0].width} x {items[0].height}.")
        else:
            try:
                tally.keep(items[0], draw(one, (items[0].height, items[0].width)), label)
            except DatasetError as error:
                tally.refuse(label, error.message)


def _together(outlines: Iterable[Outlines]) -> list[Outlines]:
    """One entry for each image, also where a file lists it twice."""
    found: dict[str, Outlines] = {}
    for one in outlines:
        if one.name in found:
            known = found[one.name]
            found[one.name] = replace(
                known,
                polygons=known.polygons + one.polygons,
                circles=known.circles + one.circles,
                runs=known.runs + one.runs,
                problems=known.problems + one.problems,
            )
        else:
            found[one.name] = one
    return list(found.values())


def _why_no_image(items: Sequence[Item]) -> str:
    if not items:
        return "No image of the set has this name."
    return f"{len(items)} images of the set have this name, so it is not certain which one is meant."
