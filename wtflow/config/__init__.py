"""Settings of a run: defaults, presets, validation, to and from JSON. No other place defines one."""

from wtflow.config.fields import choices, describe, limits, parse_pairs, parse_value
from wtflow.config.presets import OLD_DEFAULTS, PRESETS, UNTRAINED, settings_from, settings_from_json
from wtflow.config.settings import EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE, ArgValue, Settings
from wtflow.config.tile import read_tile
from wtflow.config.words import (
    BACKGROUND,
    WEIGHT_MEANINGS,
    WEIGHT_WORDS,
    Background,
    Coupling,
    Network,
    Normalise,
    Padding,
    Precision,
    Preset,
    Schedule,
    Scope,
    Score,
    Solver,
)

__all__ = [
    "ArgValue",
    "BACKGROUND",
    "OLD_DEFAULTS",
    "Background",
    "Coupling",
    "EMBEDDED_BACKBONE",
    "EMBEDDED_LAST_STAGE",
    "Network",
    "Normalise",
    "PRESETS",
    "Padding",
    "Precision",
    "Preset",
    "Schedule",
    "Scope",
    "Score",
    "Settings",
    "Solver",
    "read_tile",
    "UNTRAINED",
    "WEIGHT_MEANINGS",
    "WEIGHT_WORDS",
    "choices",
    "describe",
    "limits",
    "parse_pairs",
    "parse_value",
    "settings_from",
    "settings_from_json",
]
