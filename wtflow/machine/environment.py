"""The environment of a worker process, of a training or a study.

Threads that share a sum wait for each other many times in a step. Asleep they wake late; spinning they hold a core that
a page or a second process wants, and each then waits for the others' turn to end. Where cores work on portions of their
own (`wtflow/machine/cores.py`) that matters little. Measured on two cores, milliseconds of a training step of preset
`fast`, alone and next to a process that keeps one core busy (medians of five): asleep at once 21 and 36, 2,000 rounds
20 and 37, 100,000 rounds 21 and 52; GNU's own choice is 300,000. With sums shared by all threads, and twice as many
pairs to find in a step, it was 45 and 50, 36 and 77, 30 and 476.
"""

import os
from pathlib import Path

from wtflow.machine.places import CHECKOUT

THREADS = {"GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "1", "OPENBLAS_NUM_THREADS": "1"}
"""How long a thread spins before it sleeps: rounds for GNU's OpenMP, milliseconds for LLVM's (not measured). NumPy gets
no threads of its own: they would spin next to torch's (one map brought to 256 px after one image's flow took 65 ms with
two, and 1 ms with one). Values that a person has set take precedence.
"""

LOG_ENCODING = "utf-8:backslashreplace"
"""Of a worker's log, whatever code page the console of its launcher has: a name that it lacks would end the run."""


def worker_environment(home: Path) -> dict[str, str]:
    """This process's environment for a worker on the store at `home`, which finds this package and chooses its
    number of threads itself.
    """
    inherited = {
        name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"
    }  # the pages' one thread
    ours = {"PYTHONUNBUFFERED": "1", "WTFLOW_HOME": str(home)}
    if CHECKOUT is not None:  # an installed package is found anyway, and its folder would hide modules of Python's own
        ours["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return THREADS | inherited | ours | {"PYTHONIOENCODING": LOG_ENCODING}
