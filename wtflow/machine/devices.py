"""Where networks compute. A setting of the machine, not of a run: a run may go on elsewhere. Imports torch.

`auto` is CUDA where there is one (ROCm counts as one), else the processor. Apple's and Intel's GPUs are used when they
are named: in float32, since bfloat16 was measured on CUDA alone. Neither was ever tried.
"""

import os
import re
from typing import Final

import torch

from wtflow.errors import SettingsError

AUTO: Final = "auto"
KINDS: Final = ("cuda", "mps", "xpu")
"""Accelerators that may be named, besides cpu."""
_FORM: Final = re.compile(r"(cpu|mps)|(cuda|xpu)(?::(\d{1,3}))?", re.ASCII)


def pick_device(wanted: str | None = None) -> torch.device:
    """The device of this name; without one, that of WTFLOW_DEVICE, else `auto`. Raises SettingsError for one that is
    not there.
    """
    name = (wanted or os.environ.get("WTFLOW_DEVICE") or AUTO).strip().lower()
    there = devices_here()
    if name == AUTO:
        return torch.device("cuda" if "cuda:0" in there else "cpu")
    if name not in there and not (_FORM.fullmatch(name) and f"{name}:0" in there):
        raise SettingsError(
            f"There is no device {name[:40]!r} here.", fix=f"Choose one of these: {', '.join([AUTO, *there])}."
        )
    return torch.device(name)


def devices_here() -> tuple[str, ...]:
    """Names of the devices of this computer: cpu, and each accelerator of a kind that may be named."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    kind = "" if accelerator is None else accelerator.type
    if kind == "mps":
        return "cpu", "mps"
    return "cpu", *(f"{kind}:{i}" for i in range(torch.accelerator.device_count()) if kind in KINDS)
