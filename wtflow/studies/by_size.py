"""The map of a scored image taken apart by the sizes at which the run sees images. Imports torch.

A position's score is the mean over the channels of all sizes, and each size has as many. So the parts add up.
"""

import torch

from wtflow.detector.networks import features_of, open_detector
from wtflow.errors import FlowError
from wtflow.machine.progress import one_thread
from wtflow.records.by_size import BySize
from wtflow.results import image_of_row, open_results
from wtflow.scoring.edges import level
from wtflow.scoring.maps import endpoints_by_size
from wtflow.scoring.precision import autocast
from wtflow.store.runs import RunStore

TAKEN_APART = ("endpoint", "relative")
"""Scores whose raw map is that of the endpoint."""


def map_by_size(store: RunStore, run_id: str, row: int) -> BySize:
    """The parts of the map of scored image `row`, levelled near the edge as the map is.

    Raises FlowError for a run of one size or of another score, RunNotFoundError for a row that the run does not have,
    ImageReadError when the image is gone, ImageChangedError when it is not the one that was scored.
    """
    results = open_results(store, run_id)
    settings = results.settings
    if len(settings.sizes) == 1 or settings.score not in TAKEN_APART:
        raise FlowError(
            f"The maps of run {run_id} have no parts by size.",
            fix="Parts have maps of the endpoint, of runs that see images at several sizes (smaller_sizes).",
        )
    scored = image_of_row(results.table, row)
    image = results.seen.original(scored.sample_id, results.shape)
    with one_thread(), torch.inference_mode():
        detector = open_detector(store, run_id)
        x = detector.start(features_of(store, run_id, image))
        with autocast(detector.device, settings):
            parts = endpoints_by_size(detector.velocity, x, settings)[:, 0].float().cpu().numpy()
    if detector.edges is not None:
        parts = level(parts, detector.edges.after)
    return BySize(settings.sizes, parts / len(settings.sizes))
