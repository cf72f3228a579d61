"""A name for all that scores depend on. Imports torch."""

import hashlib
import json

import numpy as np

from wtflow.config import Settings
from wtflow.features.backbone import Backbone
from wtflow.scoring.detector import Detector


def shared_settings(settings: Settings) -> Settings:
    """The same without the folder of a weights file on this computer."""
    path = settings.weights_file
    return settings if path is None else settings.model_copy(update={"weights": path.name})


def fingerprint_of(detector: Detector, backbone: Backbone) -> str:
    """SHA-256 of settings, weights, normaliser, flow, edge factors and whole images."""
    digest = hashlib.sha256(backbone.weights_hash.encode())
    digest.update(json.dumps(shared_settings(detector.settings).model_dump(mode="json"), sort_keys=True).encode())
    arrays = {f"normaliser.{key}": value.cpu().numpy() for key, value in detector.normaliser.state_dict().items()}
    arrays |= {f"velocity.{key}": value.cpu().numpy() for key, value in detector.velocity.state_dict().items()}
    if detector.edges is not None:
        arrays |= {"edges.after": detector.edges.after, "edges.before": detector.edges.before}
    if detector.whole is not None:
        arrays |= {f"whole.{key}": value for key, value in detector.whole.to_arrays().items()}
    for key in sorted(arrays):
        digest.update(f"\0{key}\0{arrays[key].dtype}\0{arrays[key].shape}\0".encode())
        digest.update(np.ascontiguousarray(arrays[key]).tobytes())
    return digest.hexdigest()
