"""Muon: steps for the weights of convolutions whose directions all have the same length.

Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024; the scale that lets it share
AdamW's learning rate: Liu et al., Muon is scalable for LLM training, arXiv 2502.16982.
"""

from collections.abc import Callable, Iterable
from typing import overload

import torch
from torch import Tensor, nn

_NS = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic that drives all singular values towards 1 (between about 0.7 and 1.2)."""
_AS_ADAM = 0.2
"""Root mean square of an AdamW step in units of the learning rate."""


class Muon(torch.optim.Optimizer):
    """For weights (out, in, h, w) only; each is seen as a matrix (out, in h w)."""

    def __init__(
        self, weights: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = torch.lerp(weight.grad, state["momentum"], group["momentum"])
                matrix = ahead.flatten(1)
                update = orthogonal(matrix) * (_AS_ADAM * max(matrix.shape) ** 0.5)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update.view(ahead.shape), alpha=-group["lr"])
        return loss


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with all singular values 1, by five steps of Newton-Schulz in
    bfloat16, as (rows, columns) float32.
    """
    x = matrix.bfloat16()
    is_tall = x.shape[0] > x.shape[1]
    x = x.T if is_tall else x
    x = x / (x.norm() + 1e-7)
    a, b, c = _NS
    for _ in range(5):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if is_tall else x).float()
