"""The stage of a run that trains the flow: from the last checkpoint if there is one, saved as it goes."""

import math
import time
from pathlib import Path

import torch

from wtflow.config import Settings
from wtflow.datasets.run_images import RunData
from wtflow.errors import DamagedRunError
from wtflow.features.extract import FeatureKeys
from wtflow.flow.velocity import build_velocity
from wtflow.machine.progress import Progress, StopRequestedError, say
from wtflow.scoring.detector import Detector, load_detector, load_tensors, read_metadata, save_checkpoint
from wtflow.scoring.normalise import Normaliser, fit_normaliser
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.training.loop import Trainer, learning_rate, total_steps
from wtflow.training.pool import draw_positions, image_batches, normalise_positions, position_batches

N_LOGGED = 200
"""Points of the loss curve."""


def train_flow(
    store: RunStore,
    run_id: str,
    keys: FeatureKeys,
    data: RunData,
    settings: Settings,
    device: torch.device,
    path: Path,
    progress: Progress,
) -> int:
    """Train to the end, from the checkpoint `path` if there is one, and write it. Returns the steps taken now."""
    trainer, normaliser, batches = prepare_training(FeatureCache(store.home), keys.train, data, settings, device, path)
    detector = Detector(settings, normaliser, trainer.velocity)
    first, total = trainer.step, trainer.total_steps
    say(
        f"flow: {sum(p.numel() for p in trainer.velocity.parameters()) / 1e6:.2f} M parameters, {normaliser.channels}"
        f" channels, step {first} of {total}"
    )
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
            progress(step, total)
        except StopRequestedError:
            save()
            raise
        if time.monotonic() - last_saved > settings.checkpoint_every_s:
            save()

    trainer.run(batches, on_step)
    if trainer.step > first or not path.is_file():
        # Finished: the optimiser is no longer needed.
        save_checkpoint(path, detector, trainer.step, {}, data.fingerprint)
    return trainer.step - first


def prepare_training(
    cache: FeatureCache, key: str, data: RunData, settings: Settings, device: torch.device, checkpoint: Path
):
    """Trainer, normaliser and batches; taken from the checkpoint where there is one, so that
    resuming changes nothing.
    """
    rows = data.fit_rows
    positions = draw_positions(cache, key, rows, settings.max_positions, settings.seed)
    metadata = read_metadata(checkpoint) if checkpoint.is_file() else None
    if metadata is not None:
        if metadata.get("data") != data.fingerprint:
            raise DamagedRunError("The checkpoint belongs to other images.", fix="Start a new run.")
        loaded = load_detector(checkpoint, settings, torch.device("cpu"))
        normaliser, velocity = loaded.normaliser, loaded.velocity
    else:
        normaliser = fit_normaliser(
            settings.normalise, positions, settings.whiten_power, settings.max_channels, len(settings.sizes)
        )
        velocity = build_velocity(settings, normaliser.channels)
    if settings.network == "mlp":
        pool = normalise_positions(positions, normaliser)
        del positions  # overwritten, or no longer needed
        batches = position_batches(pool, settings)
    else:
        batches = image_batches(cache, key, rows, normaliser, settings)
    trainer = Trainer(velocity, settings, total_steps(settings, len(rows)), device)
    if metadata is not None:
        tensors = {
            key.removeprefix("optimiser."): value for key, value in load_tensors(checkpoint, ("optimiser.",)).items()
        }
        trainer.restore(int(metadata["step"]), tensors)
    return trainer, _on(normaliser, device), batches


def _on(normaliser: Normaliser, device: torch.device) -> Normaliser:
    """A copy on the device; batches go on using the one on the CPU."""
    copy = Normaliser(normaliser.kind, normaliser.mean.clone(), normaliser.matrix.clone(), normaliser.n_sizes)
    return copy.to(device).eval()
