"""The test images scored as if the flow ended after each of the run's own steps. Imports torch.

Scores belong to their time: what levels the edge, and what brings whole images into the unit of the maps, is measured
on training normals after the same step, as the run did it at the end.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch

from wtflow.errors import DatasetError
from wtflow.machine.progress import ShareDone
from wtflow.metrics import image_metrics
from wtflow.records.follow import OverTime
from wtflow.records.shapes import at_once
from wtflow.scoring.detector import Detector, Maps
from wtflow.scoring.edges import chosen_images, distance_to_edge
from wtflow.scoring.maps import endpoint_score
from wtflow.scoring.normals import NormalMaps, calibrate
from wtflow.scoring.pixels import image_scores, upsample
from wtflow.scoring.rows import no_maps
from wtflow.studies.follow_paths import own_states, portions
from wtflow.studies.run_flow import RunFlow

BATCH = 4
"""Images moved at once: the states of all their steps are in memory."""

FEATURES_SHARE, NORMALS_SHARE = 0.3, 0.3
"""Shares of the progress given to features that the cache no longer has, and to the training normals."""

HIGH = 0.999
"""Quantile of all positions at the upper end of the colour scale, as the run's own scale has it."""


def compute_over_time(flow: RunFlow, progress: ShareDone) -> OverTime:
    """Image AUROC after each step of all test images. Raises DatasetError without any, FlowError for values that are
    not finite.
    """
    test, settings, shape = flow.results.test, flow.settings, flow.results.shape
    if test.empty:
        raise DatasetError(
            f"Run {flow.results.run_id} has no test images to score.", fix="Add images to test/, then train again."
        )
    flow.cache_test_features(lambda done, total: progress(FEATURES_SHARE * done / total))
    begun = FEATURES_SHARE + NORMALS_SHARE
    detectors = _calibrated(flow, lambda share: progress(FEATURES_SHARE + NORMALS_SHARE * share))
    scores = np.empty((settings.steps + 1, len(test)))
    places, done, ends, t = np.empty_like(scores), 0, [], np.zeros(0)
    for times, maps, x in _moved(flow, flow.grids(test.row.to_numpy())):
        t, batch = times, slice(done, done + len(x))
        described = None if flow.detector.whole is None else flow.detector.description(x)
        for k, (detector, raw) in enumerate(zip(detectors, maps, strict=True)):
            large = upsample(detector.levelled(raw), shape, "endpoint")
            places[k, batch] = image_scores(large, settings.top_fraction)
            whole = np.nan if detector.whole is None or described is None else detector.whole.scores(described)
            scores[k, batch] = np.fmax(places[k, batch], whole)
        ends.append(detectors[-1].levelled(maps[-1]))
        done += len(x)
        progress(begun + (1 - begun) * done / len(test))
    labels = test.is_defective.to_numpy(bool)
    rings = int(distance_to_edge(*flow.results.maps.shape[1:]).max()) + 1
    return OverTime(
        t=t,
        image_auroc=_auroc(scores, labels),
        places_auroc=_auroc(places, labels),
        factors=np.stack([_factors(one, rings) for one in detectors]),
        color_range=flow.results.color_range if is_own(flow) else _color_range(np.concatenate(ends), labels),
        n_images=len(test),
        n_defective=int(labels.sum()),
        has_whole=flow.detector.whole is not None,
        is_own=is_own(flow),
    )


def is_own(flow: RunFlow) -> bool:
    """Whether the run scores by the endpoint, so that the last step gives its own maps."""
    return flow.settings.score == "endpoint"


def _calibrated(flow: RunFlow, progress: ShareDone) -> list[Detector]:
    """The detector for each state: with edge factors and the unit of whole images of that time. The last is the run's
    own where it scores by the endpoint.
    """
    settings = flow.settings.changed({"score": "endpoint"})
    plain = flow.detector.scoring_as(settings, None, None)
    if settings.edge_quantile == 0 and flow.detector.whole is None:
        return [plain] * (settings.steps + 1)
    ids, held_out = flow.training_ids(), flow.results.holdout.row.to_numpy()
    fitted = [ids[i] for i in chosen_images(len(ids))]
    kept = held_out[chosen_images(len(held_out))] if flow.detector.whole is not None else held_out[:0]
    n, done, groups = len(fitted) + len(kept), 0, []
    for grids in (flow.training_grids(fitted), flow.grids(kept) if len(kept) else ()):
        parts = []
        for _, maps, x in _moved(flow, grids):
            parts.append(maps)
            done += len(x)
            progress(done / n)
        groups.append(np.concatenate(parts, axis=1) if parts else None)
    found = [
        calibrate(plain, _normals_at(flow, k, len(ids), len(held_out), groups), flow.detector.whole)
        for k in range(settings.steps + 1)
    ]
    return [*found[:-1], flow.detector] if is_own(flow) else found


def _normals_at(flow: RunFlow, k: int, n_fitted: int, n_held_out: int, groups: list[Any]) -> NormalMaps:
    """The maps of training normals after step k, as `calibrate` asks for them: always those chosen already."""

    def maps_of(group: np.ndarray | None) -> Maps:
        return no_maps() if group is None else Maps(group[k], group[0], np.full(group.shape[1], np.nan))

    fitted, held_out = groups
    return NormalMaps(n_fitted, n_held_out, lambda _: maps_of(fitted), lambda _: maps_of(held_out), flow.results.shape)


def _moved(
    flow: RunFlow, grids: Iterable[tuple[Any, np.ndarray]]
) -> Iterator[tuple[np.ndarray, np.ndarray, torch.Tensor]]:
    """Times (S,), raw maps (S, B, h, w) and features at t=0 (B, h, w, C) of named backbone features, some at a time."""
    waiting, n_most = iter(grids), at_once(BATCH, flow.settings.image_size, flow.results.shape)
    while batch := list(islice(waiting, n_most)):
        x = flow.detector.start(np.stack([grid for _, grid in batch]))
        parts = [own_states(flow.detector, part) for part in portions(flow.detector, x)]
        maps = torch.cat([endpoint_score(states).reshape(len(states), -1) for _, states in parts], dim=1)
        yield parts[0][0], maps.reshape(-1, *x.shape[:-1]).cpu().numpy(), x


def _auroc(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    found = [image_metrics(row, labels)["image_auroc"] for row in scores]
    return np.array([np.nan if value is None else value for value in found])


def _factors(detector: Detector, rings: int) -> np.ndarray:
    return np.ones(rings, np.float32) if detector.edges is None else detector.edges.after


def _color_range(maps: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    low, high = float(np.median(maps[~labels] if not labels.all() else maps)), float(np.quantile(maps, HIGH))
    return low, high if high > low else low + 1.0
