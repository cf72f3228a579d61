"""A finished run opened to move features: its detector and the normalised features of any of its images.
Imports torch.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Settings
from wtflow.datasets.run_images import Entry, sample_of_entry
from wtflow.detector.networks import backbone_of, features_of, open_detector
from wtflow.errors import DamagedRunError, RunNotFoundError
from wtflow.features.extract import get_features
from wtflow.records.shapes import at_once
from wtflow.results import RunResults, open_results
from wtflow.scoring.detector import Detector
from wtflow.store.features import FeatureCache, feature_key
from wtflow.store.runs import RunStore

BATCH = 8
"""Images per forward pass where features have to be computed."""


@dataclass(frozen=True, slots=True)
class RunFlow:
    """Opened by `open_flow`."""

    store: RunStore
    results: RunResults
    detector: Detector
    entries: tuple[Entry, ...]
    """Images as data.json lists them."""
    held_out: frozenset[str]

    @property
    def settings(self) -> Settings:
        return self.results.settings

    @property
    def n_channels(self) -> int:
        return self.detector.normaliser.channels

    def grids(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """(row, float16 (H, W, C)) backbone features of images by their row in the score table, in the order given.

        Raises ImageReadError, ImageChangedError or WeightsError where features have to be computed and the images
        are gone, or they or the weights have changed since training.
        """
        ids = self.results.table.set_index("row").loc[np.asarray(rows, int), "sample_id"]
        yield from zip((int(row) for row in ids.index), self._features(list(ids)), strict=True)

    def training_ids(self) -> list[str]:
        """The images that the flow learned from."""
        return [entry["id"] for entry in self._of("train") if entry["id"] not in self.held_out]

    def training_grids(self, ids: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        """(id, float16 (H, W, C)) backbone features of training images, in the order given. Raises as `grids` does."""
        yield from zip(ids, self._features(list(ids)), strict=True)

    def start_at(self, grid: np.ndarray, grid_row: np.ndarray, grid_column: np.ndarray) -> Tensor:
        """Normalised features at t=0 of n positions of one image's backbone features (H, W, C): float32 (n, K)."""
        if self.settings.normalise == "layernorm":  # it looks at the whole grid
            return self.detector.start(grid[None])[
                0, torch.from_numpy(grid_row).long(), torch.from_numpy(grid_column).long()
            ]
        return self.detector.start(grid[grid_row, grid_column])

    def cache_test_features(self, progress: Callable[[int, int], None]) -> None:
        """Compute the features of all test images unless they are in the cache:
        for work that goes over them several times.

        `progress(done, total)` may raise to stop. Raises as `grids` does, and DiskFullError.
        """
        entries = self._of("test")
        if not entries or self._cached("test") is not None:
            return
        samples = [sample_of_entry(entry) for entry in entries]
        backbone = backbone_of(self.store, self.results.run_id)
        hashes, cache = [entry["sha256"] for entry in entries], FeatureCache(self.store.home)
        facts = {"is_opaque": _are_opaque(entries), "canvas": self.results.canvas}
        get_features(backbone, samples, hashes, cache, progress, **facts)

    def _features(self, ids: list[str]) -> Iterator[np.ndarray]:
        """From the cache that training filled, else computed here, for these images only."""
        known = {entry["id"]: entry for entry in self.entries}
        if missing := [sample_id for sample_id in ids if sample_id not in known]:
            raise DamagedRunError(
                f"data.json of {self.results.run_id} lacks the image {missing[0]}.",
                fix="Delete the run, or restore the file.",
            )
        files = {split: self._cached(split) for split in ("train", "test")}
        places = {entry["id"]: i for split in files for i, entry in enumerate(self._of(split))}
        waiting: list[Entry] = []
        n_most = at_once(BATCH, self.settings.image_size, self.results.shape)
        for sample_id in ids:
            entry = known[sample_id]
            if (file := files[entry["split"]]) is None:
                waiting.append(entry)
            if waiting and (file is not None or len(waiting) == n_most):
                yield from self._compute(waiting)
                waiting = []
            if file is not None:
                yield np.array(file[places[sample_id]])  # a copy: torch wants arrays that it may write to
        if waiting:
            yield from self._compute(waiting)

    def _compute(self, entries: list[Entry]) -> np.ndarray:
        shape = self.results.shape
        images = [self.results.seen.original(entry["id"], shape) for entry in entries]
        if len(images) == 1:
            return features_of(self.store, self.results.run_id, images[0])
        return backbone_of(self.store, self.results.run_id).compute(np.stack(images))

    def _cached(self, split: str) -> np.ndarray | None:
        """The feature file of a whole split, memory-mapped, if it is still there."""
        entries, weights = self._of(split), self.results.metrics.get("weights_hash")
        if not entries or weights is None:
            return None
        hashes, device = [entry["sha256"] for entry in entries], self.detector.device.type
        facts = {"is_opaque": _are_opaque(entries), "canvas": self.results.canvas}
        key = feature_key(hashes, self.settings, weights, device, **facts)
        cache = FeatureCache(self.store.home)
        grids = cache.open(key) if cache.has(key) else None
        return grids if grids is not None and len(grids) == len(entries) else None

    def _of(self, split: str) -> list[Entry]:
        return [entry for entry in self.entries if entry["split"] == split]


def _are_opaque(entries: list[Entry]) -> bool:
    return not any(entry.get("alpha") for entry in entries)


def open_flow(store: RunStore, run_id: str) -> RunFlow:
    """Open a finished run. Raises RunNotFoundError before it has finished, DamagedRunError without an intact
    checkpoint or list of images.
    """
    results, data = open_results(store, run_id), store.data(run_id)
    if data is None:
        raise RunNotFoundError(
            f"Run {run_id} has no list of its images.", fix="Resume the run, or train the category again."
        )
    return RunFlow(store, results, open_detector(store, run_id), tuple(data["samples"]), frozenset(data["held_out"]))
