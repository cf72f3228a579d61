"""One setting at a time: its help, limits and choices, and its value read from text."""

from typing import get_args

from wtflow.config.settings import ArgValue, Settings
from wtflow.errors import SettingsError


def describe(name: str) -> str:
    """One sentence on a setting, for help texts."""
    return Settings.model_fields[name].description or ""


def limits(name: str) -> tuple[float | None, float | None]:
    """Smallest and largest allowed value of a numeric setting, None where open."""
    low = high = None
    for rule in Settings.model_fields[name].metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high


def choices(name: str) -> tuple[str, ...]:
    """The allowed values of a setting that is a choice."""
    return get_args(Settings.model_fields[name].annotation)


def parse_pairs(pairs: list[str], *, option: str) -> dict[str, str]:
    """Split ["a=1", "b=2"] into a dictionary. Raises SettingsError naming the option that carried a wrong one."""
    parsed = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name.strip():
            raise SettingsError(f"{option} {pair!r} is not NAME=VALUE.", fix=f"Write it as {option} name=value.")
        parsed[name.strip()] = value.strip()
    return parsed


def parse_value(text: str) -> ArgValue:
    """Read true, false, a number, or else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
