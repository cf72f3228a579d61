"""How to train a run again: which settings differ from its preset, and the command that gives them all."""

import shlex
from pathlib import PurePath
from typing import Any

from wtflow.config import FILLED_IN, Settings, settings_from
from wtflow.store.layout import RunConfig

_OPTIONS = {
    "backbone": "--backbone",
    "weights": "--weights",
    "stages": "--stages",
    "image_size": "--size",
    "tile": "--tile",
    "coupling": "--coupling",
    "scope": "--scope",
    "width": "--width",
    "iterations": "--iterations",
    "steps": "--steps",
    "score": "--score",
    "seed": "--seed",
}
"""Settings that have an option of their own; the others go through --set."""

ROOT = "ROOT"
"""Stands for the folder of the data where it is left out."""


def changed_settings(settings: Settings) -> dict[str, tuple[Any, Any]]:
    """Setting -> (this run's value, the preset's), for those that differ.

    Random weights have early stages as their preset's own (`config.UNTRAINED`), so the other settings are compared with
    the preset at this run's weights: giving exactly these settings to `settings_from` makes the run's settings again.
    """
    preset = settings_from(settings.preset)
    at_weights = settings_from(settings.preset, {"weights": settings.weights})
    changed = {} if settings.weights == preset.weights else {"weights": (settings.weights, preset.weights)}
    return changed | {
        name: (value, usual)
        for name, value in settings
        if name not in ("preset", "weights", FILLED_IN) and value != (usual := getattr(at_weights, name))
    }


def train_command(config: RunConfig, *, with_paths: bool = False) -> str:
    """The shell command that trains this run again. Without paths the data's folder is ROOT and the weights are a
    bare file name.
    """
    settings = config.settings
    parts = [
        "python",
        "-m",
        "wtflow",
        "train",
        config.root if with_paths else ROOT,
        config.category,
        "--preset",
        settings.preset,
    ]
    given: dict[str, Any] = {"image_size": settings.image_size}  # else it would be chosen anew
    given |= {name: value for name, (value, _) in changed_settings(settings).items()}
    for name, value in given.items():
        if name == "backbone_args":
            parts += [part for key, one in value.items() for part in ("--backbone-arg", f"{key}={_text(one)}")]
        elif name in _OPTIONS:
            parts += [_OPTIONS[name], _text(value if with_paths or name != "weights" else without_folder(value))]
        else:
            parts += ["--set", f"{name}={_text(value)}"]
    return shlex.join([*parts, *config.reading.options])


def without_folder(weights: str) -> str:
    """`embedded`, `pretrained` or another word, or the bare name of a weights file: its folder is private."""
    return PurePath(weights.replace("\\", "/")).name or weights


def shared_config(config: RunConfig) -> dict[str, Any]:
    """config.json as others may see it: all settings, but neither the data's folder nor that of the weights."""
    values = config.model_dump(mode="json", exclude={"root"})
    return values | {"settings": values["settings"] | {"weights": without_folder(config.settings.weights)}}


def setting_words(name: str, value: Any, *, with_paths: bool = False) -> str:
    """A value as people write it on the command line."""
    if name == "weights" and not with_paths:
        value = without_folder(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(one)}" for key, one in value.items()) or "none"
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
