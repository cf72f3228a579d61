"""Wrong passwords, counted: by address, and together, since somebody may have many addresses.

One object serves all sessions of a server. It forgets when the server ends: only who can end it gains by that.
"""

import ipaddress
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FREE: Final = 5
"""Wrong tries of an address without a wait; then waits double from FIRST_WAIT_S to LONGEST_WAIT_S."""
FIRST_WAIT_S: Final = 2.0
LONGEST_WAIT_S: Final = 900.0
FORGET_S: Final = 3600.0
"""Seconds after its last wrong try after which an address is forgotten."""
MOST_TOGETHER: Final = 100
TOGETHER_S: Final = 600.0
"""So many wrong tries of all addresses in so many seconds, and everybody waits: a guess every six seconds.
Who is signed in notices nothing.
"""
MOST_ADDRESSES: Final = 10_000


@dataclass
class _Address:
    n_wrong: int
    last: float


class Attempts:
    """Ask `begin` before a password is looked at, and call `right` where it was right. Any thread may.

    A try counts as wrong from its beginning, so many at once gain nothing.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._addresses: dict[str, _Address] = {}
        self._together: list[float] = []

    def begin(self, address: str) -> float:
        """Seconds until this address may try; 0 where it may now, which counts as a try."""
        now, name = self._now(), _network(address)
        with self._lock:
            self._together = [one for one in self._together if now - one < TOGETHER_S]
            known = self._addresses.get(name)
            wait = _wait_of(known, now)
            if len(self._together) >= MOST_TOGETHER:
                wait = max(wait, self._together[-MOST_TOGETHER] + TOGETHER_S - now)
            if wait > 0:
                return wait
            is_known = known is not None and now - known.last < FORGET_S
            self._addresses.pop(name, None)
            self._addresses[name] = _Address(known.n_wrong + 1 if known and is_known else 1, now)
            while len(self._addresses) > MOST_ADDRESSES:
                self._addresses.pop(next(iter(self._addresses)))  # the one that tried longest ago
            self._together.append(now)
        return 0.0

    def right(self, address: str) -> None:
        """The password was right: the address starts anew, and its last try counts nowhere."""
        with self._lock:
            known = self._addresses.pop(_network(address), None)
            if known is not None and known.last in self._together:
                self._together.remove(known.last)


def _wait_of(known: _Address | None, now: float) -> float:
    if known is None or known.n_wrong < FREE or now - known.last > FORGET_S:
        return 0.0
    wait = min(FIRST_WAIT_S * 2.0 ** min(known.n_wrong - FREE, 20), LONGEST_WAIT_S)
    return max(0.0, known.last + wait - now)


def _network(address: str) -> str:
    """An address as one place: of IPv6, the part that a provider gives to one customer."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
