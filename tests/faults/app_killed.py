"""The app is killed while it writes what a person said: there is what was before or what was wanted, the next write
goes through, and nothing half-made stays.
"""

import time
from pathlib import Path

from faults.acts import ACTS, Act, Base, write_base
from faults.forked import in_child, result_in_child
from faults.killing import Dying, counted
from faults.outcome import Round, check
from faults.places import contents, copied, is_locked, tidied

DEATHS_EACH = 24
"""Calls into the system's files at which each act is killed: all where it makes fewer."""
NOW = 1_900_000_000.0


def run(this: Round) -> None:
    base = write_base(this.folder / "base", this.folder / "photos")
    for name, act in ACTS.items():
        n_calls, before, after = expected(base, act, this.folder)
        points = range(1, n_calls + 1)
        wanted = min(this.count(DEATHS_EACH), n_calls)
        for at in sorted(this.chance.sample(points, wanted)):
            with this.attempt(f"{name}, killed at call {at} of {n_calls}", "in " + name):
                left = kill_once(base, act, at, before, after, this.folder)
                this.leave(f"{name}, killed at call {at} of {n_calls}", left)


def expected(base: Base, act: Act, folder: Path) -> tuple[int, tuple, tuple]:
    """How many calls an act makes; what there is before and after it, as it is read and as files."""
    store = copied(base.home, folder / "store")
    before = act.read(store, base), set(contents(store.home))
    n_calls, _ = result_in_child(counted(lambda: act.do(store, base)), stopped_clock)
    tidied(store)
    return n_calls, before, (act.read(store, base), set(contents(store.home)))


def kill_once(base: Base, act: Act, at: int, before: tuple, after: tuple, folder: Path) -> list[str]:
    """Kill an act at one call, and look. Returns what it left behind. Raises where anything was lost."""
    store = copied(base.home, folder / "store")
    in_child(lambda: act.do(store, base), stopped_clock, Dying(at))
    check(not is_locked(store), "the store's lock is still held")
    now = act.read(store, base)
    check(act.is_whole(now, before[0], after[0]), f"neither old nor new: {now!r:.200}")
    tidied(store)
    check(act.read(store, base) == now, "tidying up changed it")
    files = set(contents(store.home))
    left = sorted(files - before[1] - after[1] if act.is_repeated else _unnamed(files, before[1] | after[1]))
    missing = sorted((before[1] & after[1]) - files)
    check(not missing, f"files are gone: {missing[:4]}")
    if act.is_repeated:
        result_in_child(lambda: act.do(store, base), stopped_clock)
        check(act.read(store, base) == after[0], "done again, it is not what was wanted")
    return left


def _unnamed(files: set[str], known: set[str]) -> set[str]:
    """Files that are new although their place is not: what carries the time in its name cannot be compared by it."""
    shapes = {_shape(name) for name in known}
    return {name for name in files if _shape(name) not in shapes}


def _shape(name: str) -> str:
    return "".join("0" if one.isdigit() else one for one in name)


def stopped_clock() -> None:
    """The same time in every process that does an act, so that what they write can be compared."""
    time.time = lambda: NOW
