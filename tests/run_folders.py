"""Small real runs for tests: tiny images, a tiny backbone, a flow trained for a few steps, through the real worker
stages.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from wtflow.config import Settings, settings_from
from wtflow.store.runs import RunStore
from wtflow.studies.requests import Request

TINY = {
    "backbone": "resnet18",
    "weights": "untrained",
    "stages": (1, 2),
    "finest_grid": 0,
    "pool_window": 3,
    "pool_stride": 2,
    "image_size": 64,
    "width": 16,
    "depth": 1,
    "iterations": 12,
    "batch_size": 32,
    "group_size": 16,
    "steps": 2,
    "threads": 1,
    "max_positions": 2000,
    "niceness": 0,
    "edge_quantile": 0.0,
    "precision": "full",
    "prepare_pages": False,
    "umap_after": False,
}
"""Settings that train in about a second. Maps are neither levelled nor rounded, so that a map is half the mean
square of its endpoints.
"""


def tiny_settings(**changes) -> Settings:
    return settings_from("fast", TINY | changes)


def write_tiny_category(
    root: Path,
    name: str = "plate",
    n_train: int = 12,
    n_good: int = 4,
    n_bad: int = 4,
    shape: tuple[int, int] = (64, 64),
) -> Path:
    """An MVTec AD category of small images: grey noise, with a bright square where defective. Returns `root`.

    shape: height and width of an image.
    """
    generator = np.random.default_rng(5)

    def picture(defective: bool) -> tuple[Image.Image, Image.Image]:
        pixels = generator.normal(120, 12, (*shape, 1)).clip(0, 255).repeat(3, 2).astype(np.uint8)
        mask = np.zeros(shape, np.uint8)
        if defective:
            row, column = generator.integers(8, np.array(shape) - 20)
            mask[row : row + 12, column : column + 12] = 255
            pixels[mask > 0] = 250
        return Image.fromarray(pixels), Image.fromarray(mask)

    folders = {part: root / name / part for part in ("train/good", "test/good", "test/spot", "ground_truth/spot")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    for part, n in (("train/good", n_train), ("test/good", n_good)):
        for i in range(n):
            picture(False)[0].save(folders[part] / f"{i:03d}.png")
    for i in range(n_bad):
        image, mask = picture(True)
        image.save(folders["test/spot"] / f"{i:03d}.png")
        mask.save(folders["ground_truth/spot"] / f"{i:03d}_mask.png")
    return root


def train_here(store: RunStore, root: Path, category: str = "plate", **changes) -> str:
    """Train a tiny run to its end in this process, as the worker does. Returns its id."""
    from wtflow.jobs import trainings
    from wtflow.jobs.reporter import Reporter
    from wtflow.jobs.train_worker import run_stages

    run_id = store.create(root, category, tiny_settings(**changes))
    trainings.claim(store, run_id)
    run_stages(store, run_id, Reporter(store, run_id))
    return run_id


def train_answered(store: RunStore, root: Path, requests: Iterable[Request] | None = None, **changes) -> str:
    """The same, with the answers to these requests; None: to those that its pages open with. Returns its id."""
    from wtflow.jobs.first_visits import first_requests
    from wtflow.studies.compute import compute_answer

    run_id = train_here(store, root, **changes)
    for request in first_requests(store.config(run_id).settings) if requests is None else requests:
        compute_answer(store, run_id, request, lambda share: None)
    return run_id
