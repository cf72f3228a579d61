"""Where a backbone's weights come from: one entry in `SOURCES` for each of config.WEIGHT_WORDS, or a local file.

The app never silently replaces one source by another.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from wtflow.config import Settings
from wtflow.errors import WeightsError
from wtflow.features.embedded import load_embedded
from wtflow.features.explained import taking
from wtflow.features.packages import LICENCE, package_weights
from wtflow.features.tags import full_name, pretrained_label
from wtflow.features.timm_models import (
    Args,
    description,
    features_model,
    full_model,
    own_args,
    published_weights,
    seeded,
)
from wtflow.features.weights import OFFLINE_FIX, cached_file, read_state_dict, require_hub
from wtflow.machine.progress import one_thread


@dataclass(frozen=True)
class WeightSource:
    """label: in words, of the backbone with this name; build: the model, cut at the stages asked for, with weights."""

    label: Callable[[str], str]
    build: Callable[[Settings, Args], nn.Module]


def build_model(settings: Settings, args: Args) -> nn.Module:
    """The network with the weights that the settings name, on the CPU. Raises BackboneError and WeightsError."""
    if (path := settings.weights_file) is not None:
        return features_model(settings, args, _file_weights(path, settings, args))
    return SOURCES[settings.weights].build(settings, args)


def source_label(settings: Settings) -> str:
    """Where features come from, in words."""
    if (path := settings.weights_file) is not None:
        return f"{settings.backbone}, weights from {path.name}"
    return SOURCES[settings.weights].label(settings.backbone)


def weights_licence(settings: Settings) -> str:
    """Under what the weights may be passed on, in a word; empty where the app does not know."""
    if settings.is_embedded:
        return "as WT-Flow Studio itself"
    if settings.weights == "package":
        return LICENCE
    return description(settings.backbone).license or "" if settings.is_pretrained else ""


# -- embedded ---------------------------------------------------------------------------------------------------------


def _embedded(settings: Settings, args: Args) -> nn.Module:
    model = features_model(settings, args, None)
    load_embedded(model, settings.backbone)
    return model


# -- untrained --------------------------------------------------------------------------------------------------------


def _untrained(settings: Settings, args: Args) -> nn.Module:
    model = features_model(settings, args, None)
    _settle_batch_norm(model, settings)
    return model


def _settle_batch_norm(model: nn.Module, settings: Settings) -> None:
    """Give an untrained network batch norm statistics from seeded noise images.

    Without them the activations of a deep random network shrink or grow with depth until float16 cannot hold them.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        if norm.affine and torch.all(norm.weight == 0):
            nn.init.ones_(norm.weight)  # timm starts each residual branch at zero, which would let nothing through
    noise = torch.randn(
        8, 3, settings.image_size // 2, settings.image_size // 2, generator=torch.Generator().manual_seed(settings.seed)
    )
    # On one thread, because what is computed depends on how it is split: the worker and a page must get the same
    # weights. Seeded, because the model may drop paths.
    with torch.inference_mode(), one_thread(), seeded(settings.seed), taking(settings.backbone, settings.image_size):
        model.train()
        model(nn.functional.interpolate(noise, size=settings.image_size, mode="bilinear"))


# -- pretrained -------------------------------------------------------------------------------------------------------


def _pretrained(settings: Settings, args: Args) -> nn.Module:
    features_model(settings, args, None)  # a wrong argument or stage is found before anything is downloaded
    return features_model(settings, args, _hub_weights(settings.backbone, args))


def _hub_weights(name: str, args: Args) -> dict[str, Tensor]:
    """Published weights through timm: from its local cache, else from the hub when that can be reached."""
    about = description(name)
    if not (about.hf_hub_id or about.url):
        raise WeightsError(f"timm publishes no weights for {name}.", fix=OFFLINE_FIX)
    cached = cached_file(about.hf_hub_id)
    if cached is None:
        require_hub(full_name(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the hub's client warns about tokens and links that a user cannot act on
            return published_weights(name, args, cached)
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise WeightsError(
            f"The published weights of {full_name(name)} could not be loaded ({reason}).", fix=OFFLINE_FIX
        ) from error


# -- package ----------------------------------------------------------------------------------------------------------


def _package(settings: Settings, args: Args) -> nn.Module:
    features_model(settings, args, None)
    found = package_weights(settings.backbone, full_model(settings.backbone, args).state_dict())
    return features_model(settings, args, found)


# -- a file -----------------------------------------------------------------------------------------------------------


def _file_weights(path: Path, settings: Settings, args: Args) -> dict[str, Tensor]:
    """The file's tensors, compared with the whole model key by key before anything is loaded.

    The file may be of the size that the model is made for, or of the one that is used here: timm resamples what depends
    on it.
    """
    found, name = read_state_dict(path), settings.backbone
    sizes = [own_args(settings), args]
    expected = [full_model(name, one).state_dict() for one in (sizes if sizes[0] != sizes[1] else sizes[:1])]
    fits = [_misfits(found, one, name) for one in expected]
    best = min(range(len(fits)), key=lambda i: bool(fits[i]))
    if fits[best]:
        raise WeightsError(
            f"{path.name} does not fit {name}: {'; '.join(fits[best])}.",
            fix="Choose the model that these weights were made for.",
        )
    is_head = _head_of(name)
    return {key: value for key, value in found.items() if key in expected[best] and not is_head(key)} | {
        key: value for key, value in expected[best].items() if is_head(key)
    }


def _head_of(name: str) -> Callable[[str], bool]:
    """Whether a tensor belongs to the classifier, which is not used."""
    classifier = description(name).classifier
    heads = (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
    return lambda key: any(key.startswith(f"{head}.") for head in heads)


def _misfits(found: dict[str, Tensor], expected: dict[str, Tensor], name: str) -> list[str]:
    """In what the tensors differ from those of the model, in words."""
    is_head = _head_of(name)
    optional = lambda key: is_head(key) or key.endswith("num_batches_tracked")  # noqa: E731
    missing = [key for key in expected if key not in found and not optional(key)]
    unexpected = [key for key in found if key not in expected and not optional(key)]
    shapes = [key for key in expected if key in found and not is_head(key) and found[key].shape != expected[key].shape]
    problems = []
    for keys, what in ((missing, "missing"), (unexpected, "not in the model"), (shapes, "of another shape")):
        if keys:
            problems.append(f"{len(keys)} {what}, such as {keys[0]}")
    return problems


SOURCES: Final = {
    "embedded": WeightSource("embedded backbone ({}, trained by this project on drawn images)".format, _embedded),
    "pretrained": WeightSource(pretrained_label, _pretrained),
    "package": WeightSource(f"{{}}, ImageNet weights from a Python package, licence {LICENCE}".format, _package),
    "untrained": WeightSource("{}, untrained (random weights, seed fixed)".format, _untrained),
}
"""Word -> source."""
