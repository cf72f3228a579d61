"""Training batches from a bank of drawn pictures:
random windows of them, recoloured, blended and cut into each other.
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from wtflow.pretraining.recipe import Recipe

_SMALLEST_WINDOW = 0.25
"""Side of the smallest window as a share of the picture: below it, a crop shows little more than enlarged pixels."""


def train_batch(bank: np.ndarray, recipe: Recipe, step: int) -> Tensor:
    """Batch number `step`, float32 (B, 3, S, S) in [0, 1].
    It depends on recipe and step only, so resuming needs no state.
    """
    rng = np.random.default_rng((recipe.seed, 1, step))
    rows = rng.integers(0, len(bank) - recipe.n_held_out, recipe.batch_size)
    batch = _as_tensor(np.stack([_window(rng, bank[row], recipe.crop_size(step)) for row in rows]))
    return _noisy(rng, _mixed(rng, _recoloured(rng, batch)))


def held_out_batches(bank: np.ndarray, recipe: Recipe) -> list[Tensor]:
    """The middles of the held-out pictures, as drawn, in batches like `train_batch`."""
    pictures = bank[len(bank) - recipe.n_held_out :]
    size = recipe.crop_sizes[-1]
    first = (recipe.picture_size - size) // 2
    window = slice(first, first + size)
    return list(_as_tensor(np.array(pictures[:, window, window])).split(recipe.batch_size))


def _as_tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)


def _window(rng: np.random.Generator, picture: np.ndarray, size: int) -> np.ndarray:
    """A part of a picture, its sides between a quarter of it and all of it, turned or mirrored,
    uint8 (size, size, 3).
    """
    side = len(picture)
    share, aspect = np.exp(rng.uniform(np.log(_SMALLEST_WINDOW), 0)), np.exp(rng.uniform(-0.25, 0.25))
    wide, high = min(side, share * side * aspect), min(side, share * side / aspect)
    left, top = rng.uniform(0, side - wide), rng.uniform(0, side - high)
    window = Image.fromarray(picture).resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + wide, top + high)
    )
    return np.rot90(np.asarray(window), int(rng.integers(4)))[:, :: rng.choice([-1, 1])]


def _recoloured(rng: np.random.Generator, batch: Tensor) -> Tensor:
    """Channels swapped, each brightened and stretched a little, gamma, grey, negative: any colour on any pattern."""
    n = len(batch)
    order = torch.from_numpy(np.argsort(rng.random((n, 3)), 1)) if rng.random() < 0.5 else torch.arange(3).expand(n, 3)
    batch = batch.gather(1, order.view(n, 3, 1, 1).expand_as(batch))
    draw = lambda low, high, width: torch.from_numpy(rng.uniform(low, high, (n, width, 1, 1)).astype(np.float32))  # noqa: E731
    is_ = lambda share: torch.from_numpy(rng.random((n, 1, 1, 1)) < share)  # noqa: E731
    batch = torch.where(is_(0.2), batch.mean(1, keepdim=True), batch)
    batch = torch.where(is_(0.15), 1 - batch, batch)
    gain, tint = draw(0.6, 1.4, 1), torch.where(is_(0.5), draw(0.85, 1.15, 3), 1.0)
    batch = (0.5 + (batch - 0.5) * gain * tint + draw(-0.15, 0.15, 1)).clamp(0, 1)
    return batch ** torch.exp(draw(-0.4, 0.4, 1))


def _mixed(rng: np.random.Generator, batch: Tensor) -> Tensor:
    """Some batches are blended with their own pictures in another order, some have a rectangle of another picture."""
    kind, other = rng.random(), batch.roll(1, 0)
    if kind < 0.2:
        share = torch.from_numpy(rng.uniform(0, 0.5, (len(batch), 1, 1, 1)).astype(np.float32))
        return batch + share * (other - batch)
    if kind < 0.5:
        size = batch.shape[-1]
        batch = batch.clone()
        for i in range(len(batch)):
            high, wide = rng.integers(size // 8, size * 3 // 4, 2)
            top, left = rng.integers(0, size - high), rng.integers(0, size - wide)
            batch[i, :, top : top + high, left : left + wide] = other[i, :, top : top + high, left : left + wide]
    return batch


def _noisy(rng: np.random.Generator, batch: Tensor) -> Tensor:
    """One batch in four is softened, one in four gets noise."""
    if rng.random() < 0.25:
        batch = nn.functional.avg_pool2d(nn.functional.pad(batch, (1, 1, 1, 1), mode="reflect"), 3, 1)
    if rng.random() < 0.25:
        strength = torch.from_numpy(rng.uniform(0, 0.06, (len(batch), 1, 1, 1)).astype(np.float32))
        batch = (batch + strength * torch.from_numpy(rng.standard_normal(batch.shape, dtype=np.float32))).clamp(0, 1)
    return batch.contiguous()
