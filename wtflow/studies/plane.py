"""The landscape of a finished run: its learned field on a plane through its own features. Imports torch."""

import numpy as np
import torch

from wtflow.errors import FlowError
from wtflow.flow.integrate import integrate_saved
from wtflow.machine.progress import Progress
from wtflow.records.flow import Landscape, PlaneKind
from wtflow.studies.landscape import Velocity, field_on_plane, half_width_for, plane_of_axes, plane_through
from wtflow.studies.pca import fit_pca
from wtflow.studies.run_flow import RunFlow

PATH_STEPS = 20
"""Steps with which the marked positions travel; the field is shown at each of these times."""

N_HELD = 200
"""Normals that a plane along principal axes is wide enough for."""

Place = tuple[int, int, int]
"""Row of the score table, row and column of the grid."""


def compute_landscapes(
    flow: RunFlow, normal_start: np.ndarray, kind: PlaneKind, normal: Place, defect: Place, n: int, progress: Progress
) -> tuple[Landscape, ...]:
    """The field and its potential on one plane through the origin, n x n points, at each of PATH_STEPS + 1 times.

    kind: "axes", the first two principal axes of normal features at t=0 (normal_start, (M, C)); "pair", through the
    features of a normal and a defect position. Both positions are marked where their paths stand at each time, and
    where they began. Raises FlowError for the unet, whose positions have no field of their own, for a position that is
    not there, and where the three points lie on a line.
    """
    if flow.settings.network != "mlp":
        raise FlowError(
            "The unet moves whole images, so a single position has no landscape.", fix="Look at a run of preset fast."
        )
    start = np.stack([_start(flow, place) for place in (normal, defect)])
    with torch.inference_mode():
        times, path = integrate_saved(
            flow.detector.velocity, torch.from_numpy(start).to(flow.detector.device), PATH_STEPS, flow.settings.solver
        )
    t, x = times.cpu().numpy(), path.float().cpu().numpy()
    origin, held = np.zeros(flow.n_channels), [x.reshape(-1, flow.n_channels)]
    if kind == "pair":
        plane = plane_through(origin, start[0], start[1], ("along the normal's feature", "toward the defect's"))
    else:
        plane = plane_of_axes(
            origin, fit_pca(normal_start, 2).axes, ("principal axis 1 of normals", "principal axis 2")
        )
        held.append(normal_start[:: max(1, len(normal_start) // N_HELD)])
    reach = half_width_for(plane, np.concatenate(held))
    velocity, found = _velocity(flow), []
    for s, here in enumerate(x):
        marks = [("origin", origin), ("normal", here[0]), ("defect", here[1])]
        if s:
            marks += [("normal at t = 0", start[0]), ("defect at t = 0", start[1])]
        found.append(field_on_plane(velocity, plane, float(t[s]), (reach, reach), n, marks))
        progress(s + 1, len(x))
    return tuple(found)


def _start(flow: RunFlow, place: Place) -> np.ndarray:
    """Feature (C,) of a position at t=0. Raises FlowError for one that the run does not have."""
    row, grid_row, grid_column = place
    height, width = flow.results.maps.shape[1:]
    if row not in set(flow.results.table.row) or not (0 <= grid_row < height and 0 <= grid_column < width):
        raise FlowError(
            f"The run has no position ({grid_row}, {grid_column}) in image row {row}.", fix="Choose another image."
        )
    _, grid = next(flow.grids(np.array([row])))
    return flow.start_at(grid, np.array([grid_row]), np.array([grid_column]))[0].cpu().numpy()


def _velocity(flow: RunFlow) -> Velocity:
    """The learned field as the landscape needs it: NumPy in, NumPy out."""

    def velocity(x: np.ndarray, t: float) -> np.ndarray:
        with torch.inference_mode():
            points = torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(flow.detector.device)
            return (
                flow.detector.velocity(points, torch.as_tensor(t, dtype=points.dtype, device=points.device))
                .float()
                .cpu()
                .numpy()
            )

    return velocity
