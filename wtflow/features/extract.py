"""Get or compute the features of images: once per contents, backbone and settings, streamed to the cache."""

import itertools
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch

from wtflow.config import Settings, limits
from wtflow.datasets.images import load_recorded
from wtflow.datasets.run_images import RunData
from wtflow.errors import DiskFullError
from wtflow.features.backbone import Backbone, load_backbone
from wtflow.features.weight_sources import source_label
from wtflow.machine.cores import threads_for
from wtflow.machine.prefetch import n_helpers, prepared_ahead
from wtflow.machine.progress import Counted, Progress, say
from wtflow.records.core import Sample
from wtflow.records.shapes import Shape, at_once, shape_of
from wtflow.store.features import FeatureCache, feature_key
from wtflow.store.runs import RunStore

BATCH = 8
"""Images per forward pass on a GPU: small enough to stop within a second."""
PORTION = 4
"""Images per forward pass of one core of a CPU. Measured on two: 2 or 8 take a tenth longer, and sharing 8 images
between the cores a fifth.
"""


def get_features(
    backbone: Backbone,
    samples: Sequence[Sample],
    hashes: Sequence[str],
    cache: FeatureCache,
    progress: Progress,
    *,
    is_opaque: bool = False,
    canvas: Shape | None = None,
) -> str:
    """The cache key of the features of `samples`, in their order; computed if absent.

    is_opaque: none of them has alpha, so that features serve whatever the background; False where that is not known.
    canvas: what they are resized to where they are cut into tiles. `progress(done, total)` is called after each batch
    and may raise to stop; nothing half-written remains. Raises ImageReadError for an image that cannot be read,
    ImageChangedError for one whose contents no longer match its hash, DiskFullError when the features do not fit.
    """
    device = backbone.device.type
    key = feature_key(
        list(hashes), backbone.settings, backbone.weights_hash, device, is_opaque=is_opaque, canvas=canvas
    )
    if not cache.has(key):
        n = len(samples)
        waiting = Counted(0, "Another run computes the same features: waiting for them.")
        with cache.one_at_a_time(key, lambda: progress(waiting, n)):
            if not cache.has(key):  # else whoever held the right before has computed them
                _compute(backbone, samples, hashes, cache, key, progress, canvas)
                return key
    cache.open(key)
    progress(len(samples), len(samples))
    return key


def _compute(
    backbone: Backbone,
    samples: Sequence[Sample],
    hashes: Sequence[str],
    cache: FeatureCache,
    key: str,
    progress: Progress,
    canvas: Shape | None,
) -> None:
    shape, background = shape_of(canvas or backbone.settings.image_size), backbone.settings.background
    n = at_once(PORTION if backbone.device.type == "cpu" else BATCH, backbone.settings.image_size, shape)
    starts = range(0, len(samples), n)

    def read(start: int) -> np.ndarray:
        batch = slice(start, start + n)
        found = zip(samples[batch], hashes[batch], strict=True)
        return np.stack([load_recorded(sample.path, content, shape, background) for sample, content in found])

    with closing(_computed(backbone, read, starts, threads_for(canvas))) as grids:
        first = next(grids)  # its shape is known only once the network has run
        with cache.writer(key, (len(samples), *first.shape[1:])) as writer:
            for start, grid in zip(starts, itertools.chain([first], grids), strict=True):
                writer.append(grid)
                progress(start + len(grid), len(samples))


def _computed(
    backbone: Backbone, read: Callable[[int], np.ndarray], starts: range, n_threads: int
) -> Generator[np.ndarray, None, None]:
    """The features of `read(start)` for each start in order: a GPU computes while helpers read ahead, each of
    n_threads cores of a CPU does both for its portion.
    """
    if backbone.device.type == "cpu":
        yield from prepared_ahead(
            lambda start: backbone.compute(read(start)), starts, n_threads if n_threads > 1 else 0
        )
        return
    with closing(prepared_ahead(read, starts, n_helpers())) as batches:
        yield from map(backbone.compute, batches)


@dataclass(frozen=True, slots=True)
class FeatureKeys:
    """Where the features of a run are in the cache; `test` is None without test images. `computed`:
    they were not there before.
    """

    train: str
    test: str | None
    computed: bool
    weights_hash: str


def compute_features(
    store: RunStore, data: RunData, settings: Settings, device: torch.device, progress: Progress
) -> FeatureKeys:
    """Features of training and test images, from the cache where it has them."""
    backbone = load_backbone(settings).to(device)
    say(f"features: {source_label(settings)}; {backbone.channels} channels; weights {backbone.weights_hash[:12]}")
    return features_of(backbone, data, FeatureCache(store.home), progress)


def features_of(backbone: Backbone, data: RunData, cache: FeatureCache, progress: Progress) -> FeatureKeys:
    """Features of training and test images from a loaded backbone. Raises as `get_features`, and DiskFullError when
    both do not fit together.
    """
    n_train, n_all = len(data.train), len(data.train) + len(data.test)
    if data.canvas is not None:
        _refuse_too_many_tiles(backbone, data.canvas, n_all, cache.limit_bytes)
    n_before = cache.n_written

    def key_of(samples: Sequence[Sample], hashes: Sequence[str], n_done: int) -> str:
        return get_features(
            backbone,
            samples,
            hashes,
            cache,
            lambda done, _: progress(_further(done, n_done), n_all),
            is_opaque=data.are_opaque(samples),
            canvas=data.canvas,
        )

    train = key_of(data.train, data.train_hashes, 0)
    test = key_of(data.test, data.test_hashes, n_train) if data.test else None
    if not cache.has(train):
        raise DiskFullError(
            "The features of training and test images together do not fit into the cache of"
            f" {cache.limit_bytes / 1e9:.1f} GB.",
            fix="Raise WTFLOW_CACHE_GB, or choose a smaller image size, larger tiles, fewer or coarser stages.",
        )
    return FeatureKeys(train, test, cache.n_written > n_before, backbone.weights_hash)


def _further(done: int, n_before: int) -> int:
    return Counted(n_before + done, done.words) if isinstance(done, Counted) else n_before + done


def _refuse_too_many_tiles(backbone: Backbone, canvas: Shape, n_images: int, limit_bytes: int) -> None:
    """Raise DiskFullError, before anything is computed, when the features of all images exceed the cache."""
    settings = backbone.settings
    one = backbone.compute(np.zeros((1, settings.image_size, settings.image_size, 3), np.float32))
    times = canvas[0] * canvas[1] / settings.image_size**2
    n_bytes = one.nbytes * times * n_images
    if n_bytes <= limit_bytes:
        return
    shrink = 1.02 * math.sqrt(n_bytes / limit_bytes)  # a little more, because sides are rounded to whole cells
    smaller = int(settings.image_size / shrink / settings.coarsest_cell) * settings.coarsest_cell
    ways = [f"tiles of {math.ceil(settings.tile * shrink)} px"] if isinstance(settings.tile, int) else []
    ways += [f"an image size of {smaller} px"] if smaller >= (limits("image_size")[0] or 0) else []
    raise DiskFullError(
        f"{n_images} images of {canvas[1]} x {canvas[0]} px, cut into tiles, have {n_bytes / 1e9:.1f} GB of features;"
        f" the cache may hold {limit_bytes / 1e9:.1f} GB.",
        fix=f"Choose {' or '.join(ways)}, or raise WTFLOW_CACHE_GB." if ways else "Raise WTFLOW_CACHE_GB.",
    )
