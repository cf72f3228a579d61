"""The most memory that this process has held."""

import re
import sys
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def peak_mib() -> float:
    """Peak resident memory of this process in MiB, shared and memory-mapped pages included.

    Linux keeps it for the program alone (VmHWM). `getrusage` starts from the memory of the process that started this
    one: a child of a process of 2 GB reports at least 2 GB. Windows knows it as the peak of the working set.
    """
    if _STATUS.is_file() and (
        found := re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="ascii", errors="replace"))
    ):
        return int(found[1]) / 1024
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024  # macOS counts bytes, others KiB
