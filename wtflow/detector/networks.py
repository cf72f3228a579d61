"""A run's detector and backbone, kept in memory while their files stay the same. Imports torch."""

import functools
import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from wtflow.config import settings_from_json
from wtflow.errors import WeightsError
from wtflow.features.backbone import Backbone, load_backbone
from wtflow.machine.devices import pick_device
from wtflow.scoring.detector import Detector, load_detector
from wtflow.store import layout
from wtflow.store.runs import RunStore

MOST_KEPT: Final = 4
"""Images whose features stay in memory: of a large run some ten megabytes each."""
_LATEST: dict[tuple[object, ...], np.ndarray] = {}


def open_detector(store: RunStore, run_id: str) -> Detector:
    """The run's detector on the CPU or GPU; kept in memory while its checkpoint stays the same."""
    path = store.result_path(run_id, layout.CHECKPOINT)
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    detector = _detector(path, store.config(run_id).settings.to_json(), stamp)
    return detector.scoring_as(detector.settings, store.edges(run_id), store.whole(run_id))


def backbone_of(store: RunStore, run_id: str) -> Backbone:
    """The run's backbone, with the very weights it was trained on.
    Raises WeightsError when the file has changed since.
    """
    settings = store.config(run_id).settings
    weights = Path(settings.weights)
    backbone = _backbone(settings.to_json(), weights.stat().st_mtime_ns if weights.is_file() else 0)
    expected = store.metrics(run_id).get("weights_hash")
    if expected not in (None, backbone.weights_hash):
        if settings.is_untrained:
            raise WeightsError(
                f"The random weights of {settings.backbone} come out differently here than where run {run_id} was"
                " trained.",
                fix="Train it again on this computer with this version; what the run has stored stays readable.",
            )
        raise WeightsError(
            f"The weights {settings.weights} have changed since run {run_id} was trained.",
            fix="Put the old file back, or train again.",
        )
    return backbone


def features_of(store: RunStore, run_id: str, image: np.ndarray) -> np.ndarray:
    """Backbone features (1, H, W, C) of an image (H, W, 3), as `Backbone.compute` gives them; those of the images asked
    for last are kept in memory, since a person asks for many positions of one image. Raises WeightsError.
    """
    backbone = backbone_of(store, run_id)
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).hexdigest()
    key = (run_id, backbone.weights_hash, image.shape, digest)
    found = _LATEST.get(key)
    if found is None:
        found = _LATEST[key] = backbone.compute(image[None])
        while len(_LATEST) > MOST_KEPT:
            _LATEST.pop(next(iter(_LATEST)), None)
    return found


@functools.lru_cache(maxsize=4)
def _detector(path: Path, settings_json: str, stamp: int) -> Detector:
    """`stamp` is the time of the checkpoint: a newer file is another key."""
    return load_detector(path, settings_from_json(settings_json), pick_device())


@functools.lru_cache(maxsize=2)
def _backbone(settings_json: str, stamp: int) -> Backbone:
    """`stamp` is the time of the weights file, if they come from one: a newer file is another key."""
    return load_backbone(settings_from_json(settings_json)).to(pick_device())
