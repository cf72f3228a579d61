"""The truth of test images from their masks as they are now: for runs that hold no truth of their own."""

import functools
from collections.abc import Sequence
from pathlib import Path

from wtflow.datasets.masks.read import decide_masks, read_truth, read_truths
from wtflow.datasets.scan import layout_of_training
from wtflow.records.core import Sample
from wtflow.records.masks import MaskDecision
from wtflow.records.reading import Reading
from wtflow.records.shapes import Shape
from wtflow.records.truth import MISSING, LeftOut, RunTruth, Truth, normal_truth
from wtflow.store.layout import RunConfig
from wtflow.store.readings import reading_of
from wtflow.store.runs import RunStore


class FileTruth:
    """Reads a mask when it is asked for; how masks are read is decided once, over all of them."""

    def __init__(
        self, samples: Sequence[Sample], reading: Reading, shape: tuple[int, int], layout_rule: str = "auto"
    ) -> None:
        self.shape = shape
        self._samples = {sample.id: sample for sample in samples}
        self._reading, self._layout_rule = reading, layout_rule

    @functools.cached_property
    def decision(self) -> MaskDecision:
        """How the masks are read. The first call opens all of them."""
        return decide_masks(list(self._samples.values()), self._reading, self._layout_rule)

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
        return read_truths(
            list(self._samples.values()),
            self.decision,
            self.shape,
            as_stored=self._reading.masks_as_stored,
            progress=lambda *_: None,
        )

    def _find(self, sample_id: str) -> Truth | LeftOut:
        sample = self._samples.get(sample_id)
        if sample is None:
            return MISSING
        return read_truth(sample, self.decision, self.shape, as_stored=self._reading.masks_as_stored)


def file_truth(
    store: RunStore, config: RunConfig, samples: Sequence[Sample], shape: Shape, reading: Reading | None = None
) -> FileTruth:
    """The truth of a run's test images by their masks as they are now, at any map size. reading: how masks are read,
    by default as the run says, else as was said about its data set. Raises StoreError where that cannot be read.
    """
    reading = reading or said_reading(store, config)
    train = [entry["id"] for entry in (store.data(config.run_id) or {"samples": []})["samples"]]
    layout = next(filter(None, map(layout_of_training, train)), None)
    return FileTruth(samples, reading, shape, "auto" if layout is None else layout.mask_rule)


def said_reading(store: RunStore, config: RunConfig) -> Reading:
    """How masks of a run are read: as the run says, else as was said about its data set, where it lies now or lay when
    the run was made. Raises StoreError where that cannot be read.
    """
    reading = config.reading
    for root in (config.root, store.place(config.run_id).recorded):
        if reading.is_as_found:
            reading = reading_of(store, Path(root), config.category)
    return reading
