"""Things that are timed against each other take turns."""

import time
from collections.abc import Callable, Mapping


def interleaved(
    tasks: Mapping[str, Callable[[], object]], repeats: int, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each task in each repeat: {name: [seconds] * repeats}.

    Every task runs once unmeasured. The tasks take turns, in reverse order every other time, so that a slower machine
    or another busy program affects the measured thing and its floor alike.
    """
    for task in tasks.values():
        task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for repeat in range(repeats):
        for name in list(tasks) if repeat % 2 == 0 else list(tasks)[::-1]:
            start = clock()
            tasks[name]()
            seconds[name].append(clock() - start)
    return seconds
