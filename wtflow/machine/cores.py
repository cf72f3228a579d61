"""Portions of work, each on its own core.

Threads that share one sum meet after every sum, hundreds of times for one batch of images or rows, and each time all
wait for the last. Where work falls into portions that have nothing to do with each other, a thread for each portion
meets the others once. torch releases Python's lock while it computes, so threads suffice.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

MOST = 16
"""Portions at once: each holds its images or rows in memory."""

MOST_PIXELS = 2**24
"""Of canvases that cores of a CPU work on at once; each takes some 60 bytes a pixel meanwhile."""

SideBySide = Callable[[Callable[[T], R], Sequence[T]], list[R]]
"""(work, portions) -> what `work` gives for each, in order; the first error in that order is raised."""


def n_cores() -> int:
    """Portions that the calling thread may have worked on at once: as many as it has threads of torch.
    A helper has one.
    """
    return min(MOST, torch.get_num_threads())


def threads_for(canvas: tuple[int, int] | None) -> int:
    """Cores of a CPU that work at once: all of them, but fewer on canvases (height, width) so large that they would
    fill memory.
    """
    return n_cores() if canvas is None else max(1, min(n_cores(), MOST_PIXELS // (canvas[0] * canvas[1])))


@contextlib.contextmanager
def helpers(n_threads: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """Threads with one thread of torch each; what is not begun at the end is dropped, what is begun is waited for."""
    pool = ThreadPoolExecutor(n_threads, name, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(
            torch.get_num_threads()
        )  # threads started later count as many as this one, not the helpers' one


@contextlib.contextmanager
def side_by_side(n_threads: int) -> Iterator[SideBySide]:
    """A way to work on portions side by side, n_threads of them at once; with one thread the caller does them in
    turn, as it would any other work.
    """
    if n_threads <= 1:
        yield lambda work, portions: [work(portion) for portion in portions]
        return
    with helpers(n_threads, "portion") as pool:
        yield lambda work, portions: list(pool.map(work, portions))
