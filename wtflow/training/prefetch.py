"""Work prepared ahead: threads draw the next batches, or read the next images, while the network computes.

What is drawn depends on its number alone and on no weight, so drawing it earlier, or in another thread, changes nothing but
the time. Threads suffice: SciPy's assignment, torch, Pillow and hashing let go of Python's lock while they work.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")

N_AHEAD = 2
"""Items that wait or are being made for each thread, beside the one in use: one to take next, and one that makes up for a slow one."""
MOST_THREADS = 8


def n_helpers(device: torch.device) -> int:
    """Threads that keep a network on `device` supplied.

    One on a CPU, whose cores the network uses itself. A GPU trains a batch faster than a core pairs one, so there several, but a
    core is left to the thread that drives it.
    """
    return 1 if device.type == "cpu" else min(MOST_THREADS, max(1, (os.cpu_count() or 1) - 1))


def prepared_ahead(draw: Callable[[int], T], numbers: range, n_threads: int) -> Iterator[T]:
    """`draw(number)` for each number in order, N_AHEAD * n_threads of them at most drawn before they are asked for.

    n_threads 0 draws each when it is asked for. An error of `draw` is raised where its item would have come. The threads end with
    the last item, an error, or when the iterator is closed (`contextlib.closing`), which waits for what is being drawn.
    """
    if n_threads == 0:
        yield from map(draw, numbers)
        return
    # On one thread of torch each: the network has the other cores, and how a sum is split changes its last digit.
    pool = ThreadPoolExecutor(n_threads, "prepare", initializer=torch.set_num_threads, initargs=(1,))
    pending: deque[Future[T]] = deque()
    try:
        for number in numbers:
            pending.append(pool.submit(draw, number))
            if len(pending) > N_AHEAD * n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(torch.get_num_threads())  # threads started later count as many as this one, not the helpers' one
