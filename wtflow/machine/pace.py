"""How fast this machine is now: what a promise of seconds is multiplied by."""

import os
import time
from typing import Final

import psutil

ROUNDS: Final = 40_000
"""Turns of a plain loop: 2 ms on the machine that the estimates were measured on."""

REFERENCE_S: Final = 0.0018
"""Seconds of processor time that these turns took there (two cores of a server, 2.9 GHz)."""

SHORTEST: Final = 0.3
"""No machine is more than three times as fast: below this the loop was measured wrongly."""


def slowness() -> float:
    """How many times longer work on one core takes than on the machine that estimates were measured on.

    The speed of a plain loop, times what others that compute cost. Takes a few milliseconds.
    """
    return max(SHORTEST, _loop_seconds() / REFERENCE_S) * _waiting()


def _loop_seconds() -> float:
    """Processor time of the loop, the best of three: a program that comes between does not count."""
    found = []
    for _ in range(3):
        start, total = time.thread_time(), 0
        for i in range(ROUNDS):
            total += i & 3
        found.append(time.thread_time() - start)
    return min(found)


def _waiting() -> float:
    """How much longer work takes because of others, at least 1: the square root of the programs per core with one more.

    Their number itself promised three times too much in twelve fits at 3 to 9 programs a core: many of them run only
    now and then.
    """
    return max(1.0, (psutil.getloadavg()[0] + 1) / (os.cpu_count() or 1)) ** 0.5
