"""Facts of the machine that figures depend on. No host name: results can be published."""

import os
import platform
from typing import Any

import numpy as np
import scipy
import torch

from wtflow.machine.environment import THREADS
from wtflow.machine.processor import processor_name


def machine_facts(device: torch.device) -> dict[str, Any]:
    """Processor, cores, threads, versions and device, as plain values."""
    return {
        "cpu": processor_name(),
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
