"""The truth of test images from their masks as they are now: for runs that hold no truth of their own."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wtflow.datasets.masks.read import decide_masks, read_truth, read_truths
from wtflow.datasets.run_images import sample_of_entry
from wtflow.datasets.scan import layout_of_training
from wtflow.datasets.stamps import stamp_files
from wtflow.records.core import Sample
from wtflow.records.masks import MaskDecision
from wtflow.records.reading import Reading
from wtflow.records.shapes import Shape
from wtflow.records.truth import MISSING, LeftOut, RunTruth, Truth, normal_truth
from wtflow.store.layout import RunConfig
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore

LOOK_AGAIN_S = 5.0
"""So long a look at the disk counts: whether masks were written again, or a person said something else of them."""


class FileTruth:
    """Reads a mask when it is asked for. How masks are read is decided over all of them, and again once one of them was
    written again or a person said something else.
    """

    def __init__(
        self, samples: Sequence[Sample], said: Callable[[], Reading], shape: Shape, layout_rule: str = "auto"
    ) -> None:
        """said: how a person said that the masks are to be read, now."""
        self.shape = shape
        self._samples = {sample.id: sample for sample in samples}
        self._said, self._layout_rule = said, layout_rule
        self._known: tuple[str, Reading, MaskDecision] | None = None
        self._look_again_at = 0.0

    @property
    def decision(self) -> MaskDecision:
        """How the masks are read. The first call opens all of them."""
        return self._read_by()[1]

    @property
    def stamp(self) -> str:
        """As `stamp_masks`, of the masks as they are read now. The first call opens all of them."""
        self._read_by()
        return "" if self._known is None else self._known[0]

    def of(self, sample_id: str, *, is_defective: bool) -> Truth | None:
        """As `RunTruth.of`. Raises ImageReadError where the image itself cannot be read."""
        if not is_defective:
            return normal_truth(self.shape)
        found = self._find(sample_id)
        return None if isinstance(found, LeftOut) else found

    def why(self, sample_id: str) -> LeftOut:
        """As `RunTruth.why`. Raises ImageReadError where the image itself cannot be read."""
        found = self._find(sample_id)
        return found if isinstance(found, LeftOut) else MISSING

    def read_all(self) -> RunTruth:
        """The truth of all images. Raises ImageReadError where a defective image itself cannot be read."""
        reading, decision = self._read_by(is_fresh=True)
        samples = list(self._samples.values())
        return read_truths(samples, decision, self.shape, as_stored=reading.masks_as_stored, progress=lambda *_: None)

    def _find(self, sample_id: str) -> Truth | LeftOut:
        sample = self._samples.get(sample_id)
        if sample is None:
            return MISSING
        reading, decision = self._read_by()
        return read_truth(sample, decision, self.shape, as_stored=reading.masks_as_stored)

    def _read_by(self, *, is_fresh: bool = False) -> tuple[Reading, MaskDecision]:
        """What a person said, and how the masks are read. is_fresh: as the disk is now, not some seconds ago."""
        if is_fresh or self._known is None or time.monotonic() >= self._look_again_at:
            reading, samples = self._said(), list(self._samples.values())
            stamp = stamp_masks(samples, reading)
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, reading, decide_masks(samples, reading, self._layout_rule)
            self._look_again_at = time.monotonic() + LOOK_AGAIN_S
        return self._known[1:]


def stamp_masks(samples: Iterable[Sample], reading: Reading) -> str:
    """Differs when a defective image or its mask was written again, or masks are read otherwise; the same in every
    process. Opens no file.
    """
    paths = [path for one in samples if one.is_defective for path in (one.path, one.mask_path) if path is not None]
    stamps = sorted((str(path), stamp) for path, stamp in stamp_files(paths).items())
    return hashlib.sha256(repr((reading.words, stamps)).encode()).hexdigest()[:16]


def stamp_run_masks(store: RunStore, run_id: str) -> str:
    """`stamp_masks` of a run's test images."""
    config = store.config(run_id)
    entries = (store.data(run_id) or {"samples": []})["samples"]
    test = [sample_of_entry(entry) for entry in entries if entry["split"] == "test"]
    return stamp_masks(test, said_reading(store, config))


def file_truth(
    store: RunStore, config: RunConfig, samples: Sequence[Sample], shape: Shape, reading: Reading | None = None
) -> FileTruth:
    """The truth of a run's test images by their masks as they are now, at any map size. reading: how masks are read,
    by default as the run says, else as is said about its data set.
    """
    train = [entry["id"] for entry in (store.data(config.run_id) or {"samples": []})["samples"]]
    layout = next(filter(None, map(layout_of_training, train)), None)
    said = (lambda: said_reading(store, config)) if reading is None else (lambda: reading)
    return FileTruth(samples, said, shape, "auto" if layout is None else layout.mask_rule)


def said_reading(store: RunStore, config: RunConfig) -> Reading:
    """How masks of a run are read: as the run says, else as was said about its data set, where it lies now or lay when
    the run was made. Raises StoreError where that cannot be read.
    """
    reading = config.reading
    for root in (config.root, store.place(config.run_id).recorded):
        if reading.is_as_found:
            reading = reading_of(store, Path(root), config.category)
    return reading
