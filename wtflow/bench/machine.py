"""Facts of the machine that figures depend on. No host name: results can be published."""

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

from wtflow.machine.environment import THREADS


def machine_facts(device: torch.device) -> dict[str, Any]:
    """Processor, cores, threads, versions and device, as plain values."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "thread_wait": {name: os.environ.get(name, "default") for name in ("OMP_WAIT_POLICY", *THREADS)},
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "device": str(device) if device.type == "cpu" else torch.cuda.get_device_name(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def _cpu_model() -> str:
    """The processor's name; Linux keeps it where Python does not look."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
