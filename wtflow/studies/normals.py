"""The training normals of a finished run scored by detectors that did not learn from them. Imports torch."""

import numpy as np

from wtflow.datasets.run_images import data_from_json
from wtflow.detector.networks import backbone_of, open_detector
from wtflow.errors import DatasetError
from wtflow.features.extract import features_of
from wtflow.machine.progress import ShareDone
from wtflow.records.normals import NormalScores
from wtflow.results import open_results
from wtflow.store.features import FeatureCache
from wtflow.store.runs import RunStore
from wtflow.studies.requests import NormalsRequest
from wtflow.training.crossfit import FEWEST, cross_fit


def score_normals(store: RunStore, run_id: str, request: NormalsRequest, progress: ShareDone) -> NormalScores:
    """The scores, in the unit of the run's own. Takes five trainings (`full`) or two fifths of one (`short`).
    Raises DatasetError with too few normals, ImageReadError, WeightsError where features cannot be computed again.
    """
    results = open_results(store, run_id)
    data = data_from_json(store.data(run_id) or {"samples": [], "held_out": []})
    cache = FeatureCache(store.home)
    keys = features_of(backbone_of(store, run_id), data, cache, lambda done, total: progress(0.2 * done / total))
    detector = open_detector(store, run_id)
    detector = detector.scoring_as(
        detector.settings.changed({"cross_fit": request.effort}), detector.edges, detector.whole
    )
    held_out = results.holdout.set_index("sample_id").score
    own = np.array([held_out[data.train[row].id] for row in data.held_out], np.float64)
    found = cross_fit(detector, cache, keys.train, data, own, lambda done, total: progress(0.2 + 0.8 * done / total))
    if found is None:
        raise DatasetError(
            f"Run {run_id} learned from fewer than {FEWEST} normals: they cannot be scored by each other.",
            fix="Add normal images and train again, or choose another rule.",
        )
    return found
