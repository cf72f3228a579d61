"""Settings of a run: defaults, presets, validation, to and from JSON. No other place defines one."""

from wtflow.config.fields import choices, describe, limits, parse_pairs, parse_value
from wtflow.config.presets import OLD_DEFAULTS, PRESETS, UNTRAINED, settings_from, settings_from_json
from wtflow.config.settings import ArgValue, Settings
from wtflow.config.stages import FILLED_IN
from wtflow.config.tile import read_tile
from wtflow.config.together import EMBEDDED_BACKBONE, EMBEDDED_LAST_STAGE
from wtflow.config.words import (
    BACKGROUND,
    OLD_WEIGHT_WORDS,
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
    "OLD_WEIGHT_WORDS",
    "Background",
    "Coupling",
    "EMBEDDED_BACKBONE",
    "EMBEDDED_LAST_STAGE",
    "FILLED_IN",
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
