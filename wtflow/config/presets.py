"""Presets, and settings made from them or read from JSON.

Sources: [Paper] arXiv 2508.05461 for preset `paper` (as the authors' code is driven elsewhere); the others are ours.
"""

import json
from typing import Any

from wtflow.config.checking import build, known
from wtflow.config.settings import Settings
from wtflow.errors import SettingsError

PRESETS: dict[str, dict[str, Any]] = {
    "fast": {},
    "best": {
        # Tokens of four blocks spread over the depth: what the detectors with the highest published figures read.
        # Registers keep the patch tokens free of the few outliers that hold no place [Darcet et al. 2024].
        "backbone": "vit_small_patch14_reg4_dinov2",
        "weights": "pretrained",
        "stages": (2, 5, 8, 11),
        # A few channels of raw tokens are many times larger than the rest [Sun et al. 2024]; DINOv2's own readers norm
        # every block, too.
        "block_norm": True,
        "image_size": 392,  # 28 x 28 patches of 14 px
        # A transformer has no convolutions that look beyond the image, so there is no edge to mirror or to level.
        "padding": "zeros",
        "edge_quantile": 0.0,
        # A normed token keeps a direction, not a length: distances vary less, and the largest are the least like a
        # place of the object. Whitening by half reads the spectrum itself, so it stays. Neither is tuned.
        "rarity_power": 1.0,
        "width": 512,  # the joined tokens have 1,536 channels, three times those of preset fast
        "max_positions": 150_000,
    },
    "edge": {
        # Made for phones: a sixth of resnet18's multiplications, two thirds of its time on a server's core.
        "backbone": "tf_efficientnet_lite0",
        "weights": "pretrained",
        "stages": (1, 2, 3),
        "image_size": 256,
    },
    "paper": {
        "backbone": "wide_resnet50_2",
        "weights": "pretrained",
        "stages": (3,),
        "pool_window": 3,
        "pool_stride": 2,
        "normalise": "layernorm",
        "scope": "image",
        "group_size": 8,
        "network": "unet",
        "width": 128,
        "batch_size": 8,
        "epochs": 100,
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "schedule": "step",
        "steps": 1,
        "top_fraction": 0.03,
        "holdout_fraction": 0.0,
        "padding": "zeros",
        "edge_quantile": 0.0,
        "times_per_pair": 1,
        "whole_image": False,
        "cross_fit": "off",
    },
}


OLD_DEFAULTS: dict[str, Any] = {
    "background": "none",
    "finest_grid": 0,
    "rarity_power": 0.0,
    "padding": "zeros",
    "edge_quantile": 0.0,
    "times_per_pair": 1,
    "whole_image": False,
    "precision": "full",
    "cross_fit": "off",
    "cells": (),
    "block_norm": False,
    "block_groups": 0,
}
"""What runs did before these settings existed. On a GPU they computed in bfloat16; today's questions about them are
answered in float32.
"""

UNTRAINED: dict[str, Any] = {
    "stages": (1, 2),
    "padding": "zeros",
    "finest_grid": 0,
    "pool_window": 3,
    "pool_stride": 2,
    "iterations": 700,
}
"""What preset `fast` changes for random weights: a random network is most informative in its early stages, where it
has not yet scrambled the picture.
"""


def settings_from(preset: str = "fast", changes: dict[str, Any] | None = None) -> Settings:
    """The settings of a preset with some changed. Raises SettingsError for an unknown name or a wrong value."""
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset {preset!r}.", fix=f"Use one of: {', '.join(PRESETS)}.")
    if (changes or {}).get("preset", preset) != preset:
        raise SettingsError(
            "The preset cannot be changed like another setting: the rest starts from it.",
            fix="Choose it as the preset itself (--preset).",
        )
    values = {"preset": preset} | PRESETS[preset] | known(Settings, changes or {})
    if preset == "fast" and values.get("weights") == "untrained":
        values = UNTRAINED | values
    return build(Settings, values)


def settings_from_json(text: str) -> Settings:
    """Read settings that `to_json` wrote. Raises SettingsError when they are not valid."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SettingsError(
            f"The settings are not valid JSON ({error}).", fix="Restore config.json, or delete the run."
        ) from error
    if not isinstance(values, dict):
        raise SettingsError("The settings are not a JSON object.", fix="Restore config.json, or delete the run.")
    return build(Settings, OLD_DEFAULTS | known(Settings, values))
