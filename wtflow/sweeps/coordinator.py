"""The process that coordinates a sweep: `python -m wtflow.sweeps.coordinator NAME` (store: WTFLOW_HOME, or ./runs)."""

import contextlib
import sys
import time
from dataclasses import replace

from wtflow.errors import WTFlowError
from wtflow.jobs import processes
from wtflow.machine.progress import say
from wtflow.records.sweep import Sweep
from wtflow.store import sweeps
from wtflow.store.runs import RunStore
from wtflow.sweeps import tasks
from wtflow.sweeps.coordinate import Coordinator
from wtflow.sweeps.estimate import estimate_sweep, fitting_jobs
from wtflow.sweeps.executors.base import Executor
from wtflow.sweeps.executors.local import LocalExecutor


def main(arguments: list[str]) -> int:
    """Exit codes: 0 ended as it should, also where runs failed or were stopped, 1 failed, 2 wrong call."""
    if len(arguments) != 1:
        say("Call it with one sweep: python -m wtflow.sweeps.coordinator NAME")
        return 2
    store, name = RunStore(), arguments[0]
    try:
        sweep = sweeps.read(store, name)
        tasks.claim(store, name)
    except WTFlowError as error:
        say(str(error))
        return 2
    executor = None
    try:
        executor, jobs = make_executor(store, sweep)
        Coordinator(store, name, executor, jobs).run()
    except Exception as error:
        failure = processes.failure_of(error, "Its log has the details; if it happens again, report it with them.")
        say(failure.log)
        ended = replace(sweeps.read_status(store, name), state="failed", pid=None, heartbeat=time.time())
        with contextlib.suppress(WTFlowError):
            sweeps.write_status(
                store, name, replace(ended, message=failure.message, fix=failure.fix, seconds_left=None)
            )
        return 1
    finally:
        if executor is not None:
            executor.close()
    return 0


def make_executor(store: RunStore, sweep: Sweep) -> tuple[Executor, int]:
    """The executor that the sweep asks for, and how many runs it computes at once. Raises MissingPackageError."""
    settings = sweep.combinations[0].settings
    memory_mib = estimate_sweep(store, sweep, 1).memory_mib
    jobs = fitting_jobs(sweep.way.jobs, len(sweep.cells), settings.threads, memory_mib)
    way = sweep.way
    if way.executor == "ray":
        from wtflow.sweeps.executors.ray import RayExecutor

        executor = RayExecutor(store, way.address, way.jobs, way.gpu_share)
        cpus = sum(node.cpus for node in executor.nodes())
        jobs = way.jobs or max(1, int(cpus // settings.threads))
        say(f"{sweep.words}; ray, {len(executor.nodes())} nodes with {cpus:.0f} CPUs; {settings.threads} threads each")
        return executor, jobs
    say(f"{sweep.words}; {sweep.way.executor}; {jobs} at once, {settings.threads} threads each")
    return LocalExecutor(store, jobs), jobs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
