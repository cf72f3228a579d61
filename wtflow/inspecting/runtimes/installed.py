"""Which runtimes can be used here, by which versions of which packages. Imports none of them, and no torch."""

import hashlib
import importlib.util
from importlib import metadata

from wtflow import __version__
from wtflow.errors import MissingPackageError
from wtflow.export.onnx.needed import missing_packages
from wtflow.machine.processor import processor_abilities, processor_name
from wtflow.records.runtimes import TITLES, Runtime

PACKAGES: dict[Runtime, str] = {"torch": "torch", "onnx": "onnxruntime", "openvino": "openvino"}
MADE_BY = ("torch", "onnx", "onnxscript", "onnxruntime")
"""Packages whose versions name a graph."""


def installed() -> tuple[Runtime, ...]:
    """Runtimes besides torch that are here, with what a graph for them is made by."""
    if missing_packages():
        return ()
    return ("onnx", "openvino") if importlib.util.find_spec("openvino") else ("onnx",)


def require(runtime: Runtime) -> None:
    """Raise MissingPackageError where a runtime is not here."""
    if runtime in ("torch", *installed()):
        return
    missing = missing_packages()
    if runtime == "openvino" and importlib.util.find_spec("openvino") is None:
        missing.append("openvino")
    extra = " openvino" * (runtime == "openvino")
    raise MissingPackageError(
        f"Inspecting by {TITLES[runtime]} needs packages that are not installed: {', '.join(missing)}.",
        fix=f"Install them: pip install -r requirements-export.txt{extra}. Or inspect with --runtime torch.",
    )


def version_of(runtime: Runtime) -> str:
    """As the package states it, without what it adds on its build."""
    return metadata.version(PACKAGES[runtime]).split("-")[0].split("+")[0]


def graph_versions() -> str:
    """What a graph depends on besides its detector, as part of a folder's name."""
    return "_".join([f"wtflow-{__version__}", *(f"{name}-{metadata.version(name)}" for name in MADE_BY)])


def computer_key(n_threads: int) -> str:
    """16 hex digits for this computer's processor with so many threads in use."""
    named = f"{processor_name()}|{processor_abilities()}|{n_threads}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]
