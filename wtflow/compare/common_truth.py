"""One truth that all compared runs are counted on: their own where it is the same, else the one that a person chose.

A truth can be brought to the maps of another run where these have the same size, or sides that divide its own, or where
its masks are still the same files. Where nobody chose, or that cannot be done, pixel metrics are not compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.compare.runs import LETTERS, Comparison
from wtflow.compare.truths import OwnTruth, TruthDifferences, coarsened, mask_hashes, same_truth
from wtflow.datasets.images import hash_file
from wtflow.datasets.masks.live import FileTruth, file_truth
from wtflow.datasets.scan import LAYOUTS, scan_category
from wtflow.errors import ImageReadError, WTFlowError
from wtflow.records.core import Category
from wtflow.records.shapes import Shape
from wtflow.records.truth import RunTruth
from wtflow.results import RunResults, ScoreRow, tested_samples
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

NOW = "now"
"""Key of the masks as they are now; other truths have the id of a run as their key."""
_NOW_WORDS = "the masks as they are now"


@dataclass(frozen=True, slots=True)
class CommonTruth:
    """One truth for all runs. `truths`: at the size of each run's maps; empty where `reason` says why there is none."""

    words: str
    """Such as "the masks of A"; empty where nobody had to choose."""
    truths: tuple[RunTruth, ...] = ()
    is_stored: bool = False
    """Each run stored its pixel metrics of this truth."""
    reason: str = ""


def truth_options(store: RunStore, comparison: Comparison, found: TruthDifferences) -> dict[str, str]:
    """key -> words of the truths that a person can choose from: each different one of the runs, and the masks as they
    are now where their folder is there. Opens no image.
    """
    options = {}
    for group in dict.fromkeys(one for one in found.groups if one is not None):
        members = [k for k, one in enumerate(found.groups) if one == group]
        options[comparison.runs[members[0]].run_id] = _words(members)
    if category_now(store, comparison) is not None:
        options[NOW] = _NOW_WORDS
    return options


def common_truth(
    store: RunStore,
    comparison: Comparison,
    own: Sequence[OwnTruth],
    found: TruthDifferences,
    data: Sequence[dict[str, Any] | None],
    key: str | None,
) -> CommonTruth:
    """One truth for all runs, each at the size of its maps: their own where it is the same, else that of this key, as a
    person chose. May open masks. Raises StoreError.
    """
    if found.are_same:
        return CommonTruth(
            "", tuple(one.truth for one in own if one.truth is not None), all(one.is_kept for one in own)
        )
    if key is None:
        if found.n:
            why = "the runs were counted on different masks, and nobody has chosen those to count all on"
        else:
            why = "it cannot be told whether the runs were counted on the same masks"
        return CommonTruth("", reason=f"Not compared: {why}.")
    if key == NOW:
        return _now(store, comparison, data)
    chosen = next((k for k, run in enumerate(comparison.runs) if run.run_id == key), None)
    if chosen is None or found.groups[chosen] is None:
        return CommonTruth("", reason=f"No run that is compared here has masks to offer under the name {key[:80]!r}.")
    members = [k for k, group in enumerate(found.groups) if group == found.groups[chosen]]
    words, truths = _words(members), []
    for k, run in enumerate(comparison.runs):
        truth = own[k].truth if k in members else _brought(store, comparison, own, data, members, k)
        if truth is None:
            sizes = " and ".join(f"{shape[1]} x {shape[0]}" for shape in (comparison.runs[chosen].shape, run.shape))
            reason = (
                f"Not compared: maps of {LETTERS[chosen]} and {LETTERS[k]} have {sizes} pixels, and {words} cannot be"
                " brought from one size to the other. They have no common measure, and their files are gone or changed."
            )
            return CommonTruth(words, reason=reason)
        truths.append(truth)
    return CommonTruth(words, tuple(truths))


def marks_anything(comparison: Comparison, truths: Sequence[RunTruth]) -> bool:
    """Whether a mask of these truths, one for each run, is of a common image."""
    return any(
        name in truth.truths for k, truth in enumerate(truths) for name in comparison.ids_of(k)[comparison.labels]
    )


def outline_on(truth: RunTruth | None, image: ScoreRow) -> np.ndarray | None:
    """The defect of an image to draw, bool at map size, as this truth has it; None where it is normal or unknown."""
    drawn = None if truth is None else truth.of(image.sample_id, is_defective=image.is_defective)
    return None if drawn is None or drawn.is_normal else drawn.mask


