"""The calls of timm: which models exist, their description, and how they are built.
The only module that imports timm.
"""

import contextlib
import difflib
import functools
import logging
from collections.abc import Generator
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from timm.models._features import FeatureGetterNet
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from wtflow.config import Settings
from wtflow.errors import BackboneError
from wtflow.features.explained import explained, taking
from wtflow.features.padding import has_padding, pad_with
from wtflow.features.stages import Layout

Args = dict[str, Any]
"""A model's own arguments, as in `Settings.backbone_args`; timm defines which of them a model has."""

_SET_BY_THE_APP = frozenset(
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


def own_args(settings: Settings) -> Args:
    """The model's own arguments, as a person gave them. Raises BackboneError for one that the app sets itself."""
    taken = sorted(_SET_BY_THE_APP & settings.backbone_args.keys())
    if taken:
        raise BackboneError(
            f"{taken[0]} is set by the app itself and cannot be a backbone argument.", fix="Leave it out."
        )
    return dict(settings.backbone_args)


def checked_args(settings: Settings) -> Args:
    """What the model is built with: its own arguments, and the image size where it must be told. Raises as `own_args`
    and `description` do.
    """
    args = own_args(settings)
    if description(settings.backbone).fixed_input_size and not _SIZES & args.keys():
        told = ("dynamic_img_size", True) if settings.smaller_sizes else ("img_size", settings.image_size)
        return args | _size_argument(settings.backbone, told, frozenset(args.items()))
    return args


_SIZES = {"img_size", "dynamic_img_size"}
"""Arguments by which a person says what sizes the model takes."""


@functools.lru_cache(maxsize=64)
def _size_argument(name: str, told: tuple[str, Any], args: frozenset[tuple[str, Any]]) -> Args:
    """The argument that tells the model the size of images, or that it varies; empty for one that cannot be told."""
    wanted = dict([told])
    try:
        with torch.device("meta"):
            timm.create_model(name, **dict(args), **wanted)
    except TypeError:
        return {}
    except Exception:  # the size does not fit, or an argument of the person's; building it for use says which
        return wanted
    return wanted


def description(name: str) -> PretrainedCfg:
    """What timm publishes about a model: the colours it expects, its classifier, where its weights lie.

    Raises BackboneError for a name that timm does not have, also where the part after the dot names no weights.
    """
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = (
            f"Did you mean {', '.join(close)}?"
            if close
            else "List them with: python -c 'import timm; print(timm.list_models())'."
        )
        raise BackboneError(f"timm has no model {name!r}.", fix=hint)
    with explained(name, {}):
        found = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if found is None:
        raise BackboneError(f"timm does not describe the input of {name}.", fix="Choose another model.")
    return found


def features_model(settings: Settings, args: Args, weights: dict[str, Tensor] | None) -> nn.Module:
    """The model with only the stages asked for. `weights` None means random ones from the seed."""
    source: dict[str, Any] = (
        {}
        if weights is None
        else {"pretrained": True, "pretrained_cfg_overlay": {"state_dict": weights, "custom_load": False}}
    )
    kind: dict[str, Any] = {"feature_cls": _NormedGetter} if settings.block_norm else {}
    numbers = settings.stage_numbers
    with seeded(settings.seed), explained(settings.backbone, args), _quiet_timm():
        try:
            return pad_with(
                timm.create_model(settings.backbone, features_only=True, out_indices=numbers, **kind, **source, **args),
                settings.padding,
            )
        except (IndexError, AssertionError) as error:
            n_stages = len(layout_of(settings.backbone, args).channels)
            if numbers[-1] < n_stages:
                raise
            raise BackboneError(
                f"{settings.backbone} has no stage {numbers[-1]}: it has {n_stages}, counted from 0.",
                fix=f"Choose from 0 to {n_stages - 1}.",
            ) from error


class _NormedGetter(FeatureGetterNet):
    """timm's, with the model's own last norm applied to every block."""

    def __init__(self, model: nn.Module, **options: Any) -> None:
        super().__init__(model, norm=True, **options)


def channels_of(model: nn.Module) -> list[int]:
    """Channels of each stage of a model that gives its features by stage."""
    info: Any = model.feature_info  # nn.Module's own annotation covers parameters and submodules only
    return list(info.channels())


def layout_of(name: str, args: Args) -> Layout:
    """What the stages of a model are like. It is built without memory for its weights, which takes a tenth of a second.

    Raises BackboneError.
    """
    about = description(name)
    return _layout(name, frozenset(args.items()), bool(about.fixed_input_size), about.input_size[-1])


@functools.lru_cache(maxsize=64)
def _layout(name: str, args: frozenset[tuple[str, Any]], is_fixed: bool, native_px: int) -> Layout:
    with seeded(0), explained(name, dict(args)), torch.device("meta"):
        model = timm.create_model(name, features_only=True, **dict(args))
    feature_info: Any = model.feature_info  # nn.Module's own annotation covers parameters and submodules only
    info: list[dict[str, Any]] = feature_info.info
    channels, cells = ([int(one[key]) for one in info] for key in ("num_chs", "reduction"))
    is_column = isinstance(model, FeatureGetterNet) and len(set(channels)) == len(set(cells)) == 1
    is_told = bool(_SIZES & dict(args).keys()) or bool(_size_argument(name, ("img_size", native_px), args))
    varies = "dynamic_img_size" in dict(args) or (
        is_column and "img_size" not in dict(args) and bool(_size_argument(name, ("dynamic_img_size", True), args))
    )
    return Layout(
        names=tuple(str(one["module"]) for one in info),
        channels=tuple(channels),
        cells=tuple(cells),
        is_column=is_column,
        is_fixed=is_fixed,
        is_dynamic=not is_fixed or varies,
        native_px=None if is_told or not is_fixed else native_px,
        is_cut=any(_cuts(module) for module in model.modules()),
        has_padding=has_padding(model),
    )


def can_mirror(settings: Settings) -> bool:
    """Every grid of the model is larger than what its convolutions would mirror. Nothing is computed for it."""
    size_px = settings.image_size
    with torch.device("meta"):
        model = features_model(settings, checked_args(settings), None).eval()
        try:
            model(torch.empty(1, 3, size_px, size_px))
        except RuntimeError:
            return False
    return True


def multiplications(settings: Settings) -> int:
    """Of the network up to the last stage that is read, for one image. Nothing is computed for it."""
    return _multiplications(
        settings.backbone, frozenset(checked_args(settings).items()), settings.stage_numbers, settings.image_size
    )


@functools.lru_cache(maxsize=64)
def _multiplications(name: str, args: frozenset[tuple[str, Any]], numbers: tuple[int, ...], size_px: int) -> int:
    with seeded(0), explained(name, dict(args)), torch.device("meta"), FlopCounterMode(display=False) as counter:
        model = timm.create_model(name, features_only=True, out_indices=numbers, **dict(args)).eval()
        skip_unread(model)
        with taking(name, size_px), torch.no_grad():
            model(torch.empty(1, 3, size_px, size_px))
    return counter.get_total_flops() // 2


def skip_unread(model: nn.Module) -> None:
    """Let a model of timm's that computes all of its stages stop after the last one that is read. Its weights stay."""
    read: Any = getattr(model, "_stage_out_idx", {})  # of EfficientNets and MobileNets: stage -> place
    blocks = getattr(model, "blocks", None)
    if read and isinstance(blocks, nn.Sequential):
        for block in blocks[max(read) :]:
            block.forward = _as_it_is


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _cuts(module: nn.Module) -> bool:
    """It divides its input into squares that neither overlap nor reach beyond it, so what is left over is lost."""
    if not isinstance(module, nn.Conv2d) or isinstance(module.padding, str):
        return False
    return module.stride == module.kernel_size != (1, 1) and max(module.padding) == 0


def full_model(name: str, args: Args) -> nn.Module:
    """The whole network with its classifier, to compare a weights file with."""
    with seeded(0), explained(name, args):
        return timm.create_model(name, **args)


def published_weights(name: str, args: Args, cached: str | None) -> dict[str, Tensor]:
    """The tensors that timm loads for a model: from the file `cached`, or downloaded. Raises what timm raises."""
    source: dict[str, Any] = {}
    if cached:
        # Without it the hub's client first looks for a newer file: half a minute offline.
        source["pretrained_cfg_overlay"] = {"file": cached}
    return timm.create_model(name, pretrained=True, **source, **args).state_dict()


@contextlib.contextmanager
def _quiet_timm() -> Generator[None, None, None]:
    """timm warns about weights of layers that a feature extractor omits; the other layers were compared before."""
    logger = logging.getLogger("timm")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def seeded(seed: int) -> Generator[None, None, None]:
    """Random weights that depend on the seed alone, leaving the caller's random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
