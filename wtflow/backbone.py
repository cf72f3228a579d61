"""A frozen timm model as a source of features. The only module that imports timm.

Weights come from one of three places, never silently from another than asked for: ImageNet through timm, a local
file, or a fixed seed ("untrained"). Stage k has stride 2^(k+1) in the common families: 2 is stride 8, 3 is stride 16.
"""

import contextlib
import hashlib
import logging
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from wtflow.config import ArgValue, Settings
from wtflow.errors import BackboneError, WeightsError

HUB_PATIENCE_S = 6.0
"""Longest wait to find out whether the hub of weights can be reached at all."""

_OURS = frozenset({"pretrained", "features_only", "out_indices", "num_classes", "in_chans", "checkpoint_path", "scriptable", "exportable",
                   "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "feature_cfg", "output_stride", "model_name"})  # fmt: skip
_OFFLINE_FIX = "Give a local file instead (--weights FILE.safetensors or FILE.pth), or choose random weights knowingly (--weights untrained)."


class Backbone:
    """A frozen feature extractor. `compute` maps images in [0, 1] to one grid of channels-last features."""

    def __init__(self, model: nn.Module, settings: Settings, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.model = model
        self.settings = settings
        self.channels = int(sum(model.feature_info.channels()))
        self.weights_hash = _hash_weights(model)
        self._mean = torch.tensor(mean).view(1, -1, 1, 1)
        self._std = torch.tensor(std).view(1, -1, 1, 1)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def to(self, device: torch.device) -> "Backbone":
        self.model.to(device)
        self._mean, self._std = self._mean.to(device), self._std.to(device)
        return self

    def compute(self, images: np.ndarray) -> np.ndarray:
        """Features of images (B, S, S, 3) float32 in [0, 1] -> float16 (B, H, W, C).

        Each stage is averaged over the window, brought to the finest stage's grid (bilinear) and joined.
        Raises BackboneError when a value does not fit float16.
        """
        batch = torch.from_numpy(np.ascontiguousarray(images)).to(self.device).permute(0, 3, 1, 2)
        with torch.inference_mode(), _half_on_gpu(self.device):
            try:
                stages = self.model(((batch - self._mean) / self._std).contiguous(memory_format=torch.channels_last))
            except (AssertionError, RuntimeError) as error:
                raise BackboneError(
                    f"{self.settings.backbone} cannot take images of {images.shape[1]} px ({str(error).splitlines()[0]}).",
                    fix="Change the image size, or tell the model with --backbone-arg img_size=N where it has that argument.",
                ) from error
            grids = [_channels_first(stage.float(), n) for stage, n in zip(stages, self.model.feature_info.channels(), strict=True)]
            joined = _join(grids, self.settings.pool_window, self.settings.pool_stride)
        grid = joined.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        if not np.isfinite(grid).all() or np.abs(grid).max() > np.finfo(np.float16).max:
            raise BackboneError(
                f"{self.settings.backbone} gives features that are not finite or too large (beyond 65504).",
                fix="Check that the weights fit this model and its arguments, or choose other stages.",
            )
        return grid.astype(np.float16)


def load_backbone(settings: Settings) -> Backbone:
    """Build the frozen network that the settings name, on the CPU, in evaluation mode.

    Raises BackboneError for an unknown model, stage or argument; WeightsError for weights that are absent or do not fit.
    """
    name, args = settings.backbone, _checked_args(settings)
    if not timm.is_model(name):
        close = [m for m in timm.list_models(f"*{name[:8].replace('*', '')}*")][:3]
        hint = f"Did you mean {', '.join(close)}?" if close else "List them with: python -c 'import timm; print(timm.list_models())'."
        raise BackboneError(f"timm has no model {name!r}.", fix=hint)
    if settings.weights == "untrained":
        model = _create(settings, args, None)
        _settle_batch_norm(model, settings)
    elif settings.weights == "imagenet":
        model = _create(settings, args, _imagenet_weights(name, args))
    else:
        model = _create(settings, args, _file_weights(Path(settings.weights), name, args))
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    model.eval().requires_grad_(False)
    return Backbone(model, settings, tuple(cfg.mean), tuple(cfg.std))


def source_label(settings: Settings) -> str:
    """Where features come from, in words."""
    return {"untrained": f"{settings.backbone}, untrained (random weights, seed fixed)", "imagenet": f"{settings.backbone}, ImageNet weights"}.get(
        settings.weights, f"{settings.backbone}, weights from {Path(settings.weights).name}"
    )


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of a .safetensors or .pth file. Nothing in the file is executed. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}.", fix="Check the path; use imagenet or untrained where you have no file.")
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        if path.suffix not in (".pth", ".pt", ".bin"):
            raise WeightsError(f"{path.name} is neither .safetensors nor .pth.", fix="Save the weights in one of these formats.")
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
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise WeightsError(f"{path.name} holds no state dict.", fix="Save a state dict only (torch.save(model.state_dict(), file)).")
    return {key.removeprefix("module."): value for key, value in loaded.items()}


# -- building ---------------------------------------------------------------------------------------------------------


def _checked_args(settings: Settings) -> dict[str, ArgValue]:
    taken = sorted(_OURS & settings.backbone_args.keys())
    if taken:
        raise BackboneError(f"{taken[0]} is set by the app itself and cannot be a backbone argument.", fix="Leave it out.")
    return dict(settings.backbone_args)


def _create(settings: Settings, args: dict[str, ArgValue], weights: dict[str, Tensor] | None) -> nn.Module:
    """The model with only the stages asked for. `weights` None means random ones from the seed."""
    source: dict[str, Any] = {} if weights is None else {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": weights, "custom_load": False}}
    with _seeded(settings.seed), _explained(settings.backbone, args), _quiet_timm():
        try:
            return timm.create_model(settings.backbone, features_only=True, out_indices=settings.stages, **source, **args)
        except (IndexError, AssertionError) as error:
            n_stages = len(_probe_stages(settings.backbone, args))
            raise BackboneError(
                f"{settings.backbone} has no stage {settings.stages[-1]}: it has {n_stages}, counted from 0.", fix=f"Choose from 0 to {n_stages - 1}."
            ) from error


def _probe_stages(name: str, args: dict[str, ArgValue]) -> list[int]:
    return timm.create_model(name, features_only=True, **args).feature_info.channels()


def _full_model(name: str, args: dict[str, ArgValue]) -> nn.Module:
    """The whole network with its classifier, to compare a weights file with."""
    with _seeded(0), _explained(name, args):
        return timm.create_model(name, **args)


@contextlib.contextmanager
def _explained(name: str, args: dict[str, ArgValue]) -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        word = str(error).rsplit("'", 2)[-2] if "'" in str(error) else ", ".join(args)
        raise BackboneError(f"{name} has no argument {word!r}.", fix="Remove it from the backbone arguments, or choose another model.") from error
    except RuntimeError as error:
        if "features_only" not in str(error) and "feature" not in str(error).lower():
            raise
        raise BackboneError(f"{name} cannot give features by stage ({error}).", fix="Choose a model with features_only, such as resnet18.") from error


@contextlib.contextmanager
def _quiet_timm() -> Iterator[None]:
    """timm warns about weights of layers that a feature extractor leaves out; what matters was compared before."""
    logger = logging.getLogger("timm")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Random weights that depend on the seed alone, leaving the caller's random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _settle_batch_norm(model: nn.Module, settings: Settings) -> None:
    """Give an untrained network batch norm statistics from seeded noise images.

    Without them the activations of a deep random network shrink or grow with depth until float16 cannot hold them.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        if norm.affine and torch.all(norm.weight == 0):
            nn.init.ones_(norm.weight)  # timm starts each residual branch at zero for training; left so, it would carry nothing
    noise = torch.randn(8, 3, settings.image_size // 2, settings.image_size // 2, generator=torch.Generator().manual_seed(settings.seed))
    smooth = nn.functional.interpolate(noise, size=settings.image_size, mode="bilinear")
    with torch.inference_mode():
        model.train()
        model(smooth)


def _channels_first(stage: Tensor, n_channels: int) -> Tensor:
    """Some families (Swin) give (B, H, W, C); bring them to (B, C, H, W)."""
    return stage if stage.shape[1] == n_channels else stage.permute(0, 3, 1, 2)


def _join(stages: list[Tensor], window: int, stride: int) -> Tensor:
    """Stages (B, C_i, H_i, W_i), averaged, brought to the largest grid and joined: (B, sum C_i, H, W)."""
    finest = max(stages, key=lambda stage: stage.shape[-2] * stage.shape[-1]).shape[-2:]
    if stride > 1:  # the paper's AvgPool2d(window, stride, window // 2), zeros of the border counted
        stages = [nn.functional.avg_pool2d(stage, window, stride, window // 2) for stage in stages]
        finest = tuple((side + 2 * (window // 2) - window) // stride + 1 for side in finest)
    elif window > 1:
        stages = [nn.functional.avg_pool2d(stage, window, 1, window // 2, count_include_pad=False) for stage in stages]
    fit = {"size": finest, "mode": "bilinear", "align_corners": False}
    return torch.cat([stage if stage.shape[-2:] == finest else nn.functional.interpolate(stage, **fit) for stage in stages], dim=1)


def _hash_weights(model: nn.Module) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _half_on_gpu(device: torch.device) -> contextlib.AbstractContextManager:
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else contextlib.nullcontext()


# -- weights ----------------------------------------------------------------------------------------------------------


def _file_weights(path: Path, name: str, args: dict[str, ArgValue]) -> dict[str, Tensor]:
    """The file's tensors, compared with the whole model key by key before anything is loaded."""
    found = read_state_dict(path)
    expected = _full_model(name, args).state_dict()
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    heads = (cfg.classifier,) if isinstance(cfg.classifier, str) else tuple(cfg.classifier or ())
    is_head = lambda key: any(key.startswith(f"{head}.") for head in heads)  # noqa: E731
    optional = lambda key: is_head(key) or key.endswith("num_batches_tracked")  # noqa: E731
    missing = [key for key in expected if key not in found and not optional(key)]
    unexpected = [key for key in found if key not in expected and not optional(key)]
    shapes = [key for key in expected if key in found and not is_head(key) and found[key].shape != expected[key].shape]
    problems = []
    for keys, what in ((missing, "missing"), (unexpected, "not in the model"), (shapes, "of another shape")):
        if keys:
            problems.append(f"{len(keys)} {what}, such as {keys[0]}")
    if problems:
        raise WeightsError(f"{path.name} does not fit {name}: {'; '.join(problems)}.", fix="Choose the model that these weights were made for.")
    return {key: value for key, value in found.items() if key in expected and not is_head(key)} | {
        key: value for key, value in expected.items() if is_head(key)
    }


def _imagenet_weights(name: str, args: dict[str, ArgValue]) -> dict[str, Tensor]:
    """ImageNet weights through timm: from its local cache, else from the hub when that can be reached."""
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if not (cfg.hf_hub_id or cfg.url):
        raise WeightsError(f"timm publishes no weights for {name}.", fix=_OFFLINE_FIX)
    if not _is_cached(cfg.hf_hub_id):
        _require_hub(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the hub's client warns about tokens and links that a user cannot act on
            return timm.create_model(name, pretrained=True, **args).state_dict()
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise WeightsError(f"The ImageNet weights of {name} could not be loaded ({reason}).", fix=_OFFLINE_FIX) from error


def _is_cached(hub_id: str | None) -> bool:
    import huggingface_hub

    names = ("model.safetensors", "pytorch_model.bin")
    return hub_id is not None and any(isinstance(huggingface_hub.try_to_load_from_cache(hub_id, name), str) for name in names)


def _require_hub(name: str) -> None:
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
        asking = threading.Thread(target=ask, daemon=True)  # a name look-up has no time limit of its own
        asking.start()
        asking.join(HUB_PATIENCE_S)
    if not answered.is_set():
        raise WeightsError(f"The ImageNet weights of {name} are not on this computer and {hub} cannot be reached.", fix=_OFFLINE_FIX)
