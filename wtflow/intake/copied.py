"""A data set of our own from the images of a run whose folder is somebody else's: copied, with the labels, sides, names
and masks that the run used. The folder is only read.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wtflow.datasets.decode import read_bytes
from wtflow.datasets.masks.read import decide_masks, mask_rule_of, read_drawn
from wtflow.datasets.run_images import data_from_json
from wtflow.errors import DatasetError, ImageReadError
from wtflow.intake.masks import encode_mask, keep_masks
from wtflow.intake.taking import Arriving, Tally, take_all
from wtflow.intake.versions import publish
from wtflow.records.core import Sample
from wtflow.records.intake import DataSet, Labelled, Refused, Side, Version
from wtflow.records.masks import MaskDecision, decision_of
from wtflow.records.truth import LeftOut
from wtflow.store.dataset_names import check_type_name
from wtflow.store.datasets import change_set, create_set, delete_set, open_set, set_names
from wtflow.store.layout import RunConfig
from wtflow.store.runs import RunStore


def copy_of(store: RunStore, run_id: str) -> str | None:
    """The data set that is a copy of the folder that a run was trained on; None where there is none yet."""
    origin = origin_of(store.config(run_id))
    return next((name for name in set_names(store) if open_set(store, name).origin == origin), None)


def copy_images(
    store: RunStore, run_id: str, name: str, progress: Callable[[int, int], None] | None = None
) -> tuple[Version, tuple[Refused, ...]]:
    """Version 1 of a new set: the images of a run exactly as it used them; and what could not be copied. Raises
    DatasetError for a name that is taken, DiskFullError; then there is no such set.
    """
    config, values = store.config(run_id), store.data(run_id)
    if not values or not values["samples"]:
        raise DatasetError(f"Run {run_id} has no list of its images.", fix="Resume it, or train again.")
    data, hashes = data_from_json(values), {entry["id"]: entry["sha256"] for entry in values["samples"]}
    samples = [*data.train, *data.test]
    create_set(store, name, origin=origin_of(config))
    try:
        tally = Tally()
        came = _arriving(samples, hashes)
        take_all(store, name, came, len(samples), tally, f"from {Path(config.root, config.category)}", False, progress)
        sides = _name_and_place(store, name, samples, hashes)
        refused = [*tally.refused, *_copy_masks(store, name, run_id, config, samples, hashes, data.train)]
        refused += [Refused(source, "The same contents have another label.") for source, _ in tally.clashes]
        return publish(store, name, sides=sides), tuple(refused)
    except BaseException:
        delete_set(store, name)
        raise


def origin_of(config: RunConfig) -> str:
    """The folder of a run's category, as a set remembers where it was copied from."""
    return str(Path(config.root, config.category))


def _arriving(samples: list[Sample], hashes: Mapping[str, str]) -> Iterator[Arriving]:
    for sample in samples:
        labelled = Labelled("defect", check_type_name(sample.defect)) if sample.is_defective else Labelled("good")
        yield Arriving(sample.path.name, str(sample.path), labelled, _reader(sample, hashes[sample.id]), sample.path)


def _reader(sample: Sample, sha256: str) -> Callable[[], bytes]:
    """Reads an image, and refuses one that is not what the run saw."""

    def read() -> bytes:
        content = read_bytes(sample.path, sample.id)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ImageReadError(f"{sample.id} has changed since the run read it.", fix="Put the old file back.")
        return content

    return read


def _name_and_place(store: RunStore, name: str, samples: list[Sample], hashes: Mapping[str, str]) -> dict[str, Side]:
    """Let the images keep their names; id -> side. Of contents that lie twice in the folder the first counts."""
    first: dict[str, Sample] = {}
    for sample in samples:
        first.setdefault(hashes[sample.id], sample)

    def change(old: DataSet) -> DataSet:
        return replace(
            old,
            items={key: replace(item, kept_name=first[item.sha256].path.name) for key, item in old.items.items()},
        )

    data = change_set(store, name, change)
    return {item.id: "train" if first[item.sha256].split == "train" else "test" for item in data.items.values()}


def _copy_masks(
    store: RunStore,
    name: str,
    run_id: str,
    config: RunConfig,
    samples: list[Sample],
    hashes: Mapping[str, str],
    train: tuple[Sample, ...],
) -> list[Refused]:
    """Masks as the run read them, black and white."""
    decision = _decision(store, run_id, config, samples, train)
    data, masks, refused = open_set(store, name), {}, []
    ids = {item.sha256: item for item in data.items.values()}
    for sample in samples:
        item = ids.get(hashes[sample.id])
        if item is None or item.label != "defect" or sample.mask_path is None:
            continue
        try:
            masks[item.id] = _mask_png(sample, decision, config)
        except ImageReadError as error:
            refused.append(Refused(sample.id, f"Its mask was not copied: {error.message}"))
    if masks:
        keep_masks(store, name, masks, "Masks were copied as the run read them.")
    return refused


def mask_as_read(store: RunStore, run_id: str, image: str) -> bytes:
    """The mask of an image of a run as the run reads it: a black and white PNG at the size of the image; empty where it
    has none. Raises ImageReadError, which says why, for a mask that marks nothing or cannot be used.
    """
    config, data = store.config(run_id), data_from_json(store.data(run_id) or {"samples": [], "held_out": []})
    samples = [*data.train, *data.test]
    sample = next((one for one in samples if one.id == image), None)
    if sample is None or sample.mask_path is None:
        return b""
    return _mask_png(sample, _decision(store, run_id, config, samples, data.train), config)


def _mask_png(sample: Sample, decision: MaskDecision, config: RunConfig) -> bytes:
    """Raises ImageReadError where there is none that can be used."""
    drawn = read_drawn(sample, decision, as_stored=config.reading.masks_as_stored)
    if isinstance(drawn, LeftOut):
        raise ImageReadError(drawn.reason, fix="Draw it anew.")
    return encode_mask(np.asarray(drawn[0]))


def _decision(
    store: RunStore, run_id: str, config: RunConfig, samples: list[Sample], train: tuple[Sample, ...]
) -> MaskDecision:
    facts: dict[str, Any] = store.metrics(run_id) if store.has_results(run_id) else {}
    found = decision_of(facts)
    return found or decide_masks([s for s in samples if s.split == "test"], config.reading, mask_rule_of(train))
