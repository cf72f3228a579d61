"""Open a detector by what a person names: a run, or a file that one was exported to. Imports torch."""

from pathlib import Path
from typing import Any

from wtflow.deciding.evidence import evidence_of
from wtflow.deciding.force import threshold_in_force
from wtflow.detector.file import open_file
from wtflow.detector.fingerprint import fingerprint_of, shared_settings
from wtflow.detector.looks import kept_looks
from wtflow.detector.networks import backbone_of, open_detector
from wtflow.detector.parts import SUFFIX
from wtflow.detector.record import OpenedDetector
from wtflow.errors import RunNotFoundError
from wtflow.features.backbone import Backbone
from wtflow.features.weight_sources import source_label, weights_licence
from wtflow.results import RunResults, open_results
from wtflow.store import layout
from wtflow.store.notes import notes_of
from wtflow.store.runs import RunStore

__all__ = ["open_any", "open_file", "open_run"]


def open_any(store: RunStore, text: str) -> OpenedDetector:
    """The detector that a person names: the id of a run, the folder of a run, or the path of a .wtf file.

    Raises RunNotFoundError where it is none of them, and what `open_run` and `open_file` raise.
    """
    if layout.is_run_id(text):
        return open_run(store, text)
    path = Path(text).expanduser()
    if path.is_dir() and layout.is_run_id(path.absolute().name):
        return open_run(RunStore(path.absolute().parent), path.absolute().name)
    if path.suffix == SUFFIX or path.is_file():
        return open_file(path)
    raise RunNotFoundError(
        f"There is no run and no detector's file {text[:120]!r}.",
        fix=f"Give the id of a run, as `python -m wtflow runs` lists it, or the path of a {SUFFIX} file.",
    )


def open_run(store: RunStore, run_id: str) -> OpenedDetector:
    """The detector of a finished run; its networks stay in memory while their files stay the same.

    Raises RunNotFoundError before the run has results, DamagedRunError, WeightsError.
    """
    results = open_results(store, run_id)
    detector, backbone = open_detector(store, run_id), backbone_of(store, run_id)
    settings = shared_settings(detector.settings)
    ids, vectors = store.index(run_id)
    return OpenedDetector(
        name=notes_of(store, run_id).name or results.config.category,
        settings=settings,
        detector=detector,
        backbone=backbone,
        shape=results.shape,
        threshold=threshold_in_force(store, results),
        normal_scores=evidence_of(results).all_normals,
        normal_looks=kept_looks(store, run_id),
        index=(tuple(ids), vectors),
        facts=_facts(store, results, backbone),
        fingerprint=fingerprint_of(detector, backbone),
    )


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
        "licence": weights_licence(results.settings),
        "weights_hash": backbone.weights_hash,
        "versions": results.config.versions,
    }
