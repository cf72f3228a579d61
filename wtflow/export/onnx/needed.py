"""Packages that exporting to ONNX needs besides requirements.txt. Imports none of them."""

import importlib.util
from typing import Final

from wtflow.errors import ExportError

NEEDED: Final = ("onnx", "onnxscript", "onnxruntime")


def missing_packages() -> list[str]:
    """The packages that exporting or checking needs and that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def require_packages() -> None:
    """Raise ExportError where a package is missing that exporting or checking needs."""
    missing = missing_packages()
    if missing:
        raise ExportError(
            f"Exporting to ONNX needs packages that are not installed: {', '.join(missing)}.",
            fix="Install what requirements-export.txt lists: pip install -r requirements-export.txt.",
        )
