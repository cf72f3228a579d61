"""Results kept by key for the whole server, for work that reports progress, which cached functions cannot."""

import threading
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Shelf(Generic[Kept]):
    """A few results by key, the least recently put thrown out. Sessions share it, each in a thread of its own."""

    def __init__(self, n_kept: int) -> None:
        self._kept: dict[object, Kept] = {}
        self._n_kept = n_kept
        self._lock = threading.Lock()

    def get(self, key: object) -> Kept | None:
        return self._kept.get(key)

    def put(self, key: object, value: Kept) -> None:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._n_kept:
                self._kept.pop(next(iter(self._kept)))
