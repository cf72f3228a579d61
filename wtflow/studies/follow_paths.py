"""Positions moved by the run's own solver and steps, as its scoring moves them. Imports torch."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from wtflow.flow.integrate import integrate
from wtflow.machine.progress import ShareDone
from wtflow.records.flow import PositionSet
from wtflow.records.follow import OwnPaths, Yardstick
from wtflow.scoring.detector import Detector
from wtflow.scoring.precision import autocast, type_of_products
from wtflow.studies.flow_answers import principal_axes
from wtflow.studies.follow import is_near
from wtflow.studies.pca import Pca
from wtflow.studies.run_flow import RunFlow
from wtflow.studies.travel import CHUNK, MOST_VALUES, starts


def own_states(detector: Detector, x: Tensor) -> tuple[np.ndarray, Tensor]:
    """Times (S,) and states (S, ..., C) float32 of features x (..., C) at t=0 after each of the run's own steps, in the
    precision of its scoring.

    The last is made without a stop, as scoring makes it: it is the run's own to the last digit. Raises FlowError for
    values that are not finite.
    """
    settings, velocity = detector.settings, detector.velocity
    is_single = x.device.type == "cpu" and getattr(velocity, "is_positionwise", False)
    products = type_of_products(x.device, settings) if is_single else None
    t = np.linspace(0, 1, settings.steps + 1)
    states = torch.empty((len(t), *x.shape), dtype=x.dtype, device=x.device)
    states[0] = x
    with torch.inference_mode(), autocast(detector.device, settings):
        for k, (begin, end) in enumerate(pairwise(t[:-1].tolist()), start=1):
            states[k] = integrate(
                velocity, states[k - 1], 1, settings.solver, t_start=begin, t_end=end, products=products
            )
        states[-1] = integrate(velocity, x, settings.steps, settings.solver, products=products)
    return t, states


def own_paths(detector: Detector, x: Tensor, basis: Pca) -> OwnPaths:
    """What is kept of the paths of features x (*P, C) at t=0, all in memory at once. Raises as `own_states` does."""
    parts = [_reduced(*own_states(detector, part), basis) for part in portions(detector, x)]
    shape = x.shape[:-1]
    joined = [np.concatenate([part[k] for part in parts], axis=axis) for k, axis in ((1, 1), (2, 1), (3, 0))]
    norm, between, plane = joined
    return OwnPaths(
        parts[0][0],
        norm.reshape(-1, *shape),
        between.reshape(-1, *shape),
        plane.reshape(*shape, 2),
        x.shape[-1],
    )


def paths_of_image(flow: RunFlow, row: int, yardstick: Yardstick, free: np.ndarray) -> tuple[OwnPaths, np.ndarray]:
    """All positions of a scored image, P is (H, W), and for each the flat cell of the one of the free positions (bool
    (H, W)) whose feature is nearest to its own at t=0, int (H, W); -1 where there is none but its own surroundings.

    Raises as `RunFlow.grids` does.
    """
    _, grid = next(flow.grids(np.array([row])))
    x = flow.detector.start(grid[None])
    found = own_paths(flow.detector, x, basis_of(yardstick))
    paths = OwnPaths(found.t, found.norm[:, 0], found.between[:, 0], found.plane_end[0], found.n_channels)
    return paths, most_alike(x[0], free)


def most_alike(x: Tensor, free: np.ndarray) -> np.ndarray:
    """int (H, W): for each position of features (H, W, C) the flat cell of the free one (bool (H, W)) that is nearest
    to it and not within its own surroundings; -1 where there is none.
    """
    shape, flat = free.shape, x.reshape(-1, x.shape[-1])
    offered = np.flatnonzero(free.ravel())
    found = np.full(len(flat), -1)
    if offered.size:
        others = flat[torch.from_numpy(offered)]
        for first in range(0, len(flat), CHUNK):
            distance = torch.cdist(flat[first : first + CHUNK], others).cpu().numpy()
            for k, row in enumerate(distance):
                row[is_near(first + k, shape).ravel()[offered]] = np.inf
            nearest = distance.argmin(1)
            is_there = np.isfinite(distance[np.arange(len(distance)), nearest])
            found[first : first + CHUNK] = np.where(is_there, offered[nearest], -1)
    return found.reshape(shape)


def path_of_training(flow: RunFlow, sample_id: str, grid_row: int, grid_column: int, yardstick: Yardstick) -> OwnPaths:
    """One position of an image that the run learned from, P is (1,). Raises as `RunFlow.grids` does."""
    _, grid = next(flow.training_grids([sample_id]))
    x = flow.detector.start(grid[None])
    if flow.settings.network == "mlp":  # each position travels alone: no need to move the others
        return own_paths(flow.detector, x[0, grid_row, grid_column][None], basis_of(yardstick))
    found = own_paths(flow.detector, x, basis_of(yardstick))
    here = (slice(None), 0, slice(grid_row, grid_row + 1), grid_column)
    return OwnPaths(found.t, found.norm[here], found.between[here], found.plane_end[here[1:]], found.n_channels)


def compute_yardstick(flow: RunFlow, positions: PositionSet, progress: ShareDone) -> Yardstick:
    """The paths of positions, and the axes that all paths of the run are placed on."""
    basis = principal_axes(flow)
    n, steps = len(positions), flow.settings.steps
    norm, between = np.empty((steps + 1, n), np.float32), np.empty((steps, n), np.float32)
    plane, t, done = np.empty((n, 2), np.float32), np.zeros(steps + 1), 0
    for start in starts(flow, positions, MOST_VALUES // ((steps + 1) * flow.n_channels)):
        t, states = own_states(flow.detector, start.x)
        picked = torch.stack([start.pick(state) for state in states])
        _, norm[:, start.index], between[:, start.index], plane[start.index] = _reduced(t, picked, basis)
        done += len(start.index)
        progress(done / n)
    return Yardstick(positions, OwnPaths(t, norm, between, plane, flow.n_channels), basis.mean, basis.axes)


def basis_of(yardstick: Yardstick) -> Pca:
    """The principal axes of a yardstick, to place other paths on."""
    return Pca(yardstick.mean, yardstick.axes, np.zeros(2))  # how much each explains is not needed to place


def portions(detector: Detector, x: Tensor) -> Iterator[Tensor]:
    """Features (n, C) that may travel apart where each position travels alone, else x as it is."""
    if detector.settings.network != "mlp":
        yield x
        return
    most = max(1, MOST_VALUES // ((detector.settings.steps + 1) * x.shape[-1]))
    yield from x.reshape(-1, x.shape[-1]).split(most)


def _reduced(t: np.ndarray, states: Tensor, basis: Pca) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times (S,), norm (S, n), inner products (S - 1, n) and the end's place (n, 2) of states (S, ..., C)."""
    flat = states.reshape(len(states), -1, states.shape[-1])
    norm, between = flat.norm(dim=-1), (flat[1:] * flat[:-1]).sum(-1)
    return t, norm.cpu().numpy(), between.cpu().numpy(), basis.place(flat[-1].cpu().numpy())[..., :2]
