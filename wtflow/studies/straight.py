"""The straight lines that training would have drawn from given positions to noise: what each pair teaches the field,
next to what was learned. Imports torch.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Coupling
from wtflow.errors import FlowError
from wtflow.flow.coupling import couple
from wtflow.records.flow import PositionSet, StraightLines
from wtflow.studies.run_flow import RunFlow
from wtflow.studies.travel import CHUNK, starts


def straight_lines(flow: RunFlow, positions: PositionSet, coupling: Coupling, seed: int = 0) -> StraightLines:
    """The positions with noise drawn for them, paired exactly in groups of the size that the run was trained with.

    Groups mix positions of all images, as a batch of the training does; with scope image whole images are paired. The
    same noise for every coupling. Raises FlowError without positions, and as `couple` does.
    """
    if not len(positions):
        raise FlowError("No position is chosen.", fix="Choose at least one.")
    generator = torch.Generator().manual_seed(seed)
    start, noise, inner = (np.empty(len(positions), np.float32) for _ in range(3))
    pairs = _of_images if flow.settings.scope == "image" else _of_positions
    for index, x, paired in pairs(flow, positions, coupling, generator):
        start[index], noise[index] = x.norm(dim=1).numpy(), paired.norm(dim=1).numpy()
        inner[index] = (x * paired).sum(1).numpy()
    return StraightLines(coupling, flow.settings.group_size, flow.settings.scope == "image", start, noise, inner)


Pairs = Iterator[tuple[np.ndarray, Tensor, Tensor]]
"""Which of the positions; their features at t=0 and their noise, float32 (n, C) each."""


def _of_positions(flow: RunFlow, positions: PositionSet, coupling: Coupling, generator: torch.Generator) -> Pairs:
    x = torch.empty(len(positions), flow.n_channels)
    for start in starts(flow, positions, CHUNK):
        x[torch.from_numpy(start.index)] = start.pick(start.x).float().cpu()
    order = torch.randperm(len(x), generator=generator)
    noise = torch.randn(x.shape, generator=generator)
    partner = couple(x[order], noise, coupling, flow.settings.group_size)
    yield order.numpy(), x[order], noise[partner]


def _of_images(flow: RunFlow, positions: PositionSet, coupling: Coupling, generator: torch.Generator) -> Pairs:
    rows = np.unique(positions.row)
    rows = rows[torch.randperm(len(rows), generator=generator).numpy()]
    for first in range(0, len(rows), flow.settings.group_size):
        here = rows[first : first + flow.settings.group_size]
        x = flow.detector.start(np.stack([grid for _, grid in flow.grids(here)])).float().cpu()
        noise = torch.randn(x.shape, generator=generator)
        noise = noise[couple(x, noise, coupling, len(x))]
        place = {int(row): i for i, row in enumerate(here)}
        index = np.flatnonzero(np.isin(positions.row, here))
        image = np.array([place[int(row)] for row in positions.row[index]], np.int64)
        cells = tuple(
            torch.from_numpy(np.asarray(axis, np.int64))
            for axis in (image, positions.grid_row[index], positions.grid_column[index])
        )
        yield index, x[cells], noise[cells]
