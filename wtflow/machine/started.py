"""When a process started, on a clock that does not jump when the system's clock is set.

Linux keeps the start of a process in seconds since the machine was started, and psutil adds the time of that start,
which moves whenever the clock is set: the same process then seems to have started at another time. Elsewhere the system
wrote down the time itself. So on Linux seconds since the machine's start are kept. They are told from times of earlier
versions, and of other systems, by their size.
"""

import sys
from typing import Final

import psutil

IS_REWRITTEN: Final = sys.platform.startswith("linux")
"""Whether the system tells another start of a process once its clock was set."""
LONGEST_UP_S: Final = 1e9
"""No machine runs for 30 years; seconds since 1970 are more."""
SAME_WITHIN_S: Final = 1.0


def started_at(process: psutil.Process) -> float:
    """What identifies a process together with its number, in seconds."""
    if not IS_REWRITTEN:
        return process.create_time()
    return round(psutil.Process(process.pid).create_time() - psutil.boot_time(), 2)


def is_same(process: psutil.Process, started: float) -> bool:
    """Whether a process is the one that started then, by `started_at` or by the clock. Raises psutil.NoSuchProcess."""
    now = started_at(process) if IS_REWRITTEN and started < LONGEST_UP_S else process.create_time()
    return abs(now - started) <= SAME_WITHIN_S
