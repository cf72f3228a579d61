"""A detector as one file that leaves the house, and back: opened without the run, the weights' own file or a network.

A .wtf file is a zip whose members are stored as they are: detector.json, and tensors as safetensors. Nothing in it is
executed. The same detector gives the same bytes. Imports torch.
"""

import functools
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
from torch import Tensor

from wtflow import __version__
from wtflow.config import Settings, settings_from_json
from wtflow.datasets.tiles import MOST_PIXELS
from wtflow.detector.card import Card, card_of, edges_of, read_card
from wtflow.detector.fingerprint import fingerprint_of
from wtflow.detector.parts import FLOW, NORMALS, SUFFIX, WEIGHTS, read_parts, write_parts
from wtflow.detector.record import OpenedDetector
from wtflow.errors import DetectorFileError, SettingsError, WTFlowError
from wtflow.features.backbone import Backbone
from wtflow.features.timm_models import checked_args, description, features_model
from wtflow.machine.devices import pick_device
from wtflow.records.looks import looks_from_arrays
from wtflow.records.whole import whole_from_arrays
from wtflow.scoring.detector import detector_of

AGAIN = "Export it again, or copy it again from where it came from."


def write_file(opened: OpenedDetector, path: Path) -> int:
    """Write a detector to a .wtf file; returns its bytes. Raises SettingsError for another ending, DiskFullError,
    StoreError.
    """
    if path.suffix != SUFFIX or path.is_dir():
        raise SettingsError(
            f"{path} is no name for a detector's file.", fix=f"Give one that ends with {SUFFIX}, such as screw{SUFFIX}."
        )
    detector = opened.detector
    flow = {f"normaliser.{key}": value for key, value in detector.normaliser.state_dict().items()}
    flow |= {f"velocity.{key}": value for key, value in detector.velocity.state_dict().items()}
    return write_parts(
        path,
        card_of(opened, __version__),
        {
            WEIGHTS: safetensors.torch.save(_halved(opened.backbone.model.state_dict())),
            FLOW: safetensors.torch.save({key: _plain(value) for key, value in flow.items()}),
            NORMALS: safetensors.numpy.save(_normals(opened)),
        },
    )


def open_file(path: Path | str) -> OpenedDetector:
    """The detector of a .wtf file, on the CPU or GPU; kept in memory while the file stays the same.

    Raises DetectorFileError for a file that is absent, damaged, of a newer version, or not one of ours.
    """
    path = Path(path)
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise DetectorFileError(f"There is no detector's file {path}.", fix="Check the path.") from error
    return _opened(path.absolute(), (found.st_mtime_ns, found.st_size, found.st_ino))


@functools.lru_cache(maxsize=2)
def _opened(path: Path, stamp: tuple[int, ...]) -> OpenedDetector:
    """`stamp` is another one for a file that was written again."""
    content, parts = read_parts(path)
    card = read_card(content, path.name)
    try:
        return _built(card, parts)
    except WTFlowError as error:
        raise DetectorFileError(f"{path.name} cannot be used: {error.message}", fix=AGAIN) from error
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise DetectorFileError(
            f"{path.name} does not hold a detector that fits its settings ({_in_a_line(error)}).", fix=AGAIN
        ) from error


def _built(card: Card, parts: dict[str, bytes]) -> OpenedDetector:
    device, settings = pick_device(), settings_from_json(card.settings_json)
    height, width = card.shape
    if min(card.shape) < 1 or height * width > MOST_PIXELS:
        raise ValueError(f"images of {width} x {height} px")
    backbone = _backbone(settings, card, safetensors.torch.load(parts[WEIGHTS])).to(device)
    normals = safetensors.numpy.load(parts[NORMALS])
    plain = detector_of(safetensors.torch.load(parts[FLOW]), settings, device)
    whole = _named(normals, "whole")
    detector = plain.scoring_as(
        settings, edges_of(_named(normals, "edges"), card), whole_from_arrays(whole) if whole else None
    )
    looks, vectors, scores = _named(normals, "looks"), normals.get("index.vectors"), normals["scores"]
    if scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError("the scores of normal images are not numbers")
    if vectors is not None and vectors.shape != (len(card.index_ids), detector.normaliser.channels):
        raise ValueError("the index of normal images does not fit")
    return OpenedDetector(
        name=card.name,
        settings=settings,
        detector=detector,
        backbone=backbone,
        shape=(height, width),
        threshold=card.threshold.decision,
        normal_scores=scores,
        normal_looks=looks_from_arrays(looks | {"ids": np.array(card.looks_ids, str)}) if looks else None,
        index=None if vectors is None else (card.index_ids, vectors),
        facts=card.facts.model_dump(mode="json"),
        fingerprint=fingerprint_of(detector, backbone),
    )


def _backbone(settings: Settings, card: Card, tensors: dict[str, Tensor]) -> Backbone:
    """The network of the settings with these weights. `description` refuses names that timm would look up elsewhere."""
    args = checked_args(settings)
    description(settings.backbone)
    model = features_model(settings, args, None)
    model.load_state_dict(tensors)
    model.eval().requires_grad_(False)
    backbone = Backbone(model, settings, card.mean, card.std)
    if backbone.weights_hash != card.facts.weights_hash:
        raise ValueError("the weights of the backbone are others")
    return backbone


def _halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, those in half precision that lose nothing by it, such as the embedded ones."""
    halved = {}
    for key, value in tensors.items():
        half = value.half() if value.dtype == torch.float32 else value
        halved[key] = _plain(half if torch.equal(half.to(value.dtype), value) else value)
    return halved


def _plain(value: Tensor) -> Tensor:
    return value.detach().cpu().contiguous()


def _normals(opened: OpenedDetector) -> dict[str, np.ndarray]:
    arrays = {"scores": opened.normal_scores}
    if (edges := opened.detector.edges) is not None:
        arrays |= {"edges.after": edges.after, "edges.before": edges.before}
    if (whole := opened.detector.whole) is not None:
        arrays |= {f"whole.{key}": value for key, value in whole.to_arrays().items()}
    if opened.index is not None:
        arrays["index.vectors"] = opened.index[1]
    if opened.normal_looks is not None:
        looks = opened.normal_looks.to_arrays()
        arrays |= {f"looks.{key}": value for key, value in looks.items() if key != "ids"}
    return {key: np.ascontiguousarray(value) for key, value in arrays.items()}


def _named(arrays: dict[str, np.ndarray], group: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{group}."): value for key, value in arrays.items() if key.startswith(f"{group}.")}


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
