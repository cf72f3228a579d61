"""The processor of this computer: its name, what it can do, and how busy it is."""

import os
import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """Linux keeps it where Python does not look."""
    return _listed().get("model name") or platform.processor() or platform.machine()


def processor_abilities() -> str:
    """Its instructions as Linux lists them; the kind of processor elsewhere."""
    found = _listed()
    return found.get("flags") or found.get("Features") or platform.machine()


def load() -> float:
    """Programs that wanted a core in the last minute, for each core; 0 where the system does not say."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 0.0


def _listed() -> dict[str, str]:
    """What Linux lists of the first core."""
    if not _CPUINFO.is_file():
        return {}
    first = _CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    pairs = [line.partition(":") for line in first.splitlines()]
    return {name.strip(): value.strip() for name, _, value in pairs}
