"""One inspection in a separate process: `python -m wtflow.bench.inspect_child RUN FOLDER` (store: WTFLOW_HOME).

Prints one JSON object last: peak memory in MiB, images a second without loading the detector, and counts.
"""

import json
import sys
import time

from wtflow.detector.opened import open_any
from wtflow.inspecting import tasks
from wtflow.inspecting.work import inspect_here
from wtflow.machine.memory import peak_mib
from wtflow.store.runs import RunStore


def main(run_id: str, folder: str) -> None:
    store = RunStore()
    opened = open_any(store, run_id)
    begun, began = tasks.create(store, run_id, [folder]), time.monotonic()
    ended = inspect_here(store, begun.inspection_id, opened=opened)
    seconds = time.monotonic() - began
    counts = ended.counts
    facts = {"peak_mib": round(peak_mib(), 1), "rate": round(counts.n_done / seconds, 2), "n": counts.n_done}
    sys.stdout.write(json.dumps(facts | {"n_broken": counts.n_broken}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
