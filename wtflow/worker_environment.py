"""The environment in which a process that computes is started: trainings, and tasks of finished runs.

Threads that share a sum wait for each other many times in a step. Asleep they wake late; spinning they hold a core that a page or
a second process wants, and each then waits for the others' turn to end. Measured on two cores, milliseconds of a training step of
preset `fast`, alone and beside a process that keeps one core busy (medians of one to six runs): asleep at once 45 and 50, 2,000
rounds 36 and 77, 10,000 rounds 30 and 104, 100,000 rounds 30 and 476. GNU's own choice is 300,000.
"""

import os
from pathlib import Path

WAITING = {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "1"}
"""How long a thread spins before it sleeps: rounds for GNU's OpenMP, milliseconds for LLVM's (not measured). What a person has set goes before."""

PROJECT = Path(__file__).resolve().parents[1]


def worker_environment(home: Path) -> dict[str, str]:
    """This process's environment for a worker on the store at `home`, which finds this package and chooses its number of threads itself."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}  # the pages' one thread
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return WAITING | inherited | {"PYTHONUNBUFFERED": "1", "WTFLOW_HOME": str(home), "PYTHONPATH": os.pathsep.join(paths)}
