"""The parts of the bench, in the order in which they run."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from wtflow.bench import (
    actions,
    coupling,
    features,
    flow,
    gpu,
    inspect,
    memory,
    pages,
    projection,
    runtimes,
    scoring,
    start,
    store,
    train,
)
from wtflow.bench.figures import Figure
from wtflow.bench.machine import machine_facts
from wtflow.bench.workshop import Sizes, Workshop
from wtflow.config import Settings
from wtflow.errors import SettingsError, WTFlowError
from wtflow.machine.devices import pick_device

PARTS: dict[str, Callable[[Workshop], list[Figure]]] = {
    "features": features.measure,
    "coupling": coupling.measure,
    "train": train.measure,
    "flow": flow.measure,
    "scoring": scoring.measure,
    "projection": projection.measure,
    "start": start.measure,
    "pages": pages.measure,
    "actions": actions.measure,
    "store": store.measure,
    "memory": memory.measure,
    "inspect": inspect.measure,
    "runtimes": runtimes.measure,
    "gpu": gpu.measure,
}
CPU = torch.device("cpu")


def choose_parts(names: str | None) -> list[str]:
    """The parts of a list such as "train,features", in the order of `PARTS`; None: all. Raises SettingsError."""
    wanted = list(PARTS) if names is None else [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown or not wanted:
        raise SettingsError(
            f"The bench has no part {unknown[0] if unknown else names!r}.", fix=f"Use some of: {', '.join(PARTS)}."
        )
    return [name for name in PARTS if name in wanted]


def run_parts(
    names: Sequence[str], settings: Settings, sizes: Sizes, progress: Callable[[str, float], None]
) -> tuple[list[Figure], dict[str, Any]]:
    """Figures of these parts, and facts about them:
    machine, settings, parts not run and why, parts that failed and their error.

    All parts except gpu are measured on the CPU. The other parts keep their figures when one fails. Everything is
    written into a temporary folder, which is deleted.
    """
    device = pick_device()
    facts: dict[str, Any] = {
        "machine": machine_facts(device),
        "settings": settings.model_dump(mode="json"),
        "not_run": {},
        "failed": {},
    }
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="wtflow-bench-") as folder:
        shops = {
            "cpu": Workshop(Path(folder), settings, sizes, CPU),
            "gpu": Workshop(Path(folder) / "gpu", settings, sizes, device),
        }
        for i, name in enumerate(names):
            progress(f"measuring {name}", 100 * i / len(names))
            if (reason := _why_not(name, device)) is not None:
                facts["not_run"][name] = reason
                continue
            try:
                figures += PARTS[name](shops["gpu" if name == "gpu" else "cpu"])
            except WTFlowError as error:
                facts["failed"][name] = str(error)
    progress("measured", 100.0)
    return figures, facts


def _why_not(name: str, device: torch.device) -> str | None:
    """Why a part cannot be measured here, in a sentence; None where it can."""
    if name == "gpu" and device.type != "cuda":
        return "There is no CUDA device here, so the GPU's figures were not measured."
    return runtimes.why_not() if name == "runtimes" else None
