"""How images look, to tell near-duplicates: features of the embedded backbone, pooled, and a small picture of the
details. Imports torch.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from wtflow.config import Background, settings_from
from wtflow.datasets.images import load_image
from wtflow.errors import ImageReadError
from wtflow.features.backbone import Backbone, load_backbone
from wtflow.machine.progress import one_thread

SIZE_PX = 128
"""Of the images that the backbone sees: layouts and surfaces count, not single scratches."""
DETAIL_PX = 64
BLUR_PX = 4.0
"""Of the details: what is smoother than this, such as light and shade, is taken away."""
BATCH = 8


def compute_appearance(
    paths: Sequence[Path], progress: Callable[[int, int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors float16 (N, 2 C), details float16 (N, DETAIL_PX, DETAIL_PX)): mean and spread of each channel over the
    grid, of length 1 together; and the grey picture without its smooth part, of variance 1. One that cannot be read any
    more is all zero, and like no other.
    """
    settings = settings_from("fast", {"image_size": SIZE_PX, "stages": (1, 2), "pool_window": 1})
    vectors, details = [], []
    with one_thread():
        backbone = load_backbone(settings)
        for start in range(0, len(paths), BATCH):
            images = [_load(path, settings.background) for path in paths[start : start + BATCH]]
            vectors.append(_pooled(backbone, np.stack(images)))
            details += [_details(image) for image in images]
            if progress is not None:
                progress(min(start + BATCH, len(paths)), len(paths))
    return np.concatenate(vectors).astype(np.float16), np.stack(details).astype(np.float16)


def _load(path: Path, background: Background) -> np.ndarray:
    try:
        return load_image(path, SIZE_PX, background)
    except ImageReadError:
        return np.zeros((SIZE_PX, SIZE_PX, 3), np.float32)


def _pooled(backbone: Backbone, images: np.ndarray) -> np.ndarray:
    grid = backbone.compute(images).astype(np.float32)
    cells = grid.reshape(len(grid), -1, grid.shape[-1])
    found = np.concatenate([cells.mean(1), cells.std(1)], axis=1)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def _details(image: np.ndarray) -> np.ndarray:
    side = SIZE_PX // DETAIL_PX
    grey = image.mean(2).reshape(DETAIL_PX, side, DETAIL_PX, side).mean((1, 3))
    found = grey - gaussian_filter(grey, BLUR_PX)
    spread = float(found.std())
    return found / spread if spread > 1e-4 else np.zeros_like(found)
