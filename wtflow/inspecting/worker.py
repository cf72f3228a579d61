"""The process that inspects: `python -m wtflow.inspecting.worker INSPECTION_ID` (store: WTFLOW_HOME, or ./runs)."""

import contextlib
import sys

from wtflow.errors import DiskFullError, WTFlowError
from wtflow.jobs import processes
from wtflow.machine.progress import say
from wtflow.records.inspect import Inspection
from wtflow.store import inspections
from wtflow.store.runs import RunStore


def main(arguments: list[str]) -> int:
    """Exit codes: 0 finished or stopped, 1 failed, with the reason in the status, 2 wrong call, ENDED_WITHOUT_ROOM:
    failed, and the disk is so full that the reason could not be written.
    """
    if len(arguments) != 1:
        say("Call it with one inspection: python -m wtflow.inspecting.worker INSPECTION_ID")
        return 2
    store, inspection_id = RunStore(), arguments[0]
    try:
        settings = inspections.read_inspection(store, inspection_id).settings
    except WTFlowError as error:
        say(str(error))
        return 2
    processes.give_way(settings.niceness, settings.threads)
    from wtflow.inspecting.work import inspect_here  # imports torch

    said = set()

    def tell(inspection: Inspection) -> None:
        used = inspection.runtime
        if used is not None and used.words not in said:
            said.add(used.words)
            say(f"computed by {used.title}. {used.words}".strip())

    try:
        ended = inspect_here(store, inspection_id, tell)
    except DiskFullError:
        return processes.ENDED_WITHOUT_ROOM
    except Exception as error:
        with contextlib.suppress(OSError):
            say(processes.failure_of(error, "").log)
        return 1
    say(f"{ended.status.state}: {ended.status.message}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
