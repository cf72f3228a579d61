"""The material of the parts: drawn images, their features, an untrained flow.
Made on first use, in a temporary folder.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wtflow.bench.drawn import draw_category
from wtflow.bench.scored_run import write_scored_run
from wtflow.config import Settings, settings_from
from wtflow.datasets.images import load_image
from wtflow.datasets.run_images import RunData, read_data
from wtflow.features.backbone import Backbone, load_backbone
from wtflow.features.extract import BATCH, get_features
from wtflow.scoring.detector import Detector
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.training.loop import Trainer
from wtflow.training.pool import Batch
from wtflow.training.stages import prepare_training

CATEGORY, SHOWN_CATEGORY = "drawn", "scored"
TRAIN_SHARE = 4
"""Of the runs that pages show: one training normal for this many scored images."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    repeats: int
    """Of each thing and its floor."""
    images: int
    """Drawn for features, training and flow; a quarter of them is for testing, half of those defective."""
    steps: int
    """Training steps in each repeat."""
    points: int
    """Points that UMAP lays out, each at two times."""
    run_images: int
    """Scored images of the run that the pages show."""
    growth: tuple[int, ...]
    """Numbers of images between which memory should not grow, rising."""
    inspected: tuple[int, ...] = (20, 100)
    """The same for new images that are inspected."""
    listed: int = 200
    """Runs of the store that is listed and searched."""


@dataclass(frozen=True, slots=True)
class ShownRuns:
    """Finished runs of the same images, so that there is something to compare."""

    home: Path
    root: Path
    ids: tuple[str, ...]


FULL = Sizes(
    repeats=9,
    images=64,
    steps=20,
    points=1500,
    run_images=1000,
    growth=(250, 500, 1000, 2000),
    inspected=(100, 1000, 10_000),
    listed=10_000,
)
QUICK = Sizes(repeats=3, images=16, steps=4, points=200, run_images=100, growth=(20, 40))


def bench_settings(changes: Mapping[str, object]) -> Settings:
    """Preset fast for trained weights, but with random ones: the figures do not depend on the values of weights.
    Raises SettingsError.
    """
    trained = settings_from("fast", {"backbone": "resnet18", "image_size": 256, "weights": "pretrained"})
    return trained.changed({"weights": "untrained", **changes})


class Workshop:
    """Makes everything below `folder`."""

    def __init__(self, folder: Path, settings: Settings, sizes: Sizes, device: torch.device) -> None:
        self.folder, self.settings, self.sizes, self.device = folder, settings, sizes, device
        self.store = RunStore(folder / "runs")

    @functools.cached_property
    def run_id(self) -> str:
        """A new run of the drawn category."""
        n_test = max(2, self.sizes.images // 4)
        draw_category(
            self.folder / "images",
            CATEGORY,
            self.sizes.images - n_test,
            n_test - n_test // 2,
            n_test // 2,
            self.settings.image_size,
        )
        return self.store.create(self.folder / "images", CATEGORY, self.settings)

    @functools.cached_property
    def data(self) -> RunData:
        return read_data(self.store.config(self.run_id), lambda done, total: None)

    @functools.cached_property
    def backbone(self) -> Backbone:
        return load_backbone(self.settings).to(self.device)

    @functools.cached_property
    def cache(self) -> FeatureCache:
        return FeatureCache(self.store.home)

    @functools.cached_property
    def key(self) -> str:
        """Key of the features of the training images in the cache."""
        return get_features(
            self.backbone, self.data.train, self.data.train_hashes, self.cache, lambda done, total: None
        )

    @functools.cached_property
    def training(self) -> tuple[Trainer, Detector, Callable[[int], Batch]]:
        """Trainer, detector with the trainer's network, and batches by step."""
        absent = self.folder / "no_checkpoint"
        trainer, normaliser, batches = prepare_training(
            self.cache, self.key, self.data, self.settings, self.device, absent
        )
        return trainer, Detector(self.settings, normaliser, trainer.velocity), batches

    @functools.cached_property
    def shown_runs(self) -> ShownRuns:
        """Two runs of many images, made by hand, for pages to show."""
        home, root, n = self.folder / "pages", self.folder / "pages_images", self.sizes.run_images
        draw_category(root, SHOWN_CATEGORY, max(2, n // TRAIN_SHARE), n - n // 2, n // 2, self.settings.image_size)
        detector = self.training[1]
        made = (write_scored_run(RunStore(home), root, SHOWN_CATEGORY, self.backbone, detector, i) for i in (0, 1))
        return ShownRuns(home, root, tuple(made))

    @functools.cached_property
    def features(self) -> np.ndarray:
        """float16 (B, H, W, C) of a batch of training images."""
        return np.array(self.cache.open(self.key)[:BATCH])

    @functools.cached_property
    def images(self) -> np.ndarray:
        """float32 (B, S, S, 3) of the same images."""
        return np.stack(
            [
                load_image(sample.path, self.settings.image_size, self.settings.background)
                for sample in self.data.train[:BATCH]
            ]
        )

    def bare_backbone(self, n: int) -> Callable[[], None]:
        """A call that runs the network alone on n images in memory."""
        size = self.settings.image_size
        batch = torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(0)).to(self.device)
        batch = batch.contiguous(memory_format=torch.channels_last)
        is_cuda = self.device.type == "cuda"

        def run() -> None:
            with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=is_cuda):
                self.backbone.model(batch)
            self.wait()

        return run

    def wait(self) -> None:
        """Return when the device has finished its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def start(self, n: int) -> Tensor:
        """Normalised features of n images at t=0, (n, H, W, K) on the device; images repeat when there are fewer."""
        return self.training[1].start(self.features[np.arange(n) % len(self.features)])
