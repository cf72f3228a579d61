"""Answers that need a run's flow: features are moved, projected, scored with other steps. Imports torch."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wtflow.flow.solvers import evaluations
from wtflow.machine.pace import slowness
from wtflow.machine.progress import Progress, ShareDone
from wtflow.records.failures import NearestNormals
from wtflow.records.flow import Ideal, PositionSet, Projection, Travel
from wtflow.records.spacing import spaced
from wtflow.results import RunResults
from wtflow.store.pace import keep_paces, read_paces
from wtflow.store.runs import RunStore
from wtflow.studies.ideal import compute_ideal
from wtflow.studies.nearest_normals import find_nearest
from wtflow.studies.pca import Pca, fit_pca
from wtflow.studies.plane import compute_landscapes
from wtflow.studies.positions import choose_positions, drawn_evenly, one_position
from wtflow.studies.projection import project_umap
from wtflow.studies.requests import (
    Answer,
    LandscapeAnswer,
    LandscapeRequest,
    NearestRequest,
    StepsAnswer,
    StepsRequest,
    TravelRequest,
    UmapRequest,
)
from wtflow.studies.run_flow import RunFlow, open_flow
from wtflow.studies.steps import compute_steps
from wtflow.studies.travel import CHUNK, compute_travel, starts, walks
from wtflow.studies.trust import trustworthiness_of
from wtflow.studies.umap_clock import UmapClock, expected_stages, is_compiled, pace_name, stage_seconds

BASIS_IMAGES, BASIS_POSITIONS = 64, 64
"""Training normals, and positions in each, that the principal axes are fitted on."""

IDEAL_POSITIONS, IDEAL_STEPS = 256, 20
LANDSCAPE_POINTS = 41
"""Points along a side: the potential takes well under a third of a second."""


def positions_of(results: RunResults, request: TravelRequest) -> PositionSet:
    """The positions that a request means. Raises FlowError."""
    if request.at is not None:
        return one_position(results, request.rows[0], *request.at)
    rows = np.array(request.rows, int) if request.rows else results.test.row.to_numpy()
    return choose_positions(results, rows, request.how, request.n, request.seed)


def normal_start(flow: RunFlow, n_images: int = BASIS_IMAGES, n_each: int = BASIS_POSITIONS) -> np.ndarray:
    """Normalised features (M, C) float32 at t=0 of training normals, spread evenly over images and places; always
    the same ones.
    """
    ids = flow.training_ids()
    drawn = []
    for _, grid in flow.training_grids([ids[i] for i in spaced(len(ids), n_images)]):
        cells = spaced(grid.shape[0] * grid.shape[1], n_each)
        drawn.append(flow.start_at(grid, cells // grid.shape[1], cells % grid.shape[1]).cpu().numpy())
    return np.concatenate(drawn)


def principal_axes(flow: RunFlow) -> Pca:
    """The first two principal axes of normal features at t=0."""
    return fit_pca(normal_start(flow), 2)


def ideal_of(store: RunStore, run_id: str) -> Ideal:
    """IDEAL_POSITIONS training positions under each coupling, with the learned paths. Quick, so it is not kept on
    disk. Raises FlowError.
    """
    flow = open_flow(store, run_id)
    start = normal_start(flow)
    return compute_ideal(flow, start, fit_pca(start, 2), IDEAL_POSITIONS, IDEAL_STEPS, seed=0)


def _landscape(flow: RunFlow, request: LandscapeRequest, progress: ShareDone) -> LandscapeAnswer:
    where = request.plane, request.normal, request.defect
    tell = lambda done, total: progress(done / total)  # noqa: E731
    return compute_landscapes(flow, normal_start(flow), *where, LANDSCAPE_POINTS, tell)


def _travel(flow: RunFlow, request: TravelRequest, progress: ShareDone) -> Travel:
    positions = positions_of(flow.results, request)
    basis = principal_axes(flow)
    tell = lambda done, total: progress(done / total)  # noqa: E731
    return compute_travel(
        flow, positions, request.steps, request.solver, basis, tell, n_probes=request.n_probes, seed=request.seed
    )


def _umap(flow: RunFlow, request: UmapRequest, progress: ShareDone) -> Projection:
    positions = positions_of(flow.results, request.travel)
    n_fit, was_compiled = min(request.n_fit, len(positions)), is_compiled()
    steps = evaluations(request.travel.solver, request.travel.steps) if request.times == "end" else 0
    stages = stage_seconds(len(positions), n_fit, flow.n_channels, request.metric, steps, is_compiled=was_compiled)
    slow = slowness()
    clock = UmapClock(progress, expected_stages(stages, read_paces(flow.store), slow))
    clock.tell("move", 0.0)
    x = _at_one_end(flow, positions, request, lambda done, total: clock.tell("move", done / total))
    projection = project_umap(
        x,
        1.0 if request.times == "end" else 0.0,
        drawn_evenly(positions.group, request.n_fit, request.seed),
        n_neighbors=request.n_neighbors,
        min_dist=request.min_dist,
        metric=request.metric,
        seed=request.seed,
        tell=clock.tell,
    )
    clock.tell("trust", 0.0)
    trust, n_trusted = trustworthiness_of(x, projection.points[0], request.metric)
    clock.end()
    taken = {name: seconds for name, seconds in clock.taken.items() if was_compiled or name != "load"}
    keep_paces(flow.store, {pace_name(name): seconds / (stages[name] * slow) for name, seconds in taken.items()})
    return replace(projection, trust=trust, n_trusted=n_trusted)


def _at_one_end(flow: RunFlow, positions: PositionSet, request: UmapRequest, progress: Progress) -> np.ndarray:
    """Features (N, C) of the positions at t=1, or at t=0, where nothing has to move."""
    x = np.empty((len(positions), flow.n_channels), np.float32)
    if request.times == "end":
        for walk in walks(flow, positions, request.travel.steps, request.travel.solver, progress):
            x[walk.index] = walk.x[-1].cpu().numpy()
        return x
    done = 0
    for start in starts(flow, positions, CHUNK):
        x[start.index] = start.pick(start.x).float().cpu().numpy()
        done += len(start.index)
        progress(done, len(positions))
    return x


def _nearest(flow: RunFlow, request: NearestRequest, progress: ShareDone) -> NearestNormals:
    return find_nearest(flow, lambda done, total: progress(done / total))


def _steps(flow: RunFlow, request: StepsRequest, progress: ShareDone) -> StepsAnswer:
    return compute_steps(flow, request.plan, request.n_trips, request.seed, progress)


COMPUTED_BY: Final[Mapping[str, Callable[[RunFlow, Any, ShareDone], Answer]]] = {
    "travel": _travel,
    "umap": _umap,
    "steps": _steps,
    "landscape": _landscape,
    "nearest": _nearest,
}
"""Kind of a request -> what computes its answer."""
