"""Few steps against many: the run's own test set scored with each, and positions sent there and back. Imports torch."""

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wtflow.config import Settings, Solver
from wtflow.errors import DatasetError
from wtflow.flow.integrate import Velocity, integrate
from wtflow.flow.solvers import evaluations
from wtflow.machine.cores import n_cores
from wtflow.machine.progress import ShareDone
from wtflow.metrics import PixelMetrics, image_metrics
from wtflow.records.flow import ReturnTrip, Spread, StepsRow
from wtflow.records.shapes import Shape, at_once
from wtflow.records.truth import Truth
from wtflow.results import each_image, truth_of
from wtflow.scoring.detector import Detector, Maps
from wtflow.scoring.normals import NormalMaps, calibrate
from wtflow.scoring.pixels import grid_mask, scores_of, upsample
from wtflow.scoring.rows import no_maps
from wtflow.studies.positions import choose_positions
from wtflow.studies.run_flow import RunFlow
from wtflow.studies.travel import starts

BATCH = 8
"""Images moved at once, at most."""
EVALUATIONS_AT_ONCE = 40
"""Of the field, each for an image, between two words of progress: a fifth of a second on two cores with preset fast."""
LOST = 1e12
"""A path whose velocity is larger than this, or not a number, counts as gone to infinity."""

FEATURES_SHARE = 0.3
"""Share of the progress given to computing features, where the cache no longer has them."""
TRIP_SHARE = 0.1
"""Share given to the trips there and back."""

Plan = Sequence[tuple[Solver, int]]


def compute_steps(
    flow: RunFlow, plan: Plan, n_trips: int, seed: int, progress: ShareDone
) -> tuple[tuple[StepsRow, ...], tuple[ReturnTrip, ...]]:
    """Metrics, endpoint norms and time for each (solver, steps) of the plan and the run's own setting, then the return
    error of each.

    The score is always the endpoint score, because it alone depends on the steps. `progress(share)`
    may raise to stop. Raises DatasetError when the run has no test image, FlowError for values that are not finite.
    """
    test = flow.results.test
    if test.empty:
        raise DatasetError(
            f"Run {flow.results.run_id} has no test images to score.", fix="Add images to test/, then train again."
        )
    own = (flow.settings.solver, flow.settings.steps)
    wanted = sorted({*plan, own})
    begun = 0.0

    def tell_features(done: int, total: int) -> None:
        nonlocal begun
        begun = FEATURES_SHARE * done / total
        progress(begun)

    flow.cache_test_features(tell_features)
    costs = np.array([evaluations(*one) for one in wanted], float)
    borders = begun + np.concatenate([[0.0], np.cumsum(costs)]) / costs.sum() * (1 - TRIP_SHARE - begun)
    truths = _truths(flow)
    rows = []
    for one, low, high in zip(wanted, borders, borders[1:], strict=False):
        tell = lambda share, low=low, high=high: progress(low + share * (high - low))  # noqa: E731
        rows.append(_score(flow, *one, truths, tell, is_default=one == own))
    trips = compute_trips(flow, wanted, n_trips, seed, lambda share: progress(1 - TRIP_SHARE + TRIP_SHARE * share))
    return tuple(rows), trips


def compute_trips(flow: RunFlow, plan: Plan, n: int, seed: int, progress: ShareDone) -> tuple[ReturnTrip, ...]:
    """About n test positions (half in good images, half inside masks) integrated 0 -> 1 -> 0 with each solver and
    number of steps.

    Raises FlowError for a wrong setting.
    """
    positions = choose_positions(flow.results, flow.results.test.row.to_numpy(), "balanced", n, seed)
    errors, done = np.empty((len(plan), len(positions))), 0
    for start in starts(flow, positions, len(positions)):
        for i, (solver, steps) in enumerate(plan):
            errors[i, start.index] = (
                start.pick(return_error(flow.detector.velocity, start.x, solver, steps)).cpu().numpy()
            )
            done += len(start.index)
            progress(done / errors.size)
    return tuple(
        ReturnTrip(solver, steps, {name: spread(errors[i, positions.group == name]) for name in positions.groups})
        for i, (solver, steps) in enumerate(plan)
    )


def return_error(velocity: Velocity, x: Tensor, solver: Solver, steps: int) -> Tensor:
    """|return - start| / |start| of features x (..., C) sent to t=1 and back with equal steps: float64 (...), infinite
    where a path is lost.

    Raises FlowError for a wrong setting.
    """
    is_lost = torch.zeros(x.shape[:-1], dtype=torch.bool, device=x.device)

    def guarded(x_t: Tensor, t: Tensor) -> Tensor:
        v = velocity(x_t, t)
        is_lost.logical_or_(~(v.abs().amax(-1) < LOST))
        return torch.where(is_lost[..., None], 0, v)  # where one path is lost, the others go on

    with torch.inference_mode():
        end = integrate(guarded, x, steps, solver)
        back = integrate(guarded, end, steps, solver, t_start=1.0, t_end=0.0)
        error = (back - x).norm(dim=-1).double() / x.norm(dim=-1).double().clamp_min(1e-12)
        return torch.where(is_lost, torch.inf, error)


