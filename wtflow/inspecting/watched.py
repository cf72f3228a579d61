"""Which files of a watched folder are complete. Pure: it is told what there is at each look, and answers what is ready.

A file is complete once its size and time are the same at two looks in a row, and it decodes. One that does not decode
is tried again; only after some looks without a change it counts as broken. Imports no torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from wtflow.inspecting.sources import Item

LOOK_EVERY_S: Final = 0.5
BROKEN_AFTER: Final = 6
"""Tries without a change after which a file that does not decode is a broken one: some three seconds."""


@dataclass(slots=True)
class _Seen:
    stamp: tuple[int, ...]
    n_failed: int = 0


class Watched:
    """is_done: whether an image has a row of the file as it is now."""

    def __init__(self, is_done: Callable[[Item], bool], broken_after: int = BROKEN_AFTER) -> None:
        self.is_done, self.broken_after = is_done, broken_after
        self._seen: dict[str, _Seen] = {}

    def look(self, items: Sequence[Item]) -> list[Item]:
        """Those of the images that are there now which are to be scored."""
        seen, ready = {}, []
        for item in items:
            if self.is_done(item):
                continue
            before = self._seen.get(item.image)
            if before is not None and before.stamp == item.stamp and item.stamp:
                seen[item.image] = before
                ready.append(item)
            else:
                seen[item.image] = _Seen(item.stamp)
        self._seen = seen  # what is gone or done is forgotten
        return ready

    def is_broken(self, image: str) -> bool:
        """Told that an image could not be read: whether that is its last word. If not, it is tried at the next look."""
        seen = self._seen.get(image)
        if seen is None:
            return False
        seen.n_failed += 1
        return seen.n_failed >= self.broken_after
