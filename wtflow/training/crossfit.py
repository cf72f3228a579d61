"""Scores of training normals by detectors that did not learn from them. Imports torch.

The normals are parted at random. For each part a flow is trained on the others, and the part is scored with it; the
Gaussian of whole images is fitted without the part, too. What is left of a normal in its own score: one share in the
normaliser, in the edge factors and in the few numbers that bring whole images to the unit of the maps. Ours, after the
cross-validation+ of Barber et al. 2021.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from wtflow.config import Settings
from wtflow.datasets.run_images import RunData
from wtflow.features.extract import FeatureKeys
from wtflow.flow.velocity import build_velocity
from wtflow.machine.progress import Progress
from wtflow.records.normals import NormalScores
from wtflow.records.shapes import shape_of
from wtflow.scoring.detector import Detector, load_detector
from wtflow.scoring.normalise import Normaliser
from wtflow.scoring.pixels import scores_of, upsample
from wtflow.scoring.rows import compute_maps, describe_rows
from wtflow.scoring.whole import gaussian
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.training.loop import Trainer, total_steps
from wtflow.training.pool import (
    draw_positions,
    image_batches,
    normalise_positions,
    position_batches,
    rarities,
)

if TYPE_CHECKING:
    import pandas as pd

N_FOLDS = 5
FEWEST = 2 * N_FOLDS
"""Normals to part at all."""
FEWEST_TO_START = 49
"""With fewer, 2 of 100 false alarms cannot be promised (METHOD 8), so a training does not pay for it."""
SHORT_STEPS, SHORT_BATCH = 0.3, 4
"""A short training takes this share of the steps, with batches of one part in so many."""
SHARE_TRAINING = 0.8
"""Of the work of a part that goes into its training, for the bar."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The normals that the flow learned from, and the part of each."""

    rows: np.ndarray
    fold: np.ndarray


def cross_fit(
    detector: Detector,
    cache: FeatureCache,
    key: str,
    data: RunData,
    held_out: np.ndarray,
    progress: Progress,
) -> NormalScores | None:
    """Scores of all training normals; None with fewer than `FEWEST`.

    detector: the run's own, with edge factors and whole images. held_out: its scores of `data.held_out`, which it never
    saw and which therefore stay. Takes `N_FOLDS` trainings. `progress` may raise to stop.
    """
    parts = _part(data.fit_rows, detector.settings.seed)
    if parts is None:
        return None
    scores = np.empty(len(parts.rows))
    train = _trainer_of(detector, cache, key, parts)
    descriptions = None if detector.whole is None else describe_rows(detector, cache, key, parts.rows, progress)
    for k in range(N_FOLDS):
        own = parts.fold == k
        share = lambda done, total, k=k: progress(round(1000 * (k + done / total)), 1000 * N_FOLDS)  # noqa: E731
        velocity = train(k, lambda done, total, share=share: share(SHARE_TRAINING * done, total))
        whole = detector.whole
        if whole is not None and descriptions is not None:
            mean, whiten = gaussian(descriptions[~own])
            whole = replace(whole, mean=mean, whiten=whiten)
        judge = Detector(detector.settings, detector.normaliser, velocity, detector.edges, whole)
        scores[own] = _score(judge, cache, key, data, parts.rows[own])
        share(1, 1)
    fitted = [data.train[row].id for row in parts.rows]
    kept = [data.train[row].id for row in data.held_out]
    return NormalScores(
        (*fitted, *kept), np.concatenate([scores, held_out]), np.concatenate([parts.fold, np.full(len(kept), -1)])
    )


def score_normals(
    results: RunStore,
    run_id: str,
    keys: FeatureKeys,
    data: RunData,
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
    table: "pd.DataFrame",
    progress: Progress,
) -> NormalScores | None:
    """The same for a run that was just scored, as its settings ask for; None where they ask for none, or with too few
    normals for the threshold that a run starts with.
    """
    if settings.cross_fit == "off" or len(data.train) < FEWEST_TO_START:
        return None
    loaded = load_detector(checkpoint, settings, device)
    detector = loaded.scoring_as(settings, results.edges(run_id), results.whole(run_id))
    held_out = table.set_index("sample_id").score
    own = np.array([held_out[data.train[row].id] for row in data.held_out], np.float64)
    return cross_fit(detector, FeatureCache(results.home), keys.train, data, own, progress)


def fold_settings(settings: Settings) -> Settings:
    """How the flow of a part is trained: as the run's own, or shorter with smaller batches."""
    if settings.cross_fit != "short" or settings.network != "mlp":
        return settings
    batch = max(2 * settings.times_per_pair, settings.batch_size // SHORT_BATCH)
    return settings.changed(
        {
            "iterations": max(1, round(SHORT_STEPS * settings.iterations)),
            "batch_size": batch,
            "group_size": max(2, min(settings.group_size, batch // settings.times_per_pair)),
        }
    )


def _part(rows: np.ndarray, seed: int) -> _Parts | None:
    if len(rows) < FEWEST:
        return None
    return _Parts(rows, np.random.default_rng(seed).permutation(len(rows)) % N_FOLDS)


def _trainer_of(detector: Detector, cache: FeatureCache, key: str, parts: _Parts):
    """A function (part, progress) -> velocity field trained on the other parts as the run's own was."""
    settings, normaliser = fold_settings(detector.settings), detector.normaliser
    on_cpu = Normaliser(normaliser.kind, normaliser.mean.cpu(), normaliser.matrix.cpu(), normaliser.n_sizes)
    pool = owner = rarity = None
    if settings.network == "mlp":
        positions = draw_positions(cache, key, parts.rows, settings.max_positions, settings.seed)
        owner = np.repeat(parts.fold, len(positions) // len(parts.rows))
        pool = normalise_positions(positions, on_cpu)
        rarity = rarities(pool, len(settings.sizes)) if settings.rarity_power else None

    def train(k: int, progress: Progress):
        if pool is not None and owner is not None:
            batches = position_batches(pool, settings, torch.from_numpy(owner == k), rarity)
        else:
            batches = image_batches(cache, key, parts.rows[parts.fold != k], on_cpu, settings)
        velocity = build_velocity(settings, normaliser.channels)
        trainer = Trainer(velocity, settings, total_steps(settings, int((parts.fold != k).sum())), detector.device)
        trainer.run(batches, lambda step, _: progress(step, trainer.total_steps))
        return trainer.velocity.eval()

    return train


def _score(judge: Detector, cache: FeatureCache, key: str, data: RunData, rows: np.ndarray) -> np.ndarray:
    """Image scores of these rows of the feature file, float64 (B,)."""
    settings: Settings = judge.settings
    found = compute_maps(judge, cache, key, rows, lambda *_: None)
    shape = shape_of(data.canvas or settings.image_size)
    scores = np.empty(len(rows))
    for i in range(len(rows)):
        one = slice(i, i + 1)
        scores[one] = scores_of(
            upsample(found.after[one], shape, settings.score), found.whole[one], settings.top_fraction
        )
    return scores
