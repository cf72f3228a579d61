"""The velocity networks v(x, t): a residual MLP on single positions, and a small U-Net on whole grids.

Both take and give channels last, and one time or one per row. Neither depends on what the features are.

Sources: [Paper] arXiv 2508.05461 for the U-Net (as the authors' code is driven elsewhere); the MLP is ours.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name everyone knows
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import FlowError
from wtflow.flow.path import spread_time

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def build_velocity(settings: Settings, channels: int) -> nn.Module:
    """The untrained network of these settings, in training mode on the CPU.

    Weights depend on `settings.seed` alone; torch's own random state is left as it was. channels: C of the features.
    Raises FlowError when channels is below 1.
    """
    if channels < 1:
        raise FlowError(f"Features with {channels} channels have no velocity.", fix="Check the stages of the backbone.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        if settings.network == "unet":
            return UNet(channels, settings.width)
        if (n_sizes := len(settings.sizes)) > 1:
            each = [ResidualMLP(channels // n_sizes, settings.width, settings.depth) for _ in range(n_sizes)]
            return PerSize(each)
        return ResidualMLP(channels, settings.width, settings.depth)


class ResidualMLP(nn.Module):
    """v(x, t) for one position at a time: every vector of the last axis is one sample.

    v = a(t) x + network(x, t). The skip a(t) starts at the field of standard Gaussian data under the independent
    coupling, `(2t-1) / ((1-t)^2 + t^2)`, and the network at 0: untrained, v(x, 0) = -x. Source: ours.
    """

    is_positionwise = True
    """One position's velocity depends on no other's: they may be moved in any portions."""

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.channels = channels
        self.time = nn.Sequential(_Sinusoids(n_features=32, lowest=0.5, highest=100.0), nn.Linear(32, 32), nn.SiLU())
        self.skip = _zeroed(nn.Linear(32, 1))
        self.enter = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(_TimedLayer(width, n_time=32) for _ in range(depth))
        self.leave = _zeroed(nn.Linear(width, channels))

    def forward(self, x: Tensor, t: Tensor | float) -> Tensor:
        """x: (..., C); t: one number or (B,) for x (B, ..., C). Raises FlowError when shapes do not fit."""
        _check_channels(x, self.channels)
        t = spread_time(t, x)
        embedded = self._embed(t)
        return torch.addcmul(self.leave(self._think(self.enter(x), embedded)), self._along_x(t, embedded), x)

    def euler_end(self, x: Tensor, times: Tensor, products: torch.dtype | None = None) -> Tensor:
        """Where Euler's steps through `times` (S+1,) lead from x (..., C), without gradients: what steps by `forward`
        give, to rounding, for fewer operations.

        products: type that matrices and what they multiply are rounded to, such as bfloat16; sums keep x's type.

        Every x on the way is `moved * x + leave.weight carried + summed * leave.bias` with two numbers and one vector
        of the hidden width, and the blocks see it through `enter` alone. So between steps x is never made: `enter`
        after `leave` is one matrix.
        """
        _check_channels(x, self.channels)
        with torch.no_grad():
            # Only a second step needs it.
            turned = self.enter.weight @ self.leave.weight if len(times) > 2 else None
            turned_bias = self.enter.weight @ self.leave.bias
            entered = _multiply(x, self.enter.weight, None, products)
            moved, summed = torch.ones_like(times[0]), torch.zeros_like(times[0])
            carried: Tensor | None = None
            for t, t_next in pairwise(times):
                embedded, step = self._embed(t), t_next - t
                bias = torch.addcmul(self.enter.bias, turned_bias, summed)
                hidden = (
                    entered + bias
                    if carried is None or turned is None
                    else _multiply(carried, turned, bias, products).add_(entered, alpha=moved.item())
                )
                thought = self._think(hidden, embedded, products)
                grown = 1 + step * self._along_x(t, embedded).squeeze()
                carried = thought * step if carried is None else carried.mul_(grown).add_(thought, alpha=step.item())
                moved, summed = moved * grown, summed * grown + step
            if carried is None:  # no step was taken
                return x.clone()
            return _multiply(carried, self.leave.weight, summed * self.leave.bias, products).add_(x, alpha=moved.item())

    def along_x(self, t: Tensor) -> Tensor:
        """a(t) of one time, (1,)."""
        return self._along_x(t, self._embed(t))

    def blocks_at(self, t: Tensor) -> list[tuple[Tensor, Tensor, nn.Linear]]:
        """Scale, shift and matrix of each block at one time: all that is left of it."""
        embedded = self._embed(t)
        return [(block.scale(embedded), block.shift(embedded), block.matrix) for block in self._timed_layers()]

    def _timed_layers(self) -> Iterator["_TimedLayer"]:
        return (block for block in self.blocks if isinstance(block, _TimedLayer))

    def _embed(self, t: Tensor) -> Tensor:
        """(32,), or (B, 1, ..., 32): every time is embedded once."""
        return self.time(t.reshape(*t.shape[:-1], 1))

    def _think(self, hidden: Tensor, embedded: Tensor, products: torch.dtype | None = None) -> Tensor:
        """From what `enter` gives to what `leave` takes, (..., W); without gradients in place of what it is given."""
        is_inference = not torch.is_grad_enabled()
        for block in self.blocks:
            change = block(hidden, embedded, products)
            hidden = hidden.add_(change) if is_inference else hidden + change
        return F.silu(hidden, inplace=is_inference)

    def _along_x(self, t: Tensor, embedded: Tensor) -> Tensor:
        """a(t)."""
        return (2 * t - 1) / ((1 - t).square() + t.square()) + self.skip(embedded)


class _TimedLayer(nn.Module):
    """Scale and shift by time, SiLU, one matrix. (..., W) -> (..., W).

    One matrix a block, because with equally many steps it scored as well as two on the screw images (one seed) and
    costs half; no layer normalisation, because without it screw and magnetic tile scored as well or better (one seed
    each).
    """

    def __init__(self, width: int, n_time: int) -> None:
        super().__init__()
        self.scale, self.shift = _zeroed(nn.Linear(n_time, width)), _zeroed(nn.Linear(n_time, width))
        nn.init.ones_(self.scale.bias)
        self.matrix = nn.Linear(width, width)

    def forward(self, hidden: Tensor, embedded: Tensor, products: torch.dtype | None = None) -> Tensor:
        scaled = torch.addcmul(self.shift(embedded), hidden, self.scale(embedded))
        return _multiply(
            F.silu(scaled, inplace=not torch.is_grad_enabled()), self.matrix.weight, self.matrix.bias, products
        )


class PerSize(nn.Module):
    """v(x, t) where images are seen at n sizes: the K channels of each size in joined features (..., n K) are moved by
    an MLP of their own, which does not see the others. Ours.
    """

    is_positionwise = True

    def __init__(self, flows: list[ResidualMLP]) -> None:
        super().__init__()
        self.flows = nn.ModuleList(flows)
        self.channels = sum(flow.channels for flow in flows)

    @property
    def each(self) -> list[ResidualMLP]:
        """The flows, in the order of the sizes."""
        return [flow for flow in self.flows if isinstance(flow, ResidualMLP)]

    def forward(self, x: Tensor, t: Tensor | float) -> Tensor:
        """x: (..., n K); t: one number or (B,) for x (B, ..., n K). Raises FlowError when shapes do not fit."""
        return torch.cat([flow(part, t) for flow, part in zip(self.each, self._split(x), strict=True)], -1)

    def euler_end(self, x: Tensor, times: Tensor, products: torch.dtype | None = None) -> Tensor:
        """As `ResidualMLP.euler_end`."""
        parts = zip(self.each, self._split(x), strict=True)
        return torch.cat([flow.euler_end(part, times, products) for flow, part in parts], -1)

    def _split(self, x: Tensor) -> tuple[Tensor, ...]:
        _check_channels(x, self.channels)
        return x.split([flow.channels for flow in self.each], -1)


class UNet(nn.Module):
    """v(x, t) for whole grids: two levels down, two up, residual blocks of two conv3-BN-ReLU each.

    `width` is the base width w; levels have w, 2w and 4w channels. Grids of any size, odd ones too. In training mode
    batch normalisation needs more than one value per channel at the coarsest level. Source: [Paper], width ours.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.channels = channels
        n_time = 4 * width
        # t counts to 1000, as in diffusion models: sinusoids from 1 to 1/10,000 radians per thousandth.
        self.time = nn.Sequential(
            _Sinusoids(n_features=2 * ((width + 1) // 2), lowest=0.1, highest=1000.0),
            nn.Linear(2 * ((width + 1) // 2), n_time),
            nn.SiLU(),
            nn.Linear(n_time, n_time),
            nn.SiLU(),
        )
        self.enter = _Block(channels, width, n_time)
        self.down = nn.ModuleList([_Block(width, 2 * width, n_time), _Block(2 * width, 4 * width, n_time)])
        self.middle = nn.ModuleList([_Block(4 * width, 4 * width, n_time), _Block(4 * width, 4 * width, n_time)])
        self.up = nn.ModuleList([_Block(6 * width, 2 * width, n_time), _Block(3 * width, width, n_time)])
        self.leave = _zeroed(nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor | float) -> Tensor:
        """x: (B, H, W, C); t: one number or (B,). Raises FlowError when shapes do not fit."""
        _check_channels(x, self.channels)
        if x.ndim != 4:
            raise FlowError(
                f"The U-Net expects grids (B, H, W, C), found shape {tuple(x.shape)}.",
                fix="Use the mlp for single positions.",
            )
        embedded = self.time(spread_time(t, x).reshape(-1, 1))  # (1, E) or (B, E)
        hidden = self.enter(x.permute(0, 3, 1, 2), embedded)
        skips = []
        for block in self.down:
            skips.append(hidden)
            hidden = block(F.max_pool2d(hidden, 2, ceil_mode=True), embedded)
        for block in self.middle:
            hidden = block(hidden, embedded)
        for block in self.up:
            skip = skips.pop()
            raised = F.interpolate(hidden, size=skip.shape[-2:], mode="nearest")  # to the skip's size: odd grids fit
            hidden = block(torch.cat([raised, skip], dim=1), embedded)
        return self.leave(hidden).permute(0, 2, 3, 1)


class _Block(nn.Module):
    """Two conv3-BN-ReLU with time added between them, and a shortcut. (B, n_in, H, W) -> (B, n_out, H, W)."""

    def __init__(self, n_in: int, n_out: int, n_time: int) -> None:
        super().__init__()
        # No bias before a batch normalisation: it would be subtracted again.
        self.first = nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(n_out, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())
        self.time = nn.Linear(n_time, n_out)
        self.shortcut = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1)

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        hidden = self.first(x) + self.time(embedded)[:, :, None, None]
        return self.shortcut(x) + self.second(hidden)


class _Sinusoids(nn.Module):
    """Sines and cosines of t at frequencies from `lowest` to `highest` (radians per time): (..., 1) -> (..., F)."""

    def __init__(self, n_features: int, lowest: float, highest: float) -> None:
        super().__init__()
        spaced = torch.linspace(math.log(lowest), math.log(highest), n_features // 2)
        self.register_buffer("frequencies", spaced.exp(), persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angle = t * self.frequencies
        return torch.cat([angle.sin(), angle.cos()], dim=-1)


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None, products: torch.dtype | None) -> Tensor:
    """`weight x + bias`, (..., I) -> (..., O). With `products`, both factors are rounded to that type, and so is the
    product; bias and result are of x's.
    """
    if products is None:
        return F.linear(x, weight, bias)
    multiplied = F.linear(x.to(products), weight.to(products)).to(x.dtype)
    return multiplied if bias is None else multiplied.add_(bias)


def _zeroed(layer: Layer) -> Layer:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _check_channels(x: Tensor, channels: int) -> None:
    if x.ndim == 0 or x.shape[-1] != channels:
        raise FlowError(
            f"The network was built for {channels} channels, found features of shape {tuple(x.shape)}.",
            fix="Use the backbone, stages and normalisation that it was trained with, channels last.",
        )
