"""A trained detector: normaliser and velocity field, saved to and read from one safetensors file."""

import contextlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import DamagedRunError
from wtflow.flow.velocity import build_velocity
from wtflow.records.edges import EdgeFactors
from wtflow.records.whole import WholeImage
from wtflow.scoring.edges import level
from wtflow.scoring.maps import compute_map, endpoint_score
from wtflow.scoring.normalise import Normaliser, empty_normaliser
from wtflow.scoring.precision import autocast
from wtflow.scoring.whole import describe, described_part
from wtflow.store.files import write_atomic


class Maps(NamedTuple):
    """Maps and whole-image scores of B images."""

    after: np.ndarray
    """Raw maps after the flow (B, H, W), levelled where edges are known."""
    before: np.ndarray
    """The same before it: half the mean square of the input, the no-flow floor."""
    whole: np.ndarray
    """Scores of the images as a whole, float64 (B,), in the unit of `after`; NaN where they are not scored."""


class Detector:
    """Features in, raw score maps out."""

    def __init__(
        self,
        settings: Settings,
        normaliser: Normaliser,
        velocity: nn.Module,
        edges: EdgeFactors | None = None,
        whole: WholeImage | None = None,
    ) -> None:
        self.settings, self.normaliser, self.velocity, self.edges, self.whole = (
            settings,
            normaliser,
            velocity,
            edges,
            whole,
        )
        self.device = next(velocity.parameters()).device

    def start(self, features: np.ndarray) -> Tensor:
        """Normalised features at t=0: (B, H, W, C) float16 -> (B, H, W, K) float32 on the detector's device."""
        with torch.inference_mode():
            return self.normaliser(torch.from_numpy(np.ascontiguousarray(features)).to(self.device).float())

    def maps(self, features: np.ndarray) -> Maps:
        """Maps and whole-image scores of backbone features (B, H, W, C), float16."""
        x = self.start(features)
        after, before = self.raw_after(x), self.raw_before(x)
        if self.edges is not None:
            before = level(before, self.edges.before)
        return Maps(self.levelled(after), before, self.whole_scores(x))

    def raw_after(self, x: Tensor) -> np.ndarray:
        """Maps after the flow of features at t=0 (B, H, W, K), float32 (B, H, W), not levelled."""
        self.velocity.eval()
        with autocast(self.device, self.settings):
            return compute_map(self.velocity, x, self.settings, self.settings.seed)

    def raw_before(self, x: Tensor) -> np.ndarray:
        """Maps before the flow of features at t=0 (B, H, W, K), float32 (B, H, W), not levelled."""
        return endpoint_score(x).cpu().numpy()

    def levelled(self, after: np.ndarray) -> np.ndarray:
        """Maps after the flow (B, H, W), divided by the edge factors where the detector has them."""
        return after if self.edges is None else level(after, self.edges.after)

    def whole_scores(self, x: Tensor) -> np.ndarray:
        """Scores of whole images by their features at t=0 (B, H, W, K), as in `Maps`."""
        return np.full(len(x), np.nan) if self.whole is None else self.whole.scores(self.description(x))

    def description(self, x: Tensor) -> np.ndarray:
        """What images as wholes are compared by, of features at t=0 (B, H, W, K): float32 (B, K / number of sizes)."""
        return describe(described_part(x, len(self.settings.sizes)))

    def scoring_as(self, settings: Settings, edges: EdgeFactors | None, whole: WholeImage | None) -> "Detector":
        """The same normaliser and flow with other settings, edge factors and whole images."""
        return Detector(settings, self.normaliser, self.velocity, edges, whole)


def save_checkpoint(
    path: Path, detector: Detector, step: int, optimiser: dict[str, Tensor], data_fingerprint: str
) -> None:
    """Write normaliser, velocity field and, if given, the optimiser's state; atomically."""
    tensors = {f"normaliser.{key}": value for key, value in detector.normaliser.state_dict().items()}
    tensors |= {f"velocity.{key}": value for key, value in detector.velocity.state_dict().items()}
    tensors |= {f"optimiser.{key}": value for key, value in optimiser.items()}
    metadata = {
        "step": str(step),
        "data": data_fingerprint,
        "settings": json.dumps(json.loads(detector.settings.to_json()), sort_keys=True),
    }
    payload = safetensors.torch.save(
        {key: value.detach().cpu().contiguous() for key, value in tensors.items()}, metadata=metadata
    )
    write_atomic(path, lambda file: file.write(payload))


def read_metadata(path: Path) -> dict[str, str]:
    """Step, data fingerprint and settings of a checkpoint. Raises DamagedRunError."""
    with _explained(path), safetensors.safe_open(path, "pt") as file:
        return dict(file.metadata() or {})


def load_detector(path: Path, settings: Settings, device: torch.device) -> Detector:
    """The detector of a checkpoint, in evaluation mode.
    Raises DamagedRunError when the file is absent, cut off or another run's.
    """
    tensors = load_tensors(path, ("normaliser.", "velocity."))
    try:
        return detector_of(tensors, settings, device)
    except (KeyError, RuntimeError) as error:
        raise DamagedRunError(
            f"The checkpoint {path.parent.parent.name}/{path.name} does not fit the run's settings.",
            fix="Train the category again.",
        ) from error


def detector_of(tensors: dict[str, Tensor], settings: Settings, device: torch.device) -> Detector:
    """The detector of tensors named as in a checkpoint, in evaluation mode. Raises KeyError for one that is missing,
    RuntimeError for one that does not fit.
    """
    matrix = tensors["normaliser.matrix"]
    channels, n_sizes = len(tensors["normaliser.mean"]), len(settings.sizes)
    normaliser = empty_normaliser(settings.normalise, channels, matrix.shape[-1], n_sizes)
    velocity = build_velocity(settings, normaliser.channels)
    for name, module in (("normaliser.", normaliser), ("velocity.", velocity)):
        module.load_state_dict(
            {key.removeprefix(name): value for key, value in tensors.items() if key.startswith(name)}
        )
    return Detector(settings, normaliser.to(device).eval(), velocity.to(device).eval())


def load_tensors(path: Path, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors of a checkpoint whose names start so; others are not read."""
    with _explained(path), safetensors.safe_open(path, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys() if key.startswith(prefixes)}  # noqa: SIM118 - not a dictionary


@contextlib.contextmanager
def _explained(path: Path):
    try:
        yield
    except FileNotFoundError as error:
        raise DamagedRunError(
            f"{path.parent.parent.name} has no checkpoint.", fix="Resume the run, or train the category again."
        ) from error
    except (safetensors.SafetensorError, OSError) as error:
        raise DamagedRunError(
            f"The checkpoint of {path.parent.parent.name} cannot be read ({error}).", fix="Train the category again."
        ) from error
