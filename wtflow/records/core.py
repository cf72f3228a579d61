"""Results passed between layers: NumPy arrays and plain values, no tensors and no widgets."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from wtflow.records.masks import MaskDecision, RegionSizes
from wtflow.records.pixel_images import PixelImages
from wtflow.records.reading import Reading

Split = Literal["train", "test", "tried"]
Severity = Literal["error", "warning", "info"]

GOOD = "good"

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
"""Endings of image files, in lower case: what is listed in a folder, taken as an upload and kept under its own
ending."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a category. `id` is its path below the category, with forward slashes."""

    id: str
    path: Path
    split: Split
    defect: str
    mask_path: Path | None = None

    @property
    def is_defective(self) -> bool:
        return self.defect != GOOD


@dataclass(frozen=True, slots=True)
class Clash:
    """Images and masks whose names do not tell which belongs to which, as paths below the category. None is paired."""

    images: tuple[str, ...]
    masks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Category:
    """One product: its training normals and its test images, in the order of their ids."""

    root: Path
    name: str
    layout: str
    samples: tuple[Sample, ...]
    reading: Reading = Reading()
    """As which it was read."""
    clashes: tuple[Clash, ...] = ()
    good_masks: tuple[Path, ...] = ()
    """Masks of normal test images: not read for any figure, but a mark in one is a contradiction."""

    def of(self, split: Split) -> tuple[Sample, ...]:
        return tuple(s for s in self.samples if s.split == split)

    @property
    def defects(self) -> tuple[str, ...]:
        """Defect types present in the test images, without `good`, sorted."""
        return tuple(sorted({s.defect for s in self.samples if s.is_defective}))


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to read a data set that a finding offers. words: for a button; reading: what to keep then."""

    words: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check noticed, with what to do. `paths` are relative to the category."""

    severity: Severity
    code: str
    message: str
    fix: str
    paths: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What a category contains and what is wrong with it. Training is refused while `errors` is not empty."""

    category: str
    layout: str
    counts: dict[str, dict[str, int]]
    """split -> defect type -> number of images."""
    sizes: dict[str, int]
    """"width x height" -> number of images."""
    modes: dict[str, int]
    """Colour mode and bit depth ("RGB 8 bit") -> number of images."""
    n_bytes: int
    findings: tuple[Finding, ...]
    reading: Reading = Reading()
    masks: MaskDecision | None = None
    """What the values in its masks are taken for."""
    regions: RegionSizes | None = None
    """Of the masks that are read; None without a region."""
    pixel_images: PixelImages = PixelImages(0, 0)
    """Of how many test images pixel metrics will be."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of a metric, thinned for drawing. `thresholds[i]` gives the point (`x[i]`, `y[i]`)."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts at one threshold; an image is called defective when its score >= threshold."""

    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def precision(self) -> float | None:
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float | None:
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def f1(self) -> float | None:
        found = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / found if found else None


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Where a run stands. `state` is as written; reconciling may turn it into `lost`."""

    state: Literal["queued", "running", "stopping", "finished", "stopped", "failed", "lost"]
    stage: str = ""
    step: int = 0
    total: int = 0
    percent: float = 0.0
    seconds_left: float | None = None
    pid: int | None = None
    pid_created: float | None = None
    """Start of the process (see `machine.started`), so that no other with the same number is taken for it."""
    host: str = ""
    """Name of the computer that the process is on; empty in what earlier versions wrote: this one."""
    sweep: str = ""
    """The sweep whose coordinator starts the run and looks after it; empty: the store's own queue does."""
    heartbeat: float = 0.0
    """Seconds since the epoch, UTC."""
    message: str = ""
    fix: str = ""

    @property
    def is_active(self) -> bool:
        return self.state in ("queued", "running", "stopping")


def finished_status(n_images: int, message: str) -> RunStatus:
    """The status of a run that finishes now, with this many images scored."""
    return RunStatus(
        state="finished",
        stage="metrics",
        step=n_images,
        total=n_images,
        percent=100.0,
        seconds_left=0.0,
        heartbeat=time.time(),
        message=message,
    )


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line in the list of runs. A damaged run has `problem` set and may lack the rest."""

    run_id: str
    status: RunStatus | None = None
    root: str = ""
    category: str = ""
    created: float = 0.0
    label: str = ""
    """Backbone, weights and coupling in a few words."""
    is_untrained: bool = False
    is_embedded: bool = False
    seed: int | None = None
    """None in a damaged run; so are the steps of its solver."""
    steps: int | None = None
    name: str = ""
    """What people call the run; empty where nobody named it, and where its notes are damaged; so are tags, star and the
    mark of archived runs.
    """
    tags: tuple[str, ...] = ()
    star: bool = False
    archived: bool = False
    is_rescored: bool = False
    """Its scores come from the training of another run, scored again with other settings."""
    seconds: float | None = None
    """What making a finished run took, all stages together; None where it was not measured."""
    metrics: dict[str, float | None] = field(default_factory=dict)
    pixel_images: PixelImages | None = None
    """Of how many images the pixel metrics are; None before a run is finished."""
    problem: str = ""
    lack: str = ""
    """A sentence on a file of a finished run that is missing or damaged. With `problem` empty the results can be
    opened all the same, and what needs that file says so."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One position of one image along the path: what the score of a pixel is made of."""

    sample_id: str
    grid_row: int
    grid_column: int
    t: np.ndarray
    """(S,) saved times from 0 to 1."""
    norm: np.ndarray
    """(S,) Euclidean norm of the position's feature."""
    score: np.ndarray
    """(S,) half the mean square of its channels at each time, divided by the edge factor;
    the last one is the endpoint score.
    """
    map_score: float
    """The run's own score at this position, as its map shows it."""
    n_channels: int
    speed: np.ndarray
    """(S,) norm of the velocity at each time."""
    channels: tuple[tuple[int, float, float], ...]
    """The strongest channels of the endpoint, largest first: number, value, share of the endpoint score."""
    edge_factor: float = 1.0
    """What scores are divided by here, because normals score higher near the edge of the image."""
