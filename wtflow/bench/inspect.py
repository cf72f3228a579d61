"""New images inspected, against the bench's own extraction and scoring of the same files, and how memory grows."""

import json
import os
from itertools import count
from pathlib import Path

import numpy as np

from wtflow.bench.children import run_python
from wtflow.bench.drawn import draw_category
from wtflow.bench.figures import Figure, Spread, Target, interleaved, per_second
from wtflow.bench.scored_run import write_scored_run
from wtflow.bench.workshop import Workshop
from wtflow.detector.record import OpenedDetector
from wtflow.features.extract import get_features
from wtflow.inspecting import tasks
from wtflow.inspecting.work import inspect_here
from wtflow.records.decision import Decision
from wtflow.scoring.pixels import scores_of, upsample
from wtflow.scoring.rows import compute_maps
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore

CATEGORY = "inspected"
QUICK_ENOUGH = Target("ratio", "at least", 0.85)
FLAT = Target("ratio", "at most", 1.1)


def measure(shop: Workshop) -> list[Figure]:
    """Images a second with rows, maps, pictures and tables written; MiB at the peak in processes of their own."""
    return [_throughput(shop), *_memory(shop)]


def _throughput(shop: Workshop) -> Figure:
    samples, opened, settings = shop.data.train, opened_of(shop), shop.settings
    homes = (shop.folder / f"inspect_{i}" for i in count())

    def inspect() -> None:
        store = RunStore(next(homes))
        begun = tasks.create(store, str(shop.folder / "bench.wtf"), [sample.path for sample in samples])
        inspect_here(store, begun.inspection_id, opened=opened)

    def extract_and_score() -> None:
        cache = FeatureCache(next(homes))
        key = get_features(shop.backbone, samples, shop.data.train_hashes, cache, lambda done, total: None)
        found = compute_maps(opened.detector, cache, key, np.arange(len(samples)), lambda done, total: None)
        for i in range(len(samples)):
            large = upsample(found.after[i : i + 1], settings.image_size, settings.score)
            scores_of(large, found.whole[i : i + 1], settings.top_fraction)
        cache.clear()

    seconds = interleaved({"inspect": inspect, "bare": extract_and_score}, shop.sizes.repeats)
    return Figure(
        "inspect",
        f"inspect {settings.image_size} px files: rows, maps, pictures, tables",
        "images/s",
        per_second(seconds["inspect"], len(samples)),
        "features to the cache, maps and scores of the same files",
        per_second(seconds["bare"], len(samples)),
        QUICK_ENOUGH,
    )


def opened_of(shop: Workshop) -> OpenedDetector:
    """The workshop's detector as a file's or a run's is opened, with a threshold that is made up."""
    detector, settings = shop.training[1], shop.settings
    ids = tuple(sample.id for sample in shop.data.train)
    return OpenedDetector(
        name="bench",
        settings=settings,
        detector=detector,
        backbone=shop.backbone,
        shape=(settings.image_size, settings.image_size),
        threshold=Decision(1.0, "given", "Made up.", 0.0),
        normal_scores=np.empty(0),
        normal_looks=None,
        index=(ids, np.zeros((len(ids), detector.normaliser.channels), np.float32)),
        facts={"color_range": [0.0, 1.0]},
        fingerprint="bench",
    )


def _memory(shop: Workshop) -> list[Figure]:
    """One process for each number of images, which are copies of a few."""
    folder, counts = shop.folder / "inspect_memory", shop.sizes.inspected
    draw_category(folder / "images", CATEGORY, 12, 2, 2, shop.settings.image_size)
    store = RunStore(folder / "runs")
    run_id = write_scored_run(store, folder / "images", CATEGORY, shop.backbone, shop.training[1], seed=0)
    drawn = sorted((folder / "images").glob(f"{CATEGORY}/t*/*/*.png"))
    found = {}
    for n in counts:
        copies = folder / f"copies_{n}"
        copies.mkdir()
        for i in range(n):
            os.link(drawn[i % len(drawn)], copies / f"{i:06d}.png")
        found[n] = _in_a_child(store, run_id, copies)
    first = found[counts[0]]
    figures = [Figure("inspect", f"peak memory, {counts[0]:,} images", "MiB", Spread.of([first["peak_mib"]]))]
    for n in counts[1:]:
        value, floor = Spread.of([found[n]["peak_mib"]]), Spread.of([first["peak_mib"]])
        of = f"the same with {counts[0]:,} images"
        figures.append(Figure("inspect", f"peak memory, {n:,} images", "MiB", value, of, floor, FLAT))
    rates = (("inspect", f"{n:,} images with start and end", "images/s", Spread.of([found[n]["rate"]])) for n in counts)
    return [*figures, *(Figure(*one) for one in rates)]


def _in_a_child(store: RunStore, run_id: str, folder: Path) -> dict[str, float]:
    said = run_python(
        ["-W", "ignore", "-m", "wtflow.bench.inspect_child", run_id, str(folder)], {"WTFLOW_HOME": str(store.home)}
    )
    return json.loads(said.splitlines()[-1])
