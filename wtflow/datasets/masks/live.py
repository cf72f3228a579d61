"""The truth of test images from their masks as they are now: for runs that hold no truth of their own."""

import functools
from collections.abc import Sequence

from wtflow.datasets.masks.read import decide_masks, read_truth, read_truths
from wtflow.records.core import Sample
from wtflow.records.masks import MaskDecision
from wtflow.records.reading import Reading
from wtflow.records.truth import MISSING, LeftOut, RunTruth, Truth, normal_truth


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
