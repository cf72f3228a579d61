"""The environment in which a process that computes is started: trainings, and tasks of finished runs.

Threads that share a sum wait for each other many times in a step. Asleep they wake late; spinning they hold a core that a page or
a second process wants, and each then waits for the others' turn to end. Measured on two cores, training steps of preset `fast`
in milliseconds, alone and beside a process that keeps one core busy: asleep at once 34 to 58 and 48 to 65, 2,000 rounds 29 to 38
and 70 to 85, 10,000 rounds 24 to 34 and 104, 100,000 rounds 29 to 31 and 476. GNU's own choice is 300,000.
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
