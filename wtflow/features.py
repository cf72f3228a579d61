"""Get or compute the features of images: once per contents, backbone and settings, streamed to the cache."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from wtflow.backbone import Backbone
from wtflow.datasets.images import hash_file, load_image
from wtflow.errors import DatasetError
from wtflow.records import Sample
from wtflow.store.features import FeatureCache, feature_key
from wtflow.training.prefetch import prepared

BATCH = 8
"""Images per forward pass: large enough to keep two cores busy, small enough to stop within a second."""


def get_features(
    backbone: Backbone,
    samples: Sequence[Sample],
    hashes: Sequence[str],
    cache: FeatureCache,
    progress: Callable[[int, int], None],
) -> str:
    """The cache key of the features of `samples`, in their order; computed if absent.

    `progress(done, total)` is called after each batch and may raise to stop; nothing half-written stays behind.
    Raises ImageReadError for an image that cannot be read, DatasetError for one whose contents are not those of its hash any more,
    DiskFullError when the features do not fit.
    """
    key = feature_key(list(hashes), backbone.settings, backbone.weights_hash, backbone.device.type)
    if cache.has(key):
        cache.open(key)
        progress(len(samples), len(samples))
        return key
    size = backbone.settings.image_size

    def read(start: int) -> np.ndarray:
        batch = slice(start, start + BATCH)
        for sample, content in zip(samples[batch], hashes[batch], strict=True):
            refuse_changed(sample.path, content)
        return np.stack([load_image(sample.path, size) for sample in samples[batch]])

    starts = range(0, len(samples), BATCH)
    with closing(prepared(read, starts, backbone.device, 1)) as batches:
        grids = map(backbone.compute, batches)
        first = next(grids)  # only the network knows the shape of its features
        with cache.writer(key, (len(samples), *first.shape[1:])) as writer:
            for start, grid in zip(starts, itertools.chain([first], grids), strict=True):
                writer.append(grid)
                progress(start + len(grid), len(samples))
    return key


def refuse_changed(path: Path, content: str) -> None:
    """Raise DatasetError when a file does not hold the contents (SHA-256) that features are asked of: they would be another picture's."""
    if hash_file(path) != content:
        raise DatasetError(f"{path} has changed since the run read it.", fix="Put the old file back, or train again.")
