"""The images of a run: read, hashed, split into training, held-out and test, as plain records."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from wtflow.datasets.decode import is_opaque, read_bytes
from wtflow.datasets.images import hash_file
from wtflow.datasets.scan import scan_category
from wtflow.datasets.tiles import canvas_of, usual_shape
from wtflow.errors import DatasetError, ImageReadError
from wtflow.records.core import Sample
from wtflow.records.shapes import Shape
from wtflow.store.layout import RunConfig

FEWEST_TO_HOLD_OUT = 10
"""With fewer training normals none is held out: a quantile of one or two images places no threshold."""


@dataclass(frozen=True, slots=True)
class RunData:
    """Training normals, test images and their content hashes.
    `held_out` are rows of `train` that training never sees.
    """

    train: tuple[Sample, ...]
    test: tuple[Sample, ...]
    train_hashes: tuple[str, ...]
    test_hashes: tuple[str, ...]
    held_out: tuple[int, ...]
    canvas: Shape | None = None
    """What images are resized to where they are cut into tiles, in pixels; None: the square of the settings."""
    with_alpha: frozenset[str] = frozenset()
    """Ids of the images whose files have alpha: a background may show through them."""
    mask_hashes: tuple[str, ...] = ()
    """Of `test`, empty for an image without a mask that can be read; () where a run did not record them."""

    @property
    def fit_rows(self) -> np.ndarray:
        """Rows of `train` that the flow learns from."""
        return np.setdiff1d(np.arange(len(self.train)), self.held_out)

    def are_opaque(self, samples: Iterable[Sample]) -> bool:
        """True if none of these images has alpha."""
        return self.with_alpha.isdisjoint(sample.id for sample in samples)

    @property
    def fingerprint(self) -> str:
        """One hash over ids, labels and contents of all images."""
        digest = hashlib.sha256()
        for sample, content in zip(self.train + self.test, self.train_hashes + self.test_hashes, strict=True):
            digest.update(f"{sample.id}\0{sample.split}\0{sample.defect}\0{content}\n".encode())
        return digest.hexdigest()

    def to_json(self) -> dict[str, Any]:
        masks = dict(zip((sample.id for sample in self.test), self.mask_hashes, strict=False))
        rows = [
            {
                "id": s.id,
                "path": str(s.path),
                "split": s.split,
                "defect": s.defect,
                "mask": str(s.mask_path or ""),
                "sha256": content,
            }
            | ({"alpha": True} if s.id in self.with_alpha else {})
            | ({"mask_sha256": mask} if (mask := masks.get(s.id)) else {})
            for s, content in zip(self.train + self.test, self.train_hashes + self.test_hashes, strict=True)
        ]
        return {
            "fingerprint": self.fingerprint,
            "held_out": [self.train[row].id for row in self.held_out],
            "samples": rows,
        } | ({} if self.canvas is None else {"canvas": list(self.canvas)})


class Entry(TypedDict):
    """One image as data.json lists it."""

    id: str
    path: str
    split: Literal["train", "test"]
    defect: str
    mask: str
    """Empty without a mask."""
    sha256: str
    alpha: NotRequired[bool]
    """True if the file has alpha; absent without, and in runs before 0.4.0, which left alpha out."""
    mask_sha256: NotRequired[str]
    """Absent without a mask that can be read, and in runs made before 0.4.0."""


def sample_of_entry(entry: Entry) -> Sample:
    """The image of an entry of data.json."""
    mask_path = Path(entry["mask"]) if entry["mask"] else None
    return Sample(entry["id"], Path(entry["path"]), entry["split"], entry["defect"], mask_path)


def data_from_json(values: dict[str, Any]) -> RunData:
    """The images as `RunData.to_json` listed them; none is read."""
    parts: dict[str, list[tuple[Sample, str]]] = {"train": [], "test": []}
    for entry in values["samples"]:
        parts[entry["split"]].append((sample_of_entry(entry), entry["sha256"]))
    (train, train_hashes), (test, test_hashes) = (
        tuple(zip(*parts[split], strict=True)) or ((), ()) for split in ("train", "test")
    )
    held_out = set(values["held_out"])
    mask_hashes = [entry.get("mask_sha256", "") for entry in values["samples"] if entry["split"] == "test"]
    return RunData(
        train,
        test,
        train_hashes,
        test_hashes,
        tuple(row for row, sample in enumerate(train) if sample.id in held_out),
        tuple(values["canvas"]) if values.get("canvas") else None,
        frozenset(entry["id"] for entry in values["samples"] if entry.get("alpha")),
        tuple(mask_hashes) if any(mask_hashes) else (),
    )


def read_data(config: RunConfig, progress: Callable[[int, int], None]) -> RunData:
    """Scan the category and hash every image and mask. Raises DatasetError when there is too little to train on,
    or when tiles do not fit into the images.
    """
    category = scan_category(Path(config.root), config.category, config.reading)
    train, test = category.of("train"), category.of("test")
    if len(train) < 2:
        raise DatasetError(
            f"{config.category} has {len(train)} training normal{'s' * (len(train) != 1)}; at least 2 are needed.",
            fix="Add normal images to train/good.",
        )
    hashes: list[str] = []
    with_alpha: set[str] = set()
    for i, sample in enumerate(train + test):
        content = read_bytes(sample.path, str(sample.path))  # once for both: a network drive is slow
        hashes.append(hashlib.sha256(content).hexdigest())
        if not is_opaque(content, str(sample.path)):
            with_alpha.add(sample.id)
        progress(i + 1, len(train) + len(test))
    settings = config.settings
    n_held_out = round(settings.holdout_fraction * len(train)) if len(train) >= FEWEST_TO_HOLD_OUT else 0
    held_out = np.sort(np.random.default_rng(settings.seed).permutation(len(train))[:n_held_out])
    return RunData(
        train,
        test,
        tuple(hashes[: len(train)]),
        tuple(hashes[len(train) :]),
        tuple(int(row) for row in held_out),
        with_alpha=frozenset(with_alpha),
        canvas=None if settings.tile == "off" else canvas_of(usual_shape(sample.path for sample in train), settings),
        mask_hashes=tuple(_hash_mask(sample) for sample in test),
    )


def _hash_mask(sample: Sample) -> str:
    """Empty without a mask that can be read: pixel metrics leave the image out then, and `check` says why."""
    try:
        return hash_file(sample.mask_path) if sample.mask_path else ""
    except ImageReadError:
        return ""
