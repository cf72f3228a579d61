"""Figures of a CUDA device with the paper's backbone:
flow, training, a whole run, how busy the device is, memory, precision.
"""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from scipy.stats import spearmanr

from wtflow.bench import train
from wtflow.bench.figures import Figure, Spread, Target, interleaved
from wtflow.bench.flow import flow_figures
from wtflow.bench.workshop import CATEGORY, Workshop
from wtflow.config import Settings, settings_from
from wtflow.features.extract import BATCH
from wtflow.jobs import trainings
from wtflow.jobs.reporter import Reporter
from wtflow.jobs.train_worker import run_stages
from wtflow.scoring.detector import Detector, load_detector
from wtflow.scoring.maps import compute_map
from wtflow.store import layout
from wtflow.store.runs import RunStore
from wtflow.training.loop import total_steps

BACKBONE = "wide_resnet50_2"
N_IMAGES = 300
FLOW = {1: Target("value", "at most", 1.0), 4: None}
"""Euler steps -> target in ms per image. The paper reports 6.7 ms for one."""
WHOLE, BUSY, AGREE = (
    Target("value", "at most", 30.0),
    Target("value", "at least", 80.0),
    Target("value", "at least", 0.999),
)
WATCH_S, SAMPLE_EVERY_MS = 5.0, 100
"""How long training runs while the device is watched, and how often it is sampled."""


def gpu_settings() -> dict[str, Settings]:
    """Presets by name, with the paper's backbone and random weights: speed does not depend on them."""
    fast = settings_from("fast", {"backbone": BACKBONE, "stages": (2, 3), "weights": "pretrained"})
    return {
        preset: settings.changed({"weights": "untrained"})
        for preset, settings in (("fast", fast), ("paper", settings_from("paper")))
    }


def measure(shop: Workshop) -> list[Figure]:
    """All figures of both presets on the shop's device."""
    figures = []
    for preset, settings in gpu_settings().items():
        own = Workshop(shop.folder / f"gpu_{preset}", settings, replace(shop.sizes, images=N_IMAGES), shop.device)
        found = [figure for n in (1, 32) for figure in flow_figures(own, "gpu", n, FLOW)]
        found += [*train.measure(own), *watch_training(own), *whole_run(own)]
        figures += [replace(figure, part="gpu", name=f"{preset}: {figure.name}") for figure in found]
    return figures


def whole_run(shop: Workshop) -> list[Figure]:
    """A run from files to metrics against its networks alone, the device's memory, and how much
    bf16 changes the scores.
    """
    n_images, n_steps = len(shop.data.train) + len(shop.data.test), total_steps(shop.settings, len(shop.data.fit_rows))
    seconds = interleaved(
        {"backbone": shop.bare_backbone(BATCH), "network": train.bare_steps(shop, 1)}, shop.sizes.repeats
    )
    floor = Spread.of(seconds["backbone"]).median * n_images / BATCH + Spread.of(seconds["network"]).median * n_steps

    store = RunStore(shop.folder / "whole")  # apart from the shop's own, whose features are cached
    run_id = store.create(shop.folder / "images", CATEGORY, shop.settings)
    trainings.claim(store, run_id)
    if shop.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(shop.device)
    with contextlib.redirect_stdout(sys.stderr):  # the worker's log; stdout is for the table
        run_stages(store, run_id, Reporter(store, run_id))
    took = Spread.of([sum(store.metrics(run_id)["seconds"].values())])
    what = f"whole run, {n_images} images, {n_steps} steps"
    figures = [
        Figure("gpu", what, "s", took, "its networks alone: each image and step once", Spread.of([floor]), WHOLE)
    ]
    if shop.device.type == "cuda":
        figures.append(
            Figure(
                "gpu",
                "memory of the device, whole run",
                "MiB",
                Spread.of([torch.cuda.max_memory_allocated(shop.device) / 2**20]),
            )
        )
    detector = load_detector(store.folder(run_id) / layout.CHECKPOINT, shop.settings, shop.device)
    agreement = Spread.of([bf16_agreement(detector, shop)])
    return [*figures, Figure("gpu", "scores of positions, bf16 against fp32", "Spearman", agreement, target=AGREE)]


def bf16_agreement(detector: Detector, shop: Workshop) -> float:
    """Rank correlation (Spearman) over all positions of a batch of images between scores of a flow
    run in bf16 and in fp32.
    """
    x, velocity = detector.start(shop.features), detector.velocity.eval()
    maps = []
    for is_half in (True, False):
        with torch.autocast(shop.device.type, torch.bfloat16, enabled=is_half):
            maps.append(compute_map(velocity, x, detector.settings, detector.settings.seed))
    return float(spearmanr(maps[0].ravel(), maps[1].ravel()).statistic)


def watch_training(shop: Workshop) -> list[Figure]:
    """Share of the time in which the device computed while training; empty where nvidia-smi does not report it."""
    trainer, _, batches = shop.training

    def train_on() -> None:
        end = time.monotonic() + WATCH_S
        while time.monotonic() < end:
            trainer.total_steps = trainer.step + shop.sizes.steps
            trainer.run(batches, lambda step, loss: None)

    samples = busy_percent(train_on, shop.device)
    return (
        [Figure("gpu", "device busy while training, as nvidia-smi counts", "%", Spread.of(samples), target=BUSY)]
        if samples
        else []
    )


def busy_percent(task: Callable[[], None], device: torch.device) -> list[float]:
    """Percent of each sampling period in which the device computed while `task` ran; empty without nvidia-smi or
    where it does not report it.
    """
    if device.type != "cuda":
        task()
        return []
    query = [
        "nvidia-smi",
        f"--id=GPU-{torch.cuda.get_device_properties(device).uuid}",
        "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits",
    ]
    try:
        watcher = subprocess.Popen(
            [*query, f"--loop-ms={SAMPLE_EVERY_MS}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        watcher = None
    try:
        task()
    finally:
        output = ""
        if watcher is not None:
            watcher.terminate()
            output = watcher.communicate()[0]
    return read_percents(output)


def read_percents(text: str) -> list[float]:
    """The numbers that nvidia-smi wrote, one per line. Lines such as [N/A] are left out, and so is the first, which
    covers the time before.
    """
    return [float(line) for line in text.splitlines() if re.fullmatch(r"\s*\d+\s*", line)][1:]
