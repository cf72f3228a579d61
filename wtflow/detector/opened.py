"""Open a detector by what a person names: a run, or a file that one was exported to. Imports torch."""

import hashlib
import json
from typing import Any

import numpy as np

from wtflow.config import Settings
from wtflow.deciding.force import threshold_in_force
from wtflow.detector.networks import backbone_of, open_detector
from wtflow.detector.record import OpenedDetector
from wtflow.features.backbone import Backbone
from wtflow.features.weight_sources import source_label
from wtflow.results import RunResults, open_results
from wtflow.scoring.detector import Detector
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore


def open_run(store: RunStore, run_id: str) -> OpenedDetector:
    """The detector of a finished run; its networks stay in memory while their files stay the same.

    Raises RunNotFoundError before the run has results, DamagedRunError, WeightsError.
    """
    results = open_results(store, run_id)
    detector, backbone = open_detector(store, run_id), backbone_of(store, run_id)
    settings = shared_settings(detector.settings)
    ids, vectors = store.index(run_id)
    normals = results.table[~results.table.is_defective.to_numpy(bool)]
    return OpenedDetector(
        name=notes_of(store, run_id).name or results.config.category,
        settings=settings,
        detector=detector,
        backbone=backbone,
        shape=results.shape,
        threshold=threshold_in_force(store, results),
        normal_scores=normals.score.to_numpy(np.float64),
        normal_looks=None,
        index=(tuple(ids), vectors),
        facts=_facts(store, results, backbone),
        fingerprint=fingerprint_of(detector, backbone),
    )


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


def _facts(store: RunStore, results: RunResults, backbone: Backbone) -> dict[str, Any]:
    data, metrics = store.data(results.run_id) or {}, results.metrics
    n_train = sum(sample.get("split") == "train" for sample in data.get("samples", ()))
    n_held_out = len(results.holdout)
    return {
        "run_id": results.run_id,
        "category": results.config.category,
        "created": results.config.created,
        "n_normals": n_train - n_held_out,
        "n_held_out": n_held_out,
        "n_test": len(results.test),
        "data_fingerprint": str(data.get("fingerprint", "")),
        "metrics": metrics["metrics"],
        "color_range": list(results.color_range),
        "source": str(metrics.get("source") or source_label(results.settings)),
        "weights_hash": backbone.weights_hash,
        "versions": results.config.versions,
    }