def _brought(
    store: RunStore,
    comparison: Comparison,
    own: Sequence[OwnTruth],
    data: Sequence[dict[str, Any] | None],
    sources: Sequence[int],
    target: int,
) -> RunTruth | None:
    """The truth of runs that have the same one, at the map size of another and with its ids: theirs, theirs on a
    coarser grid, or read again from masks that are still the same files.
    """
    shape = comparison.runs[target].shape
    truths = [(k, one) for k in sources if (one := own[k].truth) is not None]
    for k, truth in truths:
        if truth.shape == shape:
            return _called_as_in(comparison, truth, k, target)
    for k, truth in truths:
        if not truth.shape[0] % shape[0] and not truth.shape[1] % shape[1]:
            coarse = {name: coarsened(one, shape) for name, one in truth.truths.items()}
            return _called_as_in(comparison, RunTruth(shape, coarse, truth.left_out), k, target)
    for k in sources:
        if (found := _read_again(store, comparison.runs[k], own[k], data[k], shape)) is not None:
            return _called_as_in(comparison, found, k, target)
    return None


def _called_as_in(comparison: Comparison, truth: RunTruth, source: int, target: int) -> RunTruth:
    """A truth with the ids of one run as another calls the images; where they differ, of the common images alone."""
    ids, others = comparison.ids_of(source), comparison.ids_of(target)
    if (ids == others).all():
        return truth
    names = dict(zip(ids, others, strict=True))
    truths = {names[name]: drawn for name, drawn in truth.truths.items() if name in names}
    left_out = {names[name]: why for name, why in truth.left_out.items() if name in names}
    return RunTruth(truth.shape, truths, left_out)


def _read_again(
    store: RunStore, run: RunResults, own: OwnTruth, data: dict[str, Any] | None, shape: Shape
) -> RunTruth | None:
    """A run's truth at another map size from its masks; None where they are not the files that it was counted on."""
    reading = run.config.reading if own.is_kept else None
    try:
        if own.is_kept and own.truth is not None:
            hashes, paths = mask_hashes(data), dict(zip(run.table.sample_id, run.table.mask_path, strict=True))
            if any(hashes.get(name) != hash_file(Path(paths[name])) for name in own.truth.truths):
                return None
        found = file_truth(store, run.config, tested_samples(run.table), shape, reading).read_all()
    except ImageReadError:
        return None
    if own.truth is None or not all(
        name in found.truths and same_truth(found.truths[name], drawn) for name, drawn in own.truth.truths.items()
    ):
        return None
    return found


def _now(store: RunStore, comparison: Comparison, data: Sequence[dict[str, Any] | None]) -> CommonTruth:
    """The masks as they are now, of images that are still those that were scored."""
    category = category_now(store, comparison)
    if category is None:
        return CommonTruth(_NOW_WORDS, reason="Not compared: the folder of the images is gone, and the masks with it.")
    newest = _newest(comparison)
    scored = {entry["id"]: entry["sha256"] for entry in (data[newest] or {"samples": []})["samples"]}
    samples = {sample.id: sample for sample in category.of("test")}
    ids = list(comparison.ids_of(newest)[comparison.labels])
    try:
        n_changed = sum(name not in samples or hash_file(samples[name].path) != scored.get(name) for name in ids)
        if n_changed:
            reason = (
                f"Not compared: {n_changed} of {len(ids)} defective images are gone or have changed since they were"
                " scored, so masks as they are now may belong to other pictures."
            )
            return CommonTruth(_NOW_WORDS, reason=reason)
        rule = LAYOUTS[category.layout].mask_rule
        read = {
            shape: FileTruth([samples[name] for name in ids], lambda: category.reading, shape, rule).read_all()
            for shape in {run.shape for run in comparison.runs}
        }
    except ImageReadError as error:
        return CommonTruth(_NOW_WORDS, reason=f"Not compared: {error.message}")
    truths = [_called_as_in(comparison, read[run.shape], newest, k) for k, run in enumerate(comparison.runs)]
    return CommonTruth(_NOW_WORDS, tuple(truths))


def category_now(store: RunStore, comparison: Comparison) -> Category | None:
    """The images of the newest run's category as they are listed and read now; None where that fails."""
    config = comparison.runs[_newest(comparison)].config
    try:
        said = reading_of(store, Path(config.root), config.category)
        return scan_category(Path(config.root), config.category, config.reading if said.is_as_found else said)
    except WTFlowError:
        return None


def _newest(comparison: Comparison) -> int:
    return max(range(len(comparison.runs)), key=lambda k: comparison.runs[k].config.created)


def _words(members: Sequence[int]) -> str:
    letters = [LETTERS[k] for k in members]
    listed = letters[0] if len(letters) == 1 else f"{', '.join(letters[:-1])} and {letters[-1]}"
    return f"the masks of {listed}"
