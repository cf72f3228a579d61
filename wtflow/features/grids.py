"""The stages of a network, brought to one grid and joined."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import BackboneError


def no_finer(grids: list[Tensor], settings: Settings) -> list[Tensor]:
    """Stages with cells smaller than the finest that the settings want, averaged down to the grid of the first that is
    not finer. Unchanged where all are finer.
    """
    coarse = [
        (grid.shape[-2], grid.shape[-1])
        for cell, grid in zip(settings.stage_cells, grids, strict=True)
        if cell >= settings.finest_cell
    ]
    if not coarse:
        return grids
    return [
        nn.functional.adaptive_avg_pool2d(grid, coarse[0]) if grid.shape[-2] > coarse[0][0] else grid for grid in grids
    ]


def averaged(grids: list[Tensor], n_groups: int) -> list[Tensor]:
    """Blocks (B, C, H, W) in order of depth, the mean of each of so many groups of neighbours; 0 leaves each by itself.
    Where they do not divide evenly, the first groups have one more. Source: Dinomaly [Guo et al. 2025], with two.
    """
    if not n_groups:
        return grids
    share, more = divmod(len(grids), n_groups)
    ends = [0, *(share * (i + 1) + min(i + 1, more) for i in range(n_groups))]
    return [torch.stack(grids[first:end]).mean(0) for first, end in zip(ends, ends[1:], strict=False)]


def join(stages: list[Tensor], window: int, stride: int) -> Tensor:
    """Stages (B, C_i, H_i, W_i), averaged, brought to the largest grid and joined: (B, sum C_i, H, W)."""
    finest = max(stages, key=lambda stage: stage.shape[-2] * stage.shape[-1]).shape[-2:]
    if stride > 1:  # the paper's AvgPool2d(window, stride, window // 2), zeros of the border counted
        stages = [nn.functional.avg_pool2d(stage, window, stride, window // 2) for stage in stages]
        finest = tuple((side + 2 * (window // 2) - window) // stride + 1 for side in finest)
    elif window > 1:
        stages = [nn.functional.avg_pool2d(stage, window, 1, window // 2, count_include_pad=False) for stage in stages]
    fit = {"size": finest, "mode": "bilinear", "align_corners": False}
    return torch.cat(
        [stage if stage.shape[-2:] == finest else nn.functional.interpolate(stage, **fit) for stage in stages], dim=1
    )


def of_all_sizes(images: Tensor, sizes: tuple[int, ...], grids_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Features (B, sum C, h, w) of images (B, 3, H, W) seen at all `sizes`, falling, of which the first is theirs.

    A smaller image is the mean of whole squares of pixels; each position of its grid is repeated over the positions of
    the finest grid that it covers. grids_of: features (B, C, h, w) of images of one size. Raises BackboneError where
    the grids do not lie on one another. Ours.
    """
    grids = [grids_of(images)]
    for size in sizes[1:]:
        times = sizes[0] // size
        grid = grids_of(nn.functional.avg_pool2d(images, times))
        if (grid.shape[2] * times, grid.shape[3] * times) != tuple(grids[0].shape[2:]):
            raise BackboneError(
                f"At {size} px the features have {grid.shape[2]} positions a side, at {sizes[0]} px"
                f" {grids[0].shape[2]}, which is not {times} times as many.",
                fix="Choose sizes that are multiples of the coarsest stage's stride, such as 512 and 256.",
            )
        grids.append(grid.repeat_interleave(times, 2).repeat_interleave(times, 3))
    return grids[0] if len(grids) == 1 else torch.cat(grids, 1)
