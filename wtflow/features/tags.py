"""What timm's weights of a model are called, what they were trained on, and under which licence they come."""

from typing import Final

from wtflow.config import Settings
from wtflow.features.timm_models import description

_LEARNED_FROM: Final = {
    "in1k": "ImageNet-1k",
    "in12k": "ImageNet-12k",
    "in21k": "ImageNet-21k",
    "in22k": "ImageNet-22k",
    "lvd142m": "LVD-142M (DINOv2, without labels)",
    "lvd1689m": "LVD-1689M (DINOv3, without labels)",
    "sat493m": "SAT-493M (DINOv3, satellite images, without labels)",
    "laion2b": "LAION-2B (CLIP)",
    "laion400m": "LAION-400M (CLIP)",
    "openai": "OpenAI's pairs of image and text (CLIP)",
    "webli": "WebLI (SigLIP)",
    "datacompxl": "DataComp-XL (CLIP)",
}
"""A part of a tag -> the images behind it. Other parts name a recipe."""

_FREE: Final = ("apache-2.0", "mit", "bsd", "cc0", "cc-by-4.0")
"""Licences that let anybody use and pass on the weights, if they are named."""
_OWN_TERMS: Final = {
    "dinov3-license": (
        "Meta's own DINOv3 licence, not an open one (https://ai.meta.com/resources/models-and-libraries/dinov3-license)"
    ),
}


def full_name(model: str) -> str:
    """The model with its tag: the one that a person gave, else timm's default. Raises BackboneError."""
    if "." in model:
        return model
    tag = description(model).tag
    return f"{model}.{tag}" if tag else model


def learned_from(model: str) -> str:
    """What the weights were trained on, as far as their tag tells; empty where it does not."""
    parts = full_name(model).partition(".")[2].split("_")
    return ", then ".join(dict.fromkeys(_LEARNED_FROM[part] for part in parts if part in _LEARNED_FROM))


def pretrained_label(model: str) -> str:
    """Tag, data and licence in a line."""
    data, licence = learned_from(model), description(model).license or ""
    return (
        f"{full_name(model)}, pretrained"
        + (f" on {data}" if data else "")
        + (f", licence {licence}" if licence else ", licence unknown")
    )


def licence_notice(settings: Settings) -> str:
    """What a person should know of a licence before these weights are downloaded; empty for a free one. Raises
    BackboneError.
    """
    if not settings.is_pretrained:
        return ""
    name, licence = full_name(settings.backbone), description(settings.backbone).license or ""
    if licence.lower().startswith(_FREE):
        return ""
    if not licence:
        return f"timm names no licence for the weights {name}: find out before you use them for more than a trial."
    terms = _OWN_TERMS.get(licence, f"the licence {licence}")
    limit = ": it forbids commercial use" if "-nc" in licence else ""
    return f"The weights {name} come under {terms}{limit}. Read it before they are downloaded: using them accepts it."
