"""A category of drawn images: smooth grey texture with noise, and a bright spot in defective ones. Quick, in any
number, all different.
"""

from pathlib import Path

import numpy as np
from PIL import Image

COARSE = 8
"""The texture is noise at one pixel in this many, enlarged."""


def draw_category(root: Path, name: str, n_train: int, n_good: int, n_bad: int, size_px: int, seed: int = 0) -> None:
    """Write a category in the MVTec AD layout: RGB PNG images of size_px, masks for the defective ones."""
    generator = np.random.default_rng(seed)
    folder = root / name
    for part, n, is_bad in (("train/good", n_train, False), ("test/good", n_good, False), ("test/spot", n_bad, True)):
        (folder / part).mkdir(parents=True)
        for i in range(n):
            pixels, mask = _draw(generator, size_px, is_bad)
            Image.fromarray(pixels).save(folder / part / f"{i:05d}.png", compress_level=1)
            if is_bad:
                truth = folder / "ground_truth" / "spot" / f"{i:05d}_mask.png"
                truth.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(truth, compress_level=1)


def _draw(generator: np.random.Generator, size_px: int, is_bad: bool) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 (S, S, 3) and mask uint8 (S, S)."""
    coarse = generator.integers(60, 180, (size_px // COARSE, size_px // COARSE, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((size_px, size_px), Image.Resampling.BILINEAR))
    pixels = smooth + generator.integers(0, 16, smooth.shape, dtype=np.uint8)
    mask = np.zeros((size_px, size_px), np.uint8)
    if is_bad:
        side = size_px // 8
        row, column = generator.integers(0, size_px - side, 2)
        mask[row : row + side, column : column + side] = 255
        pixels[mask > 0] = 245
    return pixels, mask
