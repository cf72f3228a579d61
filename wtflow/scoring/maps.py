"""From a velocity field to anomaly maps. Higher means more anomalous, everywhere.

Maps are raw: no clamping and no scale per image, comparable over a whole run. `relative` alone is made per image,
after upsampling, and is therefore applied in `pixels.upsample`; what follows a raw map needs no torch and is in
`pixels`.

Sources: [Paper] arXiv 2508.05461 for endpoint and relative; [TCCM] Li et al. 2025, arXiv 2510.18328, of which deviation
at t=0 is the score; [Mismatch] Flow Mismatching, arXiv 2605.23070.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Score, Settings
from wtflow.errors import FlowError
from wtflow.flow.integrate import Velocity, integrate
from wtflow.flow.path import interpolate, target_velocity
from wtflow.flow.velocity import PerSize, ResidualMLP
from wtflow.machine.cores import n_cores, side_by_side
from wtflow.scoring.precision import type_of_products

N_AT_ONCE = 2048
"""Positions moved together on a CPU: with 448 channels they take some 4 MB."""


def compute_map(velocity: Velocity, x: Tensor, settings: Settings, seed: int) -> np.ndarray:
    """Raw maps of B images, float32 (B, H, W), 0 or above: the score of every grid position.

    velocity: a field, or a network in evaluation mode. x: (B, H, W, C) features on its device, t=0. Which score, solver
    and steps come from settings; seed fixes the noise of `mismatch` and is not used otherwise. On a CPU each core takes
    images of its own. Raises FlowError for a network in training mode, another shape, or values that are not finite.
    """
    if x.ndim != 4 or x.numel() == 0:
        raise FlowError(
            f"Maps are made of grids (B, H, W, C), found shape {tuple(x.shape)}.",
            fix="Give the features of at least one image.",
        )
    if getattr(velocity, "training", False):
        raise FlowError("The velocity network is in training mode.", fix="Call eval() on it before scoring.")
    n_portions = (
        1 if x.device.type != "cpu" or torch.is_autocast_enabled("cpu") else min(n_cores(), len(x))
    )  # a thread would not inherit autocast
    with side_by_side(n_portions) as each:
        maps = each(lambda part: _raw_map(velocity, part, settings, seed), x.tensor_split(n_portions))
    values = torch.cat(maps).float().cpu().numpy()
    if not np.isfinite(values).all():
        raise FlowError(
            f"The {settings.score} map contains values that are not finite.",
            fix="Train again with a lower learning rate, or check the features for NaN.",
        )
    return values


def _raw_map(velocity: Velocity, x: Tensor, settings: Settings, seed: int) -> Tensor:
    if settings.score not in SCORES:
        raise FlowError(f"There is no score {settings.score!r}.", fix=f"Use one of: {', '.join(SCORES)}.")
    with torch.inference_mode():
        return SCORES[settings.score](velocity, x, settings, seed)


def _endpoint_map(velocity: Velocity, x: Tensor, settings: Settings) -> Tensor:
    """`endpoint_score` of (B, H, W, C) -> (B, H, W). On a CPU a field of single positions moves a few thousand of them
    all the way before the next, so that they stay in the processor's cache.
    """
    if x.device.type != "cpu" or not getattr(velocity, "is_positionwise", False):
        return endpoint_score(integrate(velocity, x, settings.steps, settings.solver))
    if isinstance(velocity, PerSize):
        return endpoints_by_size(velocity, x, settings).mean(0)
    return _endpoints(velocity, x, 1, settings)


def _endpoints(velocity: Velocity, x: Tensor, times: int, settings: Settings) -> Tensor:
    """`endpoint_score` (B, H, W) of a field of single positions, each of which stands in `times` rows and columns and
    needs to be moved once.
    """
    own = x[:, ::times, ::times]
    products = type_of_products(x.device, settings)
    rows = own.reshape(-1, x.shape[-1]).split(N_AT_ONCE)
    ends = (integrate(velocity, part, settings.steps, settings.solver, products=products) for part in rows)
    scores = torch.cat([endpoint_score(end) for end in ends]).reshape(own.shape[:-1])
    return scores if times == 1 else scores.repeat_interleave(times, 1).repeat_interleave(times, 2)


def endpoints_by_size(velocity: Velocity, x: Tensor, settings: Settings) -> Tensor:
    """`endpoint_score` of the channels of each image size by themselves: (B, H, W, n K) -> (n, B, H, W). Their mean is
    that of all channels.
    """
    if isinstance(velocity, PerSize) and x.device.type == "cpu":
        return torch.stack([_endpoints(*one, settings) for one in _each_size(velocity, x, settings)])
    end = integrate(velocity, x, settings.steps, settings.solver)
    return torch.stack([endpoint_score(part) for part in end.tensor_split(len(settings.sizes), -1)])


def _each_size(velocity: PerSize, x: Tensor, settings: Settings) -> Iterator[tuple[ResidualMLP, Tensor, int]]:
    """For each image size its flow, its channels of features (B, H, W, n K), and in how many rows and columns of the
    grid each of its positions stands.
    """
    parts = x.split([flow.channels for flow in velocity.each], -1)
    for flow, part, size in zip(velocity.each, parts, settings.sizes, strict=True):
        yield flow, part, settings.image_size // size


def endpoint_score(y: Tensor) -> Tensor:
    """Density proxy of where features end, `1/2 mean_c(y_c^2)`: (..., C) -> (...). Source: [Paper]."""
    return 0.5 * y.square().mean(-1)


def deviation_score(velocity: Velocity, x: Tensor, t: float) -> Tensor:
    """How far the field at ((1-t) x, t) is from pointing home, `mean_c((v + x)^2)`: (..., C) -> (...).

    Source: ours for t > 0; at t=0 it is the squared score of [TCCM].
    """
    time = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    return (velocity((1 - time) * x, time) + x).square().mean(-1)


def mismatch_score(velocity: Velocity, x: Tensor, n_samples: int, seed: int) -> Tensor:
    """How badly the field predicts known lines, `mean_c((v(x_t, t) - (noise - x))^2)`, (B, ..., C) -> (B, ...).

    The mean over n_samples noises, each at its own time, the midpoints of n_samples equal parts of [0, 1]. Every image
    meets the same noise, so its map does not depend on the batch it is in. Source: [Mismatch].
    """
    total = torch.zeros(x.shape[:-1], dtype=x.dtype, device=x.device)
    for k, drawn in enumerate(noises(tuple(x.shape[1:]), n_samples, seed)):
        noise = drawn.to(x).expand_as(x)
        t = torch.as_tensor((k + 0.5) / n_samples, dtype=x.dtype, device=x.device)
        error = velocity(interpolate(x, noise, t), t) - target_velocity(x, noise)
        total += error.square().mean(-1)
    return total / n_samples


def noises(shape: tuple[int, ...], n_samples: int, seed: int) -> Iterator[Tensor]:
    """The noises of `mismatch_score`, one after the other, each of this shape."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise on every device
    for _ in range(n_samples):
        yield torch.randn(shape, generator=generator)


SCORES: dict[Score, Callable[[Velocity, Tensor, Settings, int], Tensor]] = {
    "endpoint": lambda velocity, x, settings, _: _endpoint_map(velocity, x, settings),
    "relative": lambda velocity, x, settings, _: _endpoint_map(velocity, x, settings),
    "deviation": lambda velocity, x, settings, _: deviation_score(velocity, x, settings.deviation_time),
    "mismatch": lambda velocity, x, settings, seed: mismatch_score(velocity, x, settings.mismatch_samples, seed),
}
"""How each score is read off the flow: (velocity, x, settings, seed) -> raw map.
relative is endpoint until it is upsampled.
"""
