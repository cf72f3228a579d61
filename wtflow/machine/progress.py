"""How work reports how far it is, how it learns that it should stop, and how it keeps to one thread."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Takes the items done and the items in all. May raise StopRequestedError, so that work ends between two items."""


class Counted(int):
    """Items done, with words on what is being waited for meanwhile."""

    words: str

    def __new__(cls, value: int, words: str) -> "Counted":
        made = super().__new__(cls, value)
        made.words = words
        return made


ShareDone = Callable[[float], None]
"""Takes the share done, 0 to 1. May raise StopRequestedError."""


class Share(float):
    """A share done, 0 to 1, that also says what is being done and how many seconds are left."""

    words: str
    seconds_left: float | None

    def __new__(cls, value: float, words: str = "", seconds_left: float | None = None) -> "Share":
        made = super().__new__(cls, value)
        made.words, made.seconds_left = words, seconds_left
        return made


class StopRequestedError(Exception):
    """Someone pressed Stop, or deleted the run. Not meant for people, so no WTFlowError."""


def say(text: str) -> None:
    """Write one line of a worker's log, with the time (UTC) in front."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}\n")
    sys.stdout.flush()


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread inside, as before outside. Imports torch."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
