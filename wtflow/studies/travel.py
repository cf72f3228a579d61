"""Moving chosen positions of a finished run along its learned field, a chunk at a time. Imports torch.

The full paths, S x N x C numbers, are never held at once: each chunk is reduced to what pictures need.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Solver
from wtflow.errors import FlowError
from wtflow.flow.integrate import Velocity, integrate_moving
from wtflow.machine.progress import Progress
from wtflow.records.flow import PositionSet, Travel
from wtflow.records.shapes import at_once
from wtflow.studies.pca import Pca
from wtflow.studies.run_flow import RunFlow

CHUNK = 1024
"""Most positions moved at once."""
MOST_VALUES = 2**24
"""Numbers in the paths of one chunk: with 512 channels, 1,024 positions at 32 times; their points take 64 MB,
velocities as much.
"""
GRIDS = 4
"""Whole images moved at once where the network looks at neighbours (unet)."""
TINY = 1e-12
"""Norms below count as 0 and have no direction."""


@dataclass(frozen=True, slots=True)
class Start:
    """Some positions before they move. `index`: which of the set's; x:
    features at t=0 of all that must travel together.
    """

    index: np.ndarray
    x: Tensor
    pick: Callable[[Tensor], Tensor]
    """The positions meant, (n, ...), out of what travels: values of x's shape, with or without its channels."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Some positions on their way. `index`: which of the set's; t (S,); x and v (S, n, C) float32."""

    index: np.ndarray
    t: np.ndarray
    x: Tensor
    v: Tensor


def walks(flow: RunFlow, positions: PositionSet, steps: int, solver: Solver, progress: Progress) -> Iterator[Walk]:
    """All positions in chunks, integrated from t=0 to t=1 in `steps` steps, every step saved (S = steps + 1).

    `progress(done, total)` counts positions and may raise to stop. Raises FlowError for a wrong setting or values that
    are not finite.
    """
    done = 0
    for start in starts(flow, positions, MOST_VALUES // ((steps + 1) * flow.n_channels)):
        with torch.inference_mode():
            t, x, v = integrate_moving(flow.detector.velocity, start.x, steps, solver, keep=start.pick)
        yield Walk(start.index, t.cpu().numpy(), x.float(), v.float())
        done += len(start.index)
        progress(done, len(positions))


def starts(flow: RunFlow, positions: PositionSet, n_most: int) -> Iterator[Start]:
    """All positions in chunks of at most n_most (and CHUNK), at least one, in the order of their images."""
    n_most = max(1, min(n_most, CHUNK))
    yield from (_single_starts if flow.settings.network == "mlp" else _grid_starts)(flow, positions, n_most)


def compute_travel(
    flow: RunFlow,
    positions: PositionSet,
    steps: int,
    solver: Solver,
    basis: Pca,
    progress: Progress,
    *,
    n_probes: int = 0,
    seed: int = 0,
) -> Travel:
    """What is kept of the paths of all positions. basis: principal axes of normal features at t=0, at least two.

    n_probes: random directions of the divergence estimate, 0 for none. Raises FlowError as `walks` does, without
    positions, and for a divergence where the network looks at neighbours, so that a position has no field of its own.
    """
    if not len(positions):
        raise FlowError("No position is chosen.", fix="Choose at least one.")
    if n_probes and flow.settings.network != "mlp":
        raise FlowError(
            "The divergence is estimated per position, and the unet moves whole images.",
            fix="Leave the divergence out for this run.",
        )
    size, generator = (steps + 1, len(positions)), torch.Generator().manual_seed(seed)
    kept = {name: np.empty(size, np.float32) for name in ("norm", "speed", "alignment", "straightness", "radial")}
    plane, divergence, t, done = (
        np.empty((*size, 2), np.float32),
        np.empty(size, np.float32) if n_probes else None,
        np.zeros(steps + 1),
        0,
    )
    for walk in walks(flow, positions, steps, solver, progress):
        t = walk.t
        for name, values in reduce_walk(walk.x, walk.v).items():
            kept[name][:, walk.index] = values.cpu().numpy()
        plane[:, walk.index] = basis.place(walk.x.cpu().numpy())[..., :2]
        if (
            divergence is not None
        ):  # the same directions at all times, so that a curve over time is no noisier than its level
            signs = random_signs(len(walk.index), n_probes, flow.n_channels, generator)
            for s, time in enumerate(walk.t):
                divergence[s, walk.index] = (
                    hutchinson(flow.detector.velocity, walk.x[s], float(time), signs).cpu().numpy()
                )
                progress(done + len(walk.index) * s // len(walk.t), len(positions))
        done += len(walk.index)
    explained = (float(basis.explained[0]), float(basis.explained[1]))
    return Travel(
        positions=positions,
        t=t,
        plane=plane,
        explained=explained,
        n_channels=flow.n_channels,
        divergence=divergence,
        **kept,
    )


def reduce_walk(x: Tensor, v: Tensor) -> dict[str, Tensor]:
    """norm, speed, alignment, straightness and radial of paths, each (S, n), from points and velocities (S, n, C).

    Cosines with a vector of length 0 are 0.
    """
    norm, speed = x.norm(dim=-1), v.norm(dim=-1)
    chord = x[-1] - x[0]
    return {
        "norm": norm,
        "speed": speed,
        "alignment": _cosine((x * x[0]).sum(-1), norm * norm[0]),
        "straightness": _cosine((v * chord).sum(-1), speed * chord.norm(dim=-1)),
        "radial": (v * x).sum(-1) / norm.clamp_min(TINY),
    }


def random_signs(n: int, n_probes: int, channels: int, generator: torch.Generator) -> Tensor:
    """int8 (n, n_probes, channels) of -1 and 1. Drawn position by position:
    how a set is cut into chunks changes nothing.
    """
    return torch.randint(0, 2, (n, n_probes, channels), generator=generator, dtype=torch.int8) * 2 - 1


def hutchinson(velocity: Velocity, x: Tensor, t: float, signs: Tensor) -> Tensor:
    """Estimate of the divergence of v(., t) at each of x (n, C): the mean of e J e over its signs e, (n, n_probes, C);
    (n,).

    Exact for a field whose Jacobian is diagonal. Its spread falls with the square root of n_probes.
    Source: Hutchinson 1990; used for flows by Grathwohl et al. 2019 (FFJORD).
    """
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    with torch.enable_grad():
        x = x.clone().requires_grad_()  # a clone is out of inference mode
        v = velocity(x, torch.as_tensor(t, dtype=x.dtype, device=x.device))
        for k in range(signs.shape[1]):
            direction = signs[:, k].to(x)
            (pulled,) = torch.autograd.grad((direction * v).sum(), x, retain_graph=True)  # e J, for one position each
            total += (direction * pulled).sum(-1)
    return total / signs.shape[1]


def _cosine(product: Tensor, lengths: Tensor) -> Tensor:
    return (product / lengths.clamp_min(TINY)).clamp(-1, 1)  # rounding may reach beyond 1


def _single_starts(flow: RunFlow, positions: PositionSet, n_most: int) -> Iterator[Start]:
    """Each position travels alone: those of many images fill a chunk."""
    indices, parts, waiting = [], [], 0
    for row, grid in flow.grids(np.unique(positions.row)):
        index = np.flatnonzero(positions.row == row)
        indices.append(index)
        parts.append(flow.start_at(grid, positions.grid_row[index], positions.grid_column[index]))
        waiting += len(index)
        while waiting >= n_most:
            index, x = np.concatenate(indices), torch.cat(parts)
            yield Start(index[:n_most], x[:n_most], lambda values: values)
            indices, parts, waiting = [index[n_most:]], [x[n_most:]], waiting - n_most
    if waiting:
        yield Start(np.concatenate(indices), torch.cat(parts), lambda values: values)


def _grid_starts(flow: RunFlow, positions: PositionSet, n_most: int) -> Iterator[Start]:
    """Whole images travel, and again for every further chunk of their positions."""
    rows = np.unique(positions.row)
    grids = flow.grids(rows)
    n = at_once(GRIDS, flow.settings.image_size, flow.results.shape)
    for first in range(0, len(rows), n):
        here = rows[first : first + n]
        x = flow.detector.start(np.stack([grid for _, grid in itertools.islice(grids, len(here))]))
        index = np.flatnonzero(np.isin(positions.row, here))
        for part in np.split(index, range(n_most, len(index), n_most)):
            cells = np.searchsorted(here, positions.row[part]), positions.grid_row[part], positions.grid_column[part]
            where = tuple(torch.from_numpy(np.asarray(axis, np.int64)) for axis in cells)
            yield Start(part, x, lambda values, where=where: values[where])
