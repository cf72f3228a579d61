"""The linear path between data (t=0) and noise (t=1), and the velocity that training regresses on.

Source: [Paper] arXiv 2508.05461; the linear path is Lipman et al. 2023, run backwards in time.
"""

import torch
from torch import Tensor

from wtflow.errors import FlowError


def interpolate(x_data: Tensor, x_noise: Tensor, t: Tensor | float) -> Tensor:
    """Points of the path, `(1-t) x_data + t x_noise`.

    x_data, x_noise: (B, ..., C) of one shape. t: one number, or (B,) with a time per row, in [0, 1].
    Raises FlowError when shapes do not fit. Source: [Paper].
    """
    _check_pair(x_data, x_noise)
    t = spread_time(t, x_data)
    return (1 - t) * x_data + t * x_noise


def target_velocity(x_data: Tensor, x_noise: Tensor) -> Tensor:
    """The velocity along each line, `x_noise - x_data`, the same at every time.

    Raises FlowError when shapes do not fit. Source: [Paper].
    """
    _check_pair(x_data, x_noise)
    return x_noise - x_data


def spread_time(t: Tensor | float, x: Tensor) -> Tensor:
    """t as a tensor of x's dtype and device that broadcasts against x: () or (B, 1, ..., 1).

    Raises FlowError when t is neither one number nor one per row of x.
    """
    t = torch.as_tensor(t, dtype=x.dtype, device=x.device)
    if t.ndim == 0 or t.numel() == 1:
        return t.reshape(())
    if t.ndim != 1 or x.ndim == 0 or t.shape[0] != x.shape[0]:
        raise FlowError(
            f"Times of shape {tuple(t.shape)} do not fit features of shape {tuple(x.shape)}.",
            fix="Give one time, or one time per row (B,).",
        )
    return t.reshape(-1, *([1] * (x.ndim - 1)))


def _check_pair(x_data: Tensor, x_noise: Tensor) -> None:
    if x_data.shape != x_noise.shape:
        raise FlowError(
            f"Data of shape {tuple(x_data.shape)} and noise of shape {tuple(x_noise.shape)} differ.",
            fix="Draw the noise in the shape of the data.",
        )
