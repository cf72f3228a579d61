"""The detector as a function, for programs: images in, findings out. Imports torch.

from wtflow import load_detector

detector = load_detector("screw.wtf")
found = detector("new/part_17.png")
if found.is_defective:
    print(found.score, *found.reasons)
"""

import os
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from PIL import Image

from wtflow.config import Settings
from wtflow.datasets.images import to_rgb
from wtflow.detector.file import open_file
from wtflow.detector.parts import SUFFIX
from wtflow.detector.reasons import reasons_of
from wtflow.detector.record import OpenedDetector
from wtflow.detector.score import pixel_maps, score_images
from wtflow.detector.taken import as_decoded
from wtflow.errors import FlowError, RunNotFoundError
from wtflow.machine.cores import threads_for
from wtflow.machine.prefetch import prepared_ahead
from wtflow.records.decision import Decision
from wtflow.records.shapes import at_once

ImageLike = str | os.PathLike[str] | Image.Image | np.ndarray
"""A file's path; a Pillow image; or an array (H, W) or (H, W, 3), RGB: uint8, uint16, or floats from 0 to 1."""

PORTION = 4
"""Images that go through the network together on one core."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector says of one image."""

    score: float
    """Higher is worse; comparable between images of one detector."""
    verdict: Literal["normal", "defective"]
    is_defective: bool
    """The score is at or above the threshold."""
    map: np.ndarray
    """float32 (H, W): the score of every pixel, at the size that the detector works at."""
    reasons: tuple[str, ...]
    """Where the score comes from, in sentences."""
    name: str
    """The file's name; empty for an image that was not given by its path."""


class LoadedDetector:
    """A detector to call with images. It never changes: `with_threshold` gives another one."""

    def __init__(self, opened: OpenedDetector) -> None:
        self._opened = opened

    @property
    def name(self) -> str:
        """What people call it."""
        return self._opened.name

    @property
    def threshold(self) -> float:
        """An image is called defective from this score on."""
        return self._opened.threshold.value

    @property
    def rule(self) -> str:
        """How the threshold was found, in a sentence."""
        return self._opened.threshold.words

    @property
    def settings(self) -> Settings:
        """How it was trained and scores."""
        return self._opened.settings

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) that images are resized to; maps have it, too."""
        return self._opened.shape

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of its training: category, numbers of images, metrics, versions, licence of the weights."""
        return dict(self._opened.facts)

    @property
    def normal_scores(self) -> np.ndarray:
        """Scores of normal images that it did not learn from, float64 (N,)."""
        return self._opened.normal_scores.copy()

    def with_threshold(self, threshold: float) -> "LoadedDetector":
        """The same detector with another threshold. Raises FlowError for one that is not finite."""
        if not np.isfinite(threshold):
            raise FlowError(f"A threshold of {threshold} is not a number.", fix="Give one such as 1.25.")
        decided = Decision(float(threshold), "by_hand", "Set by a program.", time.time())
        return LoadedDetector(self._opened.with_threshold(decided))

    @overload
    def __call__(self, images: ImageLike) -> Finding: ...

    @overload
    def __call__(self, images: Iterable[ImageLike]) -> Iterator[Finding]: ...

    def __call__(self, images: ImageLike | Iterable[ImageLike]) -> Finding | Iterator[Finding]:
        """The finding for one image; for a list or an iterator of them an iterator of findings in the same order.

        Any number of images is taken, since only a few are held at a time: the iterator reads some ahead. Raises
        ImageReadError for an image that cannot be read, FlowError for an array of another kind.
        """
        if isinstance(images, str | os.PathLike | Image.Image | np.ndarray):
            return self._find([images])[0]
        return self._stream(iter(images))

    def _stream(self, images: Iterator[ImageLike]) -> Generator[Finding, None, None]:
        opened = self._opened
        n = at_once(PORTION, opened.settings.image_size, opened.shape)
        is_cpu = opened.detector.device.type == "cpu"
        n_threads = threads_for(opened.shape) if is_cpu else 1
        portions = iter(lambda: list(islice(images, n)), [])
        with closing(prepared_ahead(self._find, portions, n_threads if n_threads > 1 else 0)) as found:
            for findings in found:
                yield from findings

    def _find(self, images: list[ImageLike]) -> list[Finding]:
        opened, names, taken = self._opened, [], []
        for image in images:
            decoded, name = as_decoded(image, opened.settings.background)
            taken.append(to_rgb(decoded, opened.shape))
            names.append(name)
        found = score_images(opened, np.stack(taken))
        maps = pixel_maps(opened, found)
        return [self._finding(*one) for one in zip(found.scores, found.whole, maps, names, strict=True)]

    def _finding(self, score: float, whole: float, pixels: np.ndarray, name: str) -> Finding:
        is_defective = bool(score >= self.threshold)
        reasons = reasons_of(float(score), float(whole), pixels, self.settings.top_fraction, self.threshold)
        return Finding(float(score), "defective" if is_defective else "normal", is_defective, pixels, reasons, name)


def load_detector(source: str | os.PathLike[str], home: str | os.PathLike[str] | None = None) -> LoadedDetector:
    """The detector of a .wtf file, of a run's folder, or of a run's id.

    source: a path, or the id of a run below `home` (default: WTFLOW_HOME, else ./runs). A file needs no run, no other
    file and no network; a run needs the app's own packages (`pip install "wtflow-studio[app]"`).
    Raises DetectorFileError, RunNotFoundError, DamagedRunError, WeightsError.
    """
    text = os.fspath(source)
    if Path(text).suffix == SUFFIX:
        return LoadedDetector(open_file(Path(text).expanduser()))
    try:
        from wtflow.detector.opened import open_any
        from wtflow.store.runs import RunStore
    except ImportError as error:
        raise RunNotFoundError(
            f"{text[:120]!r} is no {SUFFIX} file, and runs cannot be opened here: {error.name} is not installed.",
            fix='Give a .wtf file, or install the app: pip install "wtflow-studio[app]".',
        ) from error
    return LoadedDetector(open_any(RunStore(None if home is None else Path(home)), text))
