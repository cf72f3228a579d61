"""Training data of the flow: what each step draws, as a function of the seed and the step alone.

Because a batch depends on nothing else, a resumed run draws exactly what an uninterrupted one would have drawn.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Settings
from wtflow.flow.coupling import couple
from wtflow.scoring.normalise import Normaliser
from wtflow.store.features import FeatureCache

CHUNK = 4096
"""Positions worked on at a time."""

Batch = tuple[Tensor, Tensor, Tensor]
"""x_data, x_noise paired with it, t; the first two of one shape, channels last, t of shape (B,)."""


def draw_positions(cache: FeatureCache, key: str, rows: np.ndarray, max_positions: int, seed: int) -> np.ndarray:
    """Positions drawn evenly over the images `rows` of a feature file:
    float16 (N, C), all of them when they are few enough.
    """
    generator = np.random.default_rng(seed)
    rows_wanted = {int(row) for row in rows}
    drawn: np.ndarray | None = None  # filled in place: no second copy
    filled = 0
    for first, grids in cache.batches(key, 8):
        positions = grids.reshape(len(grids), -1, grids.shape[-1])
        n_each = min(positions.shape[1], max(1, max_positions // len(rows)))
        if drawn is None:
            drawn = np.empty((len(rows) * n_each, grids.shape[-1]), np.float16)
        for offset, image in enumerate(positions):
            if first + offset in rows_wanted:
                drawn[filled : filled + n_each] = image[np.sort(generator.permutation(len(image))[:n_each])]
                filled += n_each
    if drawn is None or filled != len(drawn):
        raise ValueError(f"the feature file has not all of the {len(rows)} rows")
    return drawn


def normalise_positions(positions: np.ndarray, normaliser: Normaliser, chunk: int = CHUNK) -> Tensor:
    """Positions at t=0 as the flow sees them, float16 (N, K), written in chunks: over `positions` (N, C) where it is
    float16 with K channels.
    """
    is_over = positions.dtype == np.float16 and positions.shape[1] == normaliser.channels
    out = (
        torch.from_numpy(positions)
        if is_over
        else torch.empty(len(positions), normaliser.channels, dtype=torch.float16)
    )
    with torch.no_grad():
        for i in range(0, len(positions), chunk):
            out[i : i + chunk] = normaliser(torch.from_numpy(positions[i : i + chunk]).float())
    return out


def squared_mahalanobis(pool: Tensor, chunk: int = CHUNK) -> Tensor:
    """How rare each position is: its squared distance from the pool's mean in units of the pool's covariance, float64
    (N,), K on average.

    pool: (N, K). Directions in which the pool does not vary count as varying by a millionth of the mean variance.
    """
    n, channels = pool.shape
    mean = (
        sum(
            (part.sum(0, dtype=torch.float64) for part in pool.split(chunk)), torch.zeros(channels, dtype=torch.float64)
        )
        / n
    )
    covariance = torch.zeros(channels, channels, dtype=torch.float64)
    for part in pool.split(chunk):
        centred = part.double().sub_(mean)
        covariance.addmm_(centred.T, centred)
    covariance /= n
    covariance += 1e-6 * covariance.diagonal().mean().clamp_min(1e-12) * torch.eye(channels, dtype=torch.float64)
    whiten, mean = torch.linalg.inv(torch.linalg.cholesky(covariance)).T.float(), mean.float()
    # One array for all, filled in place: small ones kept between the large ones of each chunk leave holes that nothing
    # fits into (half a GB).
    rarity = torch.empty(n, dtype=torch.float64)
    for part, target in zip(pool.split(chunk), rarity.split(chunk), strict=True):
        target.copy_((part.float().sub_(mean) @ whiten).square_().sum(1))
    return rarity


def rarities(pool: Tensor, n_sizes: int) -> list[Tensor]:
    """`squared_mahalanobis` of the channels of each image size."""
    return [squared_mahalanobis(part) for part in pool.tensor_split(n_sizes, 1)]


def position_batches(
    pool: Tensor, settings: Settings, left_out: Tensor | None = None, rarity: Sequence[Tensor] | None = None
) -> Callable[[int], Batch]:
    """Batches of single positions for the mlp: step -> (B, K), (B, K), (B,).

    Positions are drawn evenly, or with `rarity_power` the rare ones more often. Positions that the flow saw seldom end
    far out, so a rare but normal position would look like a defect. Source: ours; PatchCore's coreset has this role.
    Each pair comes at `times_per_pair` times, evenly apart. Finding the pairs costs up to a third of a step, and half
    as many do as well (measured on six categories). Ours.

    Where images are seen at several sizes, each size draws positions and pairs of its own: its flow knows no others.

    left_out: bool (N,), positions that are never drawn. rarity: `rarities` of the pool, if they are known.
    """
    n, n_times, n_sizes = len(pool), settings.times_per_pair, len(settings.sizes)
    n_pairs = -(-settings.batch_size // n_times)
    if rarity is None and settings.rarity_power:
        rarity = rarities(pool, n_sizes)
    parts = pool.tensor_split(n_sizes, 1)
    all_ends = [_ends(n, settings, left_out, None if rarity is None else rarity[i]) for i in range(n_sizes)]

    def choose(generator: torch.Generator, ends: Tensor | None) -> Tensor:
        if ends is None:
            return torch.randint(n, (n_pairs,), generator=generator)
        return torch.searchsorted(
            ends, torch.rand(n_pairs, generator=generator, dtype=torch.float64) * ends[-1], right=True
        ).clamp_max(n - 1)

    def draw(step: int) -> Batch:
        generator, drawn = _generator(settings.seed, step), []
        rows = torch.arange(settings.batch_size) % n_pairs
        for part, ends in zip(parts, all_ends, strict=True):
            # index_select, which copies whole rows, where [...] goes value by value: a quarter of the time.
            x_data = part.index_select(0, choose(generator, ends)).float()
            x_noise = torch.randn(x_data.shape, generator=generator)
            partner = couple(x_data, x_noise, settings.coupling, settings.group_size)
            drawn.append((x_data.index_select(0, rows), x_noise.index_select(0, partner[rows])))
        first = torch.rand(n_pairs, generator=generator)
        t = (first[rows] + torch.arange(settings.batch_size) // n_pairs / n_times) % 1
        x_data, x_noise = drawn[0] if n_sizes == 1 else (torch.cat(each, 1) for each in zip(*drawn, strict=True))
        return x_data, x_noise, t

    return draw


def _ends(n: int, settings: Settings, left_out: Tensor | None, rarity: Tensor | None) -> Tensor | None:
    """How often each of n positions is drawn, summed up, float64 (N,); None where all are drawn evenly."""
    if rarity is None and left_out is None:
        return None
    if rarity is not None:
        weights = rarity.clamp_min(1.0).pow(settings.rarity_power)
    else:
        weights = torch.ones(n, dtype=torch.float64)
    return (weights if left_out is None else weights.masked_fill(left_out, 0.0)).cumsum(0)


def image_batches(
    cache: FeatureCache, key: str, rows: np.ndarray, normaliser: Normaliser, settings: Settings
) -> Callable[[int], Batch]:
    """Batches of whole grids for the unet: step -> (B, H, W, K), (B, H, W, K), (B,). Scope image pairs grids, scope
    local pairs positions.
    """
    grids = cache.open(key)
    n_batch = min(settings.batch_size, len(rows))

    def draw(step: int) -> Batch:
        generator = _generator(settings.seed, step)
        chosen = np.sort(rows[torch.randperm(len(rows), generator=generator)[:n_batch].numpy()])
        with torch.inference_mode():
            x_data = normaliser(torch.from_numpy(grids[chosen]).float())
        x_data = x_data.clone()
        x_noise = torch.randn(x_data.shape, generator=generator)
        if settings.scope == "image":
            x_noise = x_noise[couple(x_data, x_noise, settings.coupling, settings.group_size)]
        else:
            flat = x_noise.reshape(-1, x_noise.shape[-1])
            partner = couple(x_data.reshape(flat.shape), flat, settings.coupling, settings.group_size)
            x_noise = flat[partner].reshape(x_data.shape)
        return x_data, x_noise, torch.rand(len(x_data), generator=generator)

    return draw


def _generator(seed: int, step: int) -> torch.Generator:
    """Random numbers of one step. The odd factor keeps the streams of neighbouring seeds apart."""
    return torch.Generator().manual_seed((seed * 0x9E3779B1 + step) % 2**63)