def spread(values: np.ndarray) -> Spread:
    """5 %, 50 % and 95 % quantile of (n,) values, n >= 1; values beyond float32 count as its largest, so that JSON
    can hold them.
    """
    low, middle, high = np.quantile(np.minimum(values, np.finfo(np.float32).max), (0.05, 0.5, 0.95))
    return float(low), float(middle), float(high)


def _truths(flow: RunFlow) -> list[Truth | None]:
    """The truth of the test images at map size; None where pixel metrics leave the image out."""
    return [truth_of(flow.results, image) for image in each_image(flow.results.test)]


def _score(
    flow: RunFlow, solver: Solver, steps: int, truths: list[Truth | None], progress: ShareDone, *, is_default: bool
) -> StepsRow:
    """One pass over the test set, a few images in memory at a time."""
    test, shape, settings = (
        flow.results.test,
        flow.results.shape,
        flow.settings.changed({"solver": solver, "steps": steps, "score": "endpoint"}),
    )
    detector = _calibrated(flow, settings, progress)
    pixels, scores = PixelMetrics(), []
    norms: dict[str, list[np.ndarray]] = {}
    images, done = list(each_image(test)), 0
    watch = _Watch()
    for maps, x in _maps(detector, flow.grids(test.row.to_numpy()), watch, shape):
        batch = slice(done, done + len(maps))
        done += len(maps)
        progress(done / len(images))
        large = upsample(detector.levelled(maps), shape, "endpoint")
        scores.append(scores_of(large, detector.whole_scores(x), settings.top_fraction))
        for one, small, pixel_map, truth in zip(images[batch], maps, large, truths[batch], strict=True):
            length = np.sqrt(2 * flow.n_channels * small)  # the endpoint score is |y|^2 / (2 d)
            if truth is not None:
                pixels.add(pixel_map, truth)
                inside = grid_mask(truth.defect, small.shape) if one.is_defective else np.ones(small.shape, bool)
                norms.setdefault(one.defect, []).append(length[inside])
    by_image, by_pixel = image_metrics(np.concatenate(scores), test.is_defective.to_numpy(bool)), pixels.result()
    return StepsRow(
        solver=solver,
        steps=steps,
        evaluations=evaluations(solver, steps),
        ms_per_image=1000 * watch.seconds / len(images),
        metrics={
            "image_auroc": by_image["image_auroc"],
            "pixel_auroc": by_pixel["pixel_auroc"],
            "aupro": by_pixel["aupro"],
        },
        norms={group: spread(np.concatenate(parts)) for group, parts in norms.items()},
        is_default=is_default,
    )


def _calibrated(flow: RunFlow, settings: Settings, progress: ShareDone) -> Detector:
    """The run's detector with these settings; edge factors and whole images as the run has them, for endpoints of this
    solver and number of steps.
    """
    plain = flow.detector.scoring_as(settings, None, None)
    ids, held_out = flow.training_ids(), flow.results.holdout.row.to_numpy()

    def maps_of(grids: Iterator[tuple[Any, np.ndarray]]) -> Maps:
        parts = []
        for after, x in _maps(plain, grids, _Watch(), flow.results.shape):
            progress(0.0)
            parts.append(Maps(after, plain.raw_before(x), plain.whole_scores(x)))
        return Maps(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else no_maps()

    normals = NormalMaps(
        len(ids),
        len(held_out),
        lambda indices: maps_of(flow.training_grids([ids[i] for i in indices])),
        lambda indices: maps_of(flow.grids(held_out[indices])),
        flow.results.shape,
    )
    return calibrate(plain, normals, flow.detector.whole)


class _Watch:
    """Seconds that the flow alone took."""

    seconds = 0.0


def _maps(
    detector: Detector, grids: Iterator[tuple[Any, np.ndarray]], watch: _Watch, shape: Shape
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Raw maps of named backbone features (H, W, C), some (B, h, w) at a time, computed as the run's own were; and
    the features at t=0.
    """
    settings = detector.settings
    n_images = max(n_cores(), min(BATCH, EVALUATIONS_AT_ONCE // evaluations(settings.solver, settings.steps)))
    n_images = at_once(n_images, settings.image_size, shape)
    while batch := list(itertools.islice(grids, n_images)):
        x = detector.start(np.stack([grid for _, grid in batch]))
        began = time.perf_counter()
        maps = detector.raw_after(x)
        watch.seconds += time.perf_counter() - began
        yield maps, x
