"""The study of couplings of one run, unit by unit: what is done survives a stop. Imports torch."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from wtflow.machine.pace import slowness
from wtflow.machine.progress import Share, ShareDone
from wtflow.records.coupling import CouplingStudy, FlowRow
from wtflow.store.pace import keep_paces
from wtflow.studies.coupling.clock import PACE, n_cores, unit_seconds
from wtflow.studies.coupling.features import StudyFeatures, read_features
from wtflow.studies.coupling.flows import train_flows
from wtflow.studies.coupling.kept import Done, read_done, write_done
from wtflow.studies.coupling.measure import field_of
from wtflow.studies.coupling.plan import GRID, IMAGE_GROUP, Plan, Unit, plan_of
from wtflow.studies.coupling.scenes import Scene, grid_scene, position_scene
from wtflow.studies.coupling.scores import ImageSet, score_before, score_flow, weights_of
from wtflow.studies.requests import CouplingRequest
from wtflow.studies.run_flow import RunFlow

READING: Final = 0.05
"""Share of the progress given to reading features."""
TRAINING: Final = 0.8
"""Share of a unit's progress given to training."""


def compute_study(flow: RunFlow, request: CouplingRequest, part: Path, progress: ShareDone) -> CouplingStudy:
    """The study, going on from what the file `part` holds, which is kept up to date. `progress(share)` may raise to
    stop. Raises as `RunFlow.grids` does, and DiskFullError, StoreError.
    """
    began = time.monotonic()
    plan = plan_of(request, flow.settings, flow.n_channels)

    def tell_reading(done: int, total: int) -> None:
        progress(Share(READING * done / total, "reading features"))

    features = read_features(flow, request.n_positions, request.n_scored, tell_reading)
    scene_of = _scenes(flow, plan, features)
    done = read_done(part)
    clock = _Clock(plan, features.test.shape[:3], done, progress)
    for unit in clock.todo:
        _do(unit, scene_of(unit), done, clock.begin(unit))
        done.seconds, began = done.seconds + time.monotonic() - began, time.monotonic()
        write_done(part, done)
    clock.keep(flow)
    return _study(flow, plan, features, done)


def _scenes(flow: RunFlow, plan: Plan, features: StudyFeatures) -> Callable[[Unit], Scene]:
    """Unit -> its scene. The last two are kept: units of one dimension follow each other."""
    labels, truths = features.labels, features.truths
    edges, shape = flow.detector.edges, features.test.shape[1:3]
    images = ImageSet(
        labels,
        truths,
        features.shape,
        weights_of(labels, truths, plan.request.n_resamples),
        None if edges is None else edges.after,
        flow.settings.top_fraction,
    )
    of_grids = images if shape == (GRID, GRID) else replace(images, factors=None)

    @lru_cache(maxsize=2)
    def made(part: str, dimension: int) -> Scene:
        if part == "images":
            return grid_scene(flow.settings, plan, features, of_grids)
        return position_scene(flow.settings, plan, features, images, dimension)

    return lambda unit: made(unit.part, unit.dimension)


def _do(unit: Unit, scene: Scene, done: Done, tell: Callable[[float], None]) -> None:
    """Compute a unit and add it to what is done."""
    if unit.kind == "strength":
        done.strengths[unit.name] = scene.strengths()
        done.before[unit.name] = score_before(scene.starts, scene.images)
        return
    coupling = "worst" if unit.kind == "paired" else "independent"
    settings = scene.settings(coupling, unit.group_size or 2, unit.seed)
    found = train_flows(scene.batches(settings), settings, scene.channels, lambda share: tell(TRAINING * share))
    drawn, rows, scores = scene.drawn(settings), [], []
    for i, (name, velocity) in enumerate(found.items()):
        field = field_of(velocity, drawn, scene.normals)
        rows.append(FlowRow(unit.part, unit.dimension, unit.group_size, name, unit.seed, **field._asdict()))
        scores.append(score_flow(velocity, scene.starts, scene.images, settings))
        tell(TRAINING + (1 - TRAINING) * (i + 1) / len(found))
    done.add_flows(unit.name, rows, np.stack(scores))


class _Clock:
    """Tells how far the study is, and what is left at the pace so far."""

    def __init__(self, plan: Plan, shape: tuple[int, ...], done: Done, progress: ShareDone) -> None:
        units = list(plan.units())
        self.expected = {unit: unit_seconds(unit, plan, shape) for unit in units}
        self.todo = [unit for unit in units if unit.name not in done]
        self.progress, self.whole = progress, sum(self.expected.values())
        self.past = self.whole - sum(self.expected[unit] for unit in self.todo)
        self.began, self.at_start = time.monotonic(), self.past

    def begin(self, unit: Unit) -> Callable[[float], None]:
        """A function of the share of this unit that is done."""
        past = self.past
        self.past += self.expected[unit]

        def tell(share: float) -> None:
            reached = past + share * self.expected[unit]
            gone, taken = reached - self.at_start, time.monotonic() - self.began
            left = (self.whole - reached) * (taken / gone if gone > 0.02 * self.whole else 1 / n_cores())
            self.progress(Share(READING + (1 - READING) * reached / self.whole, unit.words, left))

        tell(0.0)
        return tell

    def keep(self, flow: RunFlow) -> None:
        """Keep the pace for the next promise."""
        if (gone := self.past - self.at_start) > 0:
            taken = time.monotonic() - self.began
            keep_paces(flow.store, {PACE: taken * n_cores() / (gone * slowness())})


def _study(flow: RunFlow, plan: Plan, features: StudyFeatures, done: Done) -> CouplingStudy:
    """All that is done as one answer."""
    names, request = [unit.name for unit in plan.units()], plan.request
    flows = [name for name in names if name in done.flows]
    return CouplingStudy(
        strengths=tuple(one for name in names for one in done.strengths.get(name, ())),
        flows=tuple(row for name in flows for row in done.flows[name]),
        values=np.concatenate([done.scores[name][:, :, 0] for name in flows]),
        drawn=np.concatenate([done.scores[name][:, :, 1:] for name in flows]).astype(np.float32),
        before=np.stack([done.before[Unit("strength", "positions", d).name] for d in plan.dimensions]),
        dimensions=plan.dimensions,
        group_sizes=plan.group_sizes,
        own_group=plan.own_group,
        own_part=plan.own_part,
        image_dimension=plan.image_dimension,
        image_group=IMAGE_GROUP,
        grid=(features.test.shape[1], features.test.shape[2]),
        n_images=len(features.images),
        n_defective=int(features.labels.sum()),
        n_tested=len(flow.results.test),
        is_full=request.is_full,
        n_seeds=request.n_seeds,
        iterations=request.iterations,
        width=request.width,
        n_positions=len(features.pool),
        seconds=done.seconds,
    )
