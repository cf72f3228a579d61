"""The calls of timm: which models exist, their description, and how they are built.
The only module that imports timm.
"""

import contextlib
import difflib
import logging
from collections.abc import Generator
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import BackboneError
from wtflow.features.explained import explained
from wtflow.features.padding import pad_with

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


def checked_args(settings: Settings) -> Args:
    """The model's own arguments. Raises BackboneError for one that the app sets itself."""
    taken = sorted(_SET_BY_THE_APP & settings.backbone_args.keys())
    if taken:
        raise BackboneError(
            f"{taken[0]} is set by the app itself and cannot be a backbone argument.", fix="Leave it out."
        )
    return dict(settings.backbone_args)


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
    with seeded(settings.seed), explained(settings.backbone, args), _quiet_timm():
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


def channels_of(model: nn.Module) -> list[int]:
    """Channels of each stage of a model that gives its features by stage."""
    info: Any = model.feature_info  # nn.Module's own annotation covers parameters and submodules only
    return list(info.channels())


def _probe_stages(name: str, args: Args) -> list[int]:
    return channels_of(timm.create_model(name, features_only=True, **args))


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
