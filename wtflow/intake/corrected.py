"""Corrections applied: the next version of a data set made here, or a first copy of somebody else's folder and the
version after it. The folder of images is only read.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from wtflow.datasets.decode import read_bytes
from wtflow.errors import DatasetError
from wtflow.intake.copied import copy_images, copy_of
from wtflow.intake.corrections import corrections_of, mask_of_correction, remove_applied
from wtflow.intake.masks import keep_masks
from wtflow.intake.sorting import labelled_words, set_labels
from wtflow.intake.taking import Arriving, Tally, take_all
from wtflow.intake.versions import publish
from wtflow.numbers import count
from wtflow.records.intake import Applied, Correction, Refused
from wtflow.store.dataset_names import spelt_alike
from wtflow.store.dataset_versions import own_set
from wtflow.store.datasets import open_set, set_names
from wtflow.store.runs import RunStore


def apply_corrections(store: RunStore, run_id: str, progress: Callable[[int, int], None] | None = None) -> Applied:
    """The next version of the data set that a run was trained on, with all that was said in it. A folder that is not
    ours is copied first; the copy is called as the category is, so that runs on it compare with this one.

    Images of the newest version stay on their side of the split, unless they are defective now. Raises DatasetError
    where nothing was said or nothing changes, DiskFullError.
    """
    said = corrections_of(store, run_id)
    if not said:
        raise DatasetError(
            "Nothing was corrected yet.", fix="Say of an image that it is good after all, a defect, or to be left out."
        )
    config, problems, is_copied = store.config(run_id), [], False
    name = own_set(store, config.root) or copy_of(store, run_id)
    if name is None:
        name = _free_name(config.category, set_names(store))
        _, refused = copy_images(store, run_id, name, progress)
        problems, is_copied = list(refused), True
    done = _apply(store, run_id, name, said, problems)
    version = publish(store, name, is_correcting=True, progress=progress)
    remove_applied(store, run_id, tuple(done))
    return Applied(version, len(done), is_copied, tuple(problems))


def correction_words(correction: Correction) -> str:
    """What was said, in a line."""
    what = {"good": "good after all", "out": "left out"}.get(correction.kind, f"a defect: {correction.defect}")
    return f"{correction.image}: {what}{', with a mask' if correction.mask else ''}"


def preview_words(store: RunStore, run_id: str) -> str:
    """What applying would do, in a sentence."""
    said = corrections_of(store, run_id)
    name = own_set(store, store.config(run_id).root) or copy_of(store, run_id)
    target = f"the next version of {name}" if name else "a data set of its own, copied from the folder of this run"
    kinds = [labelled_words(one.labelled) for one in said]
    parts = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in dict.fromkeys(kinds))
    return f"{count(len(said), 'correction')} ({parts}) would make {target}. The images themselves stay as they are."


def _apply(
    store: RunStore, run_id: str, name: str, said: Sequence[Correction], problems: list[Refused]
) -> list[Correction]:
    """The corrections that could be made; why others could not is added to `problems`."""
    done = []
    for one in said:
        if one.id not in open_set(store, name).items:
            if one.kind == "out":
                done.append(one)  # it is in no version anyway
                continue
            if not _add(store, name, one, problems):
                continue
        done.append(one)
    labels = {one.id: one.labelled for one in done if one.id in open_set(store, name).items}
    if labels:
        set_labels(store, name, labels)
    masks = {}
    for one in done:
        path = mask_of_correction(store, run_id, one)
        if path is not None and one.id in labels:
            masks[one.id] = read_bytes(path, f"The mask of {one.image}")
    if masks:
        keep_masks(store, name, masks, "Masks were drawn as corrections.")
    return done


def _add(store: RunStore, name: str, one: Correction, problems: list[Refused]) -> bool:
    """Whether the image of a correction is in the set now."""

    def read() -> bytes:
        return read_bytes(Path(one.path), one.image)

    tally = Tally()
    arriving = Arriving(Path(one.path).name, one.path, one.labelled, read)
    take_all(store, name, [arriving], 1, tally, f"as a correction of {one.run_id}", False, None)
    problems += [replace(refused, name=one.image) for refused in tally.refused]
    return one.id in open_set(store, name).items


def _free_name(category: str, names: Sequence[str]) -> str:
    """The name of the copy: that of the category, or with a number where it is taken."""
    name, n = category, 1
    while spelt_alike(name, names):
        n += 1
        name = f"{category} {n}"
    return name
