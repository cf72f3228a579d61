"""The stages of a run that compute: features, the flow, scores. The worker calls them in order."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from wtflow.config import Settings
from wtflow.datasets.run_images import RunData
from wtflow.errors import DamagedRunError, DiskFullError
from wtflow.features.backbone import Backbone, load_backbone, source_label
from wtflow.features.extract import get_features
from wtflow.flow.velocity import build_velocity
from wtflow.jobs.reporter import Reporter, StopRequestedError, say
from wtflow.records.core import Sample
from wtflow.scoring.detector import Detector, Maps, load_detector, load_tensors, read_facts, save_checkpoint
from wtflow.scoring.evaluate import compute_maps, no_maps
from wtflow.scoring.normalise import Normaliser, fit_normaliser
from wtflow.scoring.normals import measure_normals
from wtflow.store import layout
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.training.loop import Trainer, learning_rate, total_steps
from wtflow.training.pool import draw_positions, image_batches, normalise_positions, position_batches

Progress = Callable[[int, int], None]
N_LOGGED = 200
"""Points of the loss curve."""


@dataclass(frozen=True, slots=True)
class FeatureKeys:
    """Where the features of a run lie in the cache; `test` is None without test images. `computed`: not found there beforehand."""

    train: str
    test: str | None
    computed: bool
    weights_hash: str


def compute_features(store: RunStore, data: RunData, settings: Settings, device: torch.device, progress: Progress) -> FeatureKeys:
    """Features of training and test images, from the cache where it has them."""
    backbone = load_backbone(settings).to(device)
    say(f"features: {source_label(settings)}; {backbone.channels} channels; weights {backbone.weights_hash[:12]}")
    return features_of(backbone, data, FeatureCache(store.home), progress)


def features_of(backbone: Backbone, data: RunData, cache: FeatureCache, progress: Progress) -> FeatureKeys:
    """Features of training and test images by a backbone at hand. Raises as `get_features`, and DiskFullError when both do not fit together."""
    n_train, n_all = len(data.train), len(data.train) + len(data.test)
    before = cache.used_bytes()
    train = get_features(backbone, data.train, data.train_hashes, cache, lambda done, _: progress(done, n_all))
    test = None
    if data.test:
        test = get_features(backbone, data.test, data.test_hashes, cache, lambda done, _: progress(n_train + done, n_all))
    if not cache.has(train):
        raise DiskFullError(
            f"The features of training and test images together do not fit into the cache of {cache.limit_bytes / 1e9:.1f} GB.",
            fix="Raise WTFLOW_CACHE_GB, or choose a smaller image size, fewer stages or a coarser stage.",
        )
    return FeatureKeys(train, test, cache.used_bytes() != before, backbone.weights_hash)


def train_flow(store: RunStore, run_id: str, keys: FeatureKeys, data: RunData, settings: Settings, device: torch.device, reporter: Reporter) -> int:
    """Train to the end, from the last checkpoint if there is one. Returns the steps taken now."""
    path = store.folder(run_id) / layout.CHECKPOINT
    trainer, normaliser, batches = prepare_training(FeatureCache(store.home), keys.train, data, settings, device, path)
    detector = Detector(settings, normaliser, trainer.velocity)
    first, total = trainer.step, trainer.total_steps
    say(f"flow: {sum(p.numel() for p in trainer.velocity.parameters()) / 1e6:.2f} M parameters, {normaliser.channels} channels, step {first} of {total}")
    log_every, last_saved, losses = max(1, total // N_LOGGED), time.monotonic(), []

    def save() -> None:
        nonlocal last_saved
        save_checkpoint(path, detector, trainer.step, trainer.optimiser_tensors(), data.fingerprint)
        last_saved = time.monotonic()

    def on_step(step: int, loss: float) -> None:
        losses.append(loss)
        if step % log_every == 0 or step == total:
            store.append_step(run_id, step, math.fsum(losses) / len(losses), learning_rate(step - 1, total, settings))
            losses.clear()
        try:
            reporter.progress(step, total)
        except StopRequestedError:
            save()
            raise
        if time.monotonic() - last_saved > settings.checkpoint_every_s:
            save()

    trainer.run(batches, on_step)
    if trainer.step > first or not path.is_file():
        save_checkpoint(path, detector, trainer.step, {}, data.fingerprint)  # finished: the optimiser is of no more use
    return trainer.step - first


def score_images(
    store: RunStore, run_id: str, keys: FeatureKeys, data: RunData, settings: Settings, device: torch.device, checkpoint: Path, progress: Progress
) -> tuple[list[Sample], list[bool], Maps]:
    """What normals tell and maps, written to the run; what `summarise` takes."""
    cache = FeatureCache(store.home)
    detector = measure_normals(load_detector(checkpoint, settings, device), cache, keys.train, data, lambda *_: progress(0, 1))
    store.write_edges(run_id, detector.edges)
    store.write_whole(run_id, detector.whole)
    ids, vectors = mean_features(detector, cache, keys.train, data)
    store.write_index(run_id, ids, vectors)
    scored = score_all(detector, cache, keys, data, progress)
    store.write_maps(run_id, scored[2].after)
    return scored


def score_all(detector: Detector, cache: FeatureCache, keys: FeatureKeys, data: RunData, progress: Progress) -> tuple[list[Sample], list[bool], Maps]:
    """The test images and then the held-out normals: samples, which are held out, what the detector says of them."""
    n_test, n_all = len(data.test), len(data.test) + len(data.held_out)
    parts = []
    if keys.test is not None:
        parts.append(compute_maps(detector, cache, keys.test, np.arange(n_test), lambda done, _: progress(done, n_all)))
    if data.held_out:
        parts.append(compute_maps(detector, cache, keys.train, np.array(data.held_out), lambda done, _: progress(n_test + done, n_all)))
    found = Maps(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else no_maps()
    return [*data.test, *(data.train[row] for row in data.held_out)], [False] * n_test + [True] * len(data.held_out), found


def mean_features(detector: Detector, cache: FeatureCache, key: str, data: RunData) -> tuple[list[str], np.ndarray]:
    """One vector per training normal that the flow learned from: the mean of its normalised positions, (N, K) float32."""
    place = {int(row): i for i, row in enumerate(data.fit_rows)}
    # One array for all, filled in place: small arrays kept between the large ones of each batch would leave holes that the
    # next batch does not fit into, and memory would grow with every image (measured: 2.2 GB for 1,600 images).
    vectors = np.empty((len(place), detector.normaliser.channels), np.float32)
    for first, grids in cache.batches(key, 8):
        means = detector.start(grids).mean((1, 2)).cpu().numpy()
        for offset, vector in enumerate(means):
            if (at := place.get(first + offset)) is not None:
                vectors[at] = vector
    return [data.train[row].id for row in place], vectors


def prepare_training(cache: FeatureCache, key: str, data: RunData, settings: Settings, device: torch.device, checkpoint: Path):
    """Trainer, normaliser and batches; taken from the checkpoint where there is one, so that resuming changes nothing."""
    rows = data.fit_rows
    positions = draw_positions(cache, key, rows, settings.max_positions, settings.seed)
    resuming = checkpoint.is_file()
    if resuming:
        facts = read_facts(checkpoint)
        if facts.get("data") != data.fingerprint:
            raise DamagedRunError("The checkpoint belongs to other images.", fix="Start a new run.")
        loaded = load_detector(checkpoint, settings, torch.device("cpu"))
        normaliser, velocity = loaded.normaliser, loaded.velocity
    else:
        normaliser = fit_normaliser(settings.normalise, positions, settings.whiten_power, settings.max_channels)
        velocity = build_velocity(settings, normaliser.channels)
    if settings.network == "mlp":
        pool = normalise_positions(positions, normaliser)
        del positions  # overwritten, or of no more use
        batches = position_batches(pool, settings)
    else:
        batches = image_batches(cache, key, rows, normaliser, settings)
    trainer = Trainer(velocity, settings, total_steps(settings, len(rows)), device)
    if resuming:
        tensors = {key.removeprefix("optimiser."): value for key, value in load_tensors(checkpoint, ("optimiser.",)).items()}
        trainer.restore(int(facts["step"]), tensors)
    return trainer, _on(normaliser, device), batches


def _on(normaliser: Normaliser, device: torch.device) -> Normaliser:
    """A copy on the device; batches go on using the one on the CPU."""
    copy = Normaliser(normaliser.kind, normaliser.mean.clone(), normaliser.matrix.clone())
    return copy.to(device).eval()
