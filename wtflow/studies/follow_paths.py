"""Positions moved by the run's own solver and steps, as its scoring moves them. Imports torch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from wtflow.flow.integrate import integrate, integrate_saved
from wtflow.machine.progress import ShareDone
from wtflow.records.flow import PositionSet
from wtflow.records.follow import OwnPaths, Yardstick
from wtflow.scoring.detector import Detector
from wtflow.scoring.precision import autocast, type_of_products
from wtflow.studies.flow_answers import principal_axes
from wtflow.studies.pca import Pca
from wtflow.studies.run_flow import RunFlow
from wtflow.studies.travel import MOST_VALUES, starts


def own_states(detector: Detector, x: Tensor) -> tuple[np.ndarray, Tensor]:
    """Times (S,) and states (S, ..., C) float32 of features x (..., C) at t=0 after each of the run's own steps.

    The last is what the run's scoring computes, in its precision; those before are in full precision. Raises FlowError
    for values that are not finite.
    """
    settings, velocity = detector.settings, detector.velocity
    is_single = x.device.type == "cpu" and getattr(velocity, "is_positionwise", False)
    products = type_of_products(x.device, settings) if is_single else None
    with torch.inference_mode(), autocast(detector.device, settings):
        t, states = integrate_saved(velocity, x, settings.steps, settings.solver)
        states[-1] = integrate(velocity, x, settings.steps, settings.solver, products=products)
    return t.double().cpu().numpy(), states.float()


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


def paths_of_image(flow: RunFlow, row: int, yardstick: Yardstick) -> OwnPaths:
    """All positions of a scored image, P is (H, W). Raises as `RunFlow.grids` does."""
    _, grid = next(flow.grids(np.array([row])))
    found = own_paths(flow.detector, flow.detector.start(grid[None]), basis_of(yardstick))
    return OwnPaths(found.t, found.norm[:, 0], found.between[:, 0], found.plane_end[0], found.n_channels)


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
