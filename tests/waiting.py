"""How tests wait: for a state, with patience enough for a busy machine."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 120.0
"""Longest wait for anything: well beyond what the slowest step takes with every core busy."""

T = TypeVar("T")


def wait_until(
    check: Callable[[], T], describe: Callable[[], object] = lambda: "", patience_s: float = PATIENCE_S
) -> T:
    """Call `check` until what it returns is true, and return that. Fails with `describe()` when patience ends."""
    end = time.monotonic() + patience_s
    while not (found := check()):
        assert time.monotonic() < end, f"not within {patience_s:.0f} s: {describe()}"
        time.sleep(0.05)
    return found
