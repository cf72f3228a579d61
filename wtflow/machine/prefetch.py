"""Work prepared while the network computes: threads draw the next batches, or read the next images.

An item depends on its number and on no weight. So drawing it earlier, or in another thread, changes only the time.
Threads suffice: SciPy's assignment, torch, Pillow and hashing release Python's lock while they work.

With a GPU, helpers draw ahead while it computes. On a CPU the network already uses every core, and a helper would take
one away from its portion of the batch, for which the others then wait. There the two take turns: every core draws a few
items, then every core computes. Measured on two cores, milliseconds of a training step (medians of five): in turns 22,
with one or two helpers ahead 26, without any 25.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, wait
from typing import TypeVar

import torch

from wtflow.machine.cores import helpers, n_cores

N = TypeVar("N")
T = TypeVar("T")

N_AHEAD = 2
"""Items ahead for each thread, besides the one in use: one to take next, and one that makes up for a slow one."""
MOST_THREADS = 8


def prepared(draw: Callable[[int], T], numbers: range, device: torch.device, n_each: int) -> Generator[T, None, None]:
    """`draw(number)` for each number in order, in the quickest way for a network on `device`.

    n_each: items that a thread draws in its turn on a CPU.
    """
    if device.type == "cpu":
        return prepared_in_turns(draw, numbers, n_cores(), n_each)
    return prepared_ahead(draw, numbers, n_helpers())


def n_helpers() -> int:
    """Threads that keep a GPU supplied. It trains a batch faster than a core pairs one, so several, but a core is
    left to the thread that drives it.
    """
    return min(MOST_THREADS, max(1, (os.cpu_count() or 1) - 1))


def prepared_ahead(draw: Callable[[N], T], numbers: Iterable[N], n_threads: int) -> Generator[T, None, None]:
    """`draw(number)` for each number (or other item) in order, at most N_AHEAD * n_threads of them drawn ahead.

    n_threads 0 draws each when it is needed. An error of `draw` is raised where its item would have come. The
    threads end with the last item, an error, or when the iterator is closed (`contextlib.closing`), which waits for
    what is being drawn.
    """
    if n_threads == 0:
        yield from map(draw, numbers)
        return
    with helpers(n_threads, "prepare") as pool:
        pending: deque[Future[T]] = deque()
        for number in numbers:
            pending.append(pool.submit(draw, number))
            if len(pending) > N_AHEAD * n_threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def prepared_in_turns(
    draw: Callable[[int], T], numbers: range, n_threads: int, n_each: int
) -> Generator[T, None, None]:
    """`draw(number)` for each number in order: n_threads * n_each of them are drawn side by side while the caller
    waits, then handed out.

    n_threads 1 draws each when it is needed. Errors and the end of the threads are as with `prepared_ahead`.
    """
    if n_threads == 1:
        yield from map(draw, numbers)
        return
    with helpers(n_threads, "prepare") as pool:
        for first in range(0, len(numbers), n_threads * n_each):
            turn = deque(pool.submit(draw, number) for number in numbers[first : first + n_threads * n_each])
            wait(turn)
            while turn:
                yield turn.popleft().result()
