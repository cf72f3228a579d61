"""Build settings from values that a person gave: a mistake becomes one sentence that names the setting."""

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wtflow.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)


def known(kind: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are. Raises SettingsError for a name that is not a setting."""
    for name in values:
        if name not in kind.model_fields:
            close = difflib.get_close_matches(name, kind.model_fields, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Settings are: {', '.join(kind.model_fields)}."
            raise SettingsError(f"There is no setting {name!r}.", fix=hint)
    return values


def build(kind: type[Model], values: dict[str, Any]) -> Model:
    """Raises SettingsError for the first wrong value."""
    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "settings"
        reason = first["msg"].removeprefix("Value error, ")
        found = "" if first["type"] == "value_error" and not first["loc"] else f" (found {first['input']!r})"
        field = kind.model_fields.get(str(first["loc"][0]) if first["loc"] else "")
        fix = field.description if field is not None and field.description else "Change one of the two."
        raise SettingsError(f"{name}: {reason}{found}.", fix=fix) from error
