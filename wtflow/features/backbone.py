"""A frozen timm model as a source of features. The only module that imports timm.

Weights come from one of four places, never silently from another than asked for: the file that ships with the app
("embedded"), ImageNet through timm, a local file, or a fixed seed ("untrained"). Stage k has stride 2^(k+1) in the
common families: 2 is stride 8, 3 is stride 16.
"""

import contextlib
import difflib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from torch import Tensor, nn

from wtflow.config import ArgValue, Settings
from wtflow.errors import BackboneError, WeightsError
from wtflow.features.embedded import load_embedded
from wtflow.features.padding import pad_with
from wtflow.features.weights import OFFLINE_FIX, cached_file, hash_weights, read_state_dict, require_hub
from wtflow.machine.progress import one_thread

_OURS = frozenset(
    {
        "pretrained",
        "features_only",
        "out_indices",
        "num_classes",
        "in_chans",
        "checkpoint_path",
        "scriptable",
        "exportable",
        "pretrained_cfg",
        "pretrained_cfg_overlay",
        "cache_dir",
        "feature_cfg",
        "output_stride",
        "model_name",
    }
)


class Backbone:
    """A frozen feature extractor. `compute` maps images in [0, 1] to one grid of channels-last features."""

    def __init__(self, model: nn.Module, settings: Settings, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        self.model = model
        self.settings = settings
        self.channels = int(sum(model.feature_info.channels()))
        self.weights_hash = hash_weights(model)
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
            with _taking(self.settings.backbone, images.shape[1]):
                stages = self.model(((batch - self._mean) / self._std).contiguous(memory_format=torch.channels_last))
            is_channels_last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"  # Swin and its kin
            grids = [stage.float().permute(0, 3, 1, 2) if is_channels_last else stage.float() for stage in stages]
            joined = _join(_no_finer(grids, self.settings), self.settings.pool_window, self.settings.pool_stride)
            # Halved by torch, not NumPy, which takes 20 times as long; what is too large becomes infinite and is seen
            # below.
            grid = joined.permute(0, 2, 3, 1).half().contiguous().cpu()
            bounds = torch.stack(torch.aminmax(grid))  # NaN carries through
        if not torch.isfinite(bounds).all():
            raise BackboneError(
                f"{self.settings.backbone} gives features that are not finite or too large (beyond 65504).",
                fix="Check that the weights fit this model and its arguments, or choose other stages.",
            )
        return grid.numpy()


def load_backbone(settings: Settings) -> Backbone:
    """Build the frozen network that the settings name, on the CPU, in evaluation mode.

    Raises BackboneError for an unknown model, stage or argument; WeightsError for weights that are absent or do not
    fit.
    """
    name, args = settings.backbone, _checked_args(settings)
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = (
            f"Did you mean {', '.join(close)}?"
            if close
            else "List them with: python -c 'import timm; print(timm.list_models())'."
        )
        raise BackboneError(f"timm has no model {name!r}.", fix=hint)
    with _explained(name, {}):  # also says when the part after the dot names no weights of the model
        cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if settings.weights == "untrained":
        model = _create(settings, args, None)
        _settle_batch_norm(model, settings)
    elif settings.weights == "embedded":
        model = _create(settings, args, None)
        load_embedded(model, name)
    elif settings.weights == "imagenet":
        _create(settings, args, None)  # a wrong argument or stage is found before anything is downloaded
        model = _create(settings, args, _imagenet_weights(name, args))
    else:
        model = _create(settings, args, _file_weights(Path(settings.weights), name, args))
    model.eval().requires_grad_(False)
    return Backbone(model, settings, tuple(cfg.mean), tuple(cfg.std))


def source_label(settings: Settings) -> str:
    """Where features come from, in words."""
    known = {
        "embedded": f"embedded backbone ({settings.backbone}, trained by this project on drawn images)",
        "imagenet": f"{settings.backbone}, ImageNet weights",
        "untrained": f"{settings.backbone}, untrained (random weights, seed fixed)",
    }
    return known.get(settings.weights, f"{settings.backbone}, weights from {Path(settings.weights).name}")


# -- building ---------------------------------------------------------------------------------------------------------


def _checked_args(settings: Settings) -> dict[str, ArgValue]:
    taken = sorted(_OURS & settings.backbone_args.keys())
    if taken:
        raise BackboneError(
            f"{taken[0]} is set by the app itself and cannot be a backbone argument.", fix="Leave it out."
        )
    return dict(settings.backbone_args)


def _create(settings: Settings, args: dict[str, ArgValue], weights: dict[str, Tensor] | None) -> nn.Module:
    """The model with only the stages asked for. `weights` None means random ones from the seed."""
    source: dict[str, Any] = (
        {}
        if weights is None
        else {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": weights, "custom_load": False}}
    )
    with _seeded(settings.seed), _explained(settings.backbone, args), _quiet_timm():
        try:
            return pad_with(
                timm.create_model(settings.backbone, features_only=True, out_indices=settings.stages, **source, **args),
                settings.padding,
            )
        except (IndexError, AssertionError) as error:
            n_stages = len(_probe_stages(settings.backbone, args))
            raise BackboneError(
                f"{settings.backbone} has no stage {settings.stages[-1]}: it has {n_stages}, counted from 0.",
                fix=f"Choose from 0 to {n_stages - 1}.",
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
            raise _unbuildable(name, args, error) from error
        word = str(error).rsplit("'", 2)[-2] if "'" in str(error) else ", ".join(args)
        raise BackboneError(
            f"{name} has no argument {word!r}.", fix="Remove it from the backbone arguments, or choose another model."
        ) from error
    except RuntimeError as error:
        if "feature" not in str(error).lower():
            raise _unbuildable(name, args, error) from error
        raise BackboneError(
            f"{name} cannot give features by stage ({error}).",
            fix="Choose a model with features_only, such as resnet18.",
        ) from error
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        raise _unbuildable(name, args, error) from error


def _unbuildable(name: str, args: dict[str, ArgValue], error: Exception) -> BackboneError:
    listing = ", ".join(f"{key}={value}" for key, value in args.items())
    return BackboneError(
        f"{name} cannot be built{f' with {listing}' if args else ''} ({type(error).__name__}: {_in_a_line(error)}).",
        fix="Correct the values of the backbone arguments, or leave them out." if args else "Choose another model.",
    )


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
            nn.init.ones_(
                norm.weight
            )  # timm starts each residual branch at zero for training; left so, it would carry nothing
    noise = torch.randn(
        8, 3, settings.image_size // 2, settings.image_size // 2, generator=torch.Generator().manual_seed(settings.seed)
    )
    # On one thread, because what is computed depends on how it is split: the worker and a page must get the same
    # weights. Seeded, because the model may drop paths.
    with torch.inference_mode(), one_thread(), _seeded(settings.seed), _taking(settings.backbone, settings.image_size):
        model.train()
        model(nn.functional.interpolate(noise, size=settings.image_size, mode="bilinear"))


@contextlib.contextmanager
def _taking(name: str, size_px: int) -> Iterator[None]:
    """A model that is made for other image sizes says so by an assertion or an error of shapes."""
    try:
        yield
    except (AssertionError, RuntimeError) as error:
        raise BackboneError(
            f"{name} cannot take images of {size_px} px ({_in_a_line(error)}).",
            fix=(
                "Change the image size, tell the model with --backbone-arg img_size=N where it has that argument, or"
                " choose padding zeros."
            ),
        ) from error


def _in_a_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _no_finer(grids: list[Tensor], settings: Settings) -> list[Tensor]:
    """Stages finer than `finest_grid` averaged down to the grid of the first that is not; all as they are where
    there is none.
    """
    coarse = [
        grid.shape[-2:] for stage, grid in zip(settings.stages, grids, strict=True) if stage >= settings.finest_grid
    ]
    if not coarse:
        return grids
    return [
        nn.functional.adaptive_avg_pool2d(grid, coarse[0]) if grid.shape[-2] > coarse[0][0] else grid for grid in grids
    ]


def _join(stages: list[Tensor], window: int, stride: int) -> Tensor:
    """Stages (B, C_i, H_i, W_i), averaged, brought to the largest grid and joined: (B, sum C_i, H, W)."""
    finest = max(stages, key=lambda stage: stage.shape[-2] * stage.shape[-1]).shape[-2:]
    if stride > 1:  # the paper's AvgPool2d(window, stride, window // 2), zeros of the border counted
        stages = [nn.functional.avg_pool2d(stage, window, stride, window // 2) for stage in stages]
        finest = tuple((side + 2 * (window // 2) - window) // stride + 1 for side in finest)
    elif window > 1:
        stages = [nn.functional.avg_pool2d(stage, window, 1, window // 2, count_include_pad=False) for stage in stages]
    fit = {"size": finest, "mode": "bilinear", "align_corners": False}
    return torch.cat(
        [stage if stage.shape[-2:] == finest else nn.functional.interpolate(stage, **fit) for stage in stages], dim=1
    )


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
        raise WeightsError(
            f"{path.name} does not fit {name}: {'; '.join(problems)}.",
            fix="Choose the model that these weights were made for.",
        )
    return {key: value for key, value in found.items() if key in expected and not is_head(key)} | {
        key: value for key, value in expected.items() if is_head(key)
    }


def _imagenet_weights(name: str, args: dict[str, ArgValue]) -> dict[str, Tensor]:
    """ImageNet weights through timm: from its local cache, else from the hub when that can be reached."""
    cfg = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if not (cfg.hf_hub_id or cfg.url):
        raise WeightsError(f"timm publishes no weights for {name}.", fix=OFFLINE_FIX)
    source: dict[str, Any] = {}
    if cached := cached_file(cfg.hf_hub_id):
        source["pretrained_cfg_overlay"] = {
            "file": cached
        }  # else the hub's client first asks for news: half a minute offline
    else:
        require_hub(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the hub's client warns about tokens and links that a user cannot act on
            return timm.create_model(name, pretrained=True, **source, **args).state_dict()
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise WeightsError(
            f"The ImageNet weights of {name} could not be loaded ({reason}).", fix=OFFLINE_FIX
        ) from error
