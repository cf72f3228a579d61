"""Removing what killed processes left in a store, a little at every poll."""

import time
from collections.abc import Collection
from pathlib import Path

from wtflow.store.leftovers import tidy, tidy_runs
from wtflow.store.runs import RunStore

TIDY_EVERY_S = 3600.0
AT_ONCE = 200
"""Runs that are tidied in one go."""
IN_TURN = 20
"""Runs that each poll tidies of a store that has more of them."""
_TIDY_AT: dict[Path, float] = {}
"""When each store is tidied next, on the clock of `time.monotonic`."""
_LEFT: dict[Path, list[str]] = {}
"""Runs that wait to be tidied."""


def tidy_some(store: RunStore, active: Collection[str]) -> None:
    """Tidy the store once an hour: its own folders and up to AT_ONCE runs, further runs at the next polls. active:
    runs whose processes live, or of which that is not known. Call it under the store's lock.
    """
    left = _LEFT.setdefault(store.home, [])
    if time.monotonic() >= _TIDY_AT.get(store.home, 0.0):
        _TIDY_AT[store.home] = time.monotonic() + TIDY_EVERY_S
        tidy(store)
        left[:] = store.ids()
        n = len(left) if len(left) <= AT_ONCE else IN_TURN
    else:
        n = IN_TURN
    now, left[:] = left[:n], left[n:]
    tidy_runs(store, now, active)
