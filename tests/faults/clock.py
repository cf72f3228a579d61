"""The system's clock jumps, back or forward, in the middle of a training: by a minute or by years. The run goes on, is
taken neither for lost nor for another's, can be stopped, and ends with the same figures.

A clock that everybody on the machine uses cannot be set for a test. So the functions that read it are replaced, in the
app's process and in the worker's: `time.time`, and the time at which the machine was started, which the system reckons
from its clock and psutil reckons the age of processes from. Times that the file system writes do not jump.
"""

import multiprocessing
import os
import time
from collections.abc import Callable

from faults.forked import IN_CHILD, warm_workers
from faults.outcome import Round, check
from faults.places import children, figures, images, left_in, small, wait_until_over
from wtflow.errors import RunBusyError
from wtflow.jobs import processes, trainings
from wtflow.store.runs import RunStore

JUMPS = 24
STEPS_S = (-2.5, -60.0, -3600.0, -86_400.0, -20 * 365 * 86_400.0, 2.5, 3600.0, 86_400.0)
"""From a correction over the network to a battery that was empty."""


class Clock:
    """A clock that all processes of this round share, and that jumps."""

    def __init__(self) -> None:
        import psutil

        self.step = multiprocessing.Value("d", 0.0, lock=False)
        self._time, self._boot = time.time, psutil._psplatform.boot_time

    def install(self) -> None:
        import psutil

        time.time = lambda: self._time() + self.step.value
        psutil._psplatform.boot_time = lambda: self._boot() + self.step.value

    def remove(self) -> None:
        import psutil

        time.time, psutil._psplatform.boot_time = self._time, self._boot

    def jump(self, seconds: float) -> None:
        self.step.value = seconds


def run(this: Round) -> None:
    os.environ["WTFLOW_MAX_RUNS"] = "1"
    root, store, clock = images(this.folder / "images"), RunStore(this.folder / "runs"), Clock()
    with warm_workers():
        whole = trainings.start(store, root, "plate", small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, seconds = figures(store, whole), sum(store.metrics(whole)["seconds"].values())
        clock.install()
        try:
            for number in range(this.count(JUMPS)):
                step_s, is_stopped = STEPS_S[number % len(STEPS_S)], number // len(STEPS_S) % 3 == 2
                with this.attempt(f"a jump by {step_s:,.0f} s", "back" if step_s < 0 else "forward"):
                    _jump_once(this, store, root, clock, step_s, is_stopped, seconds, wanted)
                clock.jump(0.0)
                for run_id in store.ids():
                    if run_id != whole:
                        wait_until_over(store, run_id)
                        trainings.delete(store, run_id)
        finally:
            clock.remove()
        this.leave("after all jumps", left_in(store))
        processes.reap()
        this.leave("after all jumps", children())
        del IN_CHILD[:]


def _jump_once(
    this: Round, store: RunStore, root, clock: Clock, step_s: float, is_stopped: bool, seconds: float, wanted: str
) -> None:
    run_id = trainings.start(store, root, "plate", small())
    _until(lambda: trainings.live_status(store, run_id).stage not in ("", "start"))
    time.sleep(this.chance.uniform(0, 0.5 * seconds))
    clock.jump(step_s)
    status = trainings.live_status(store, run_id)
    if store.status(run_id).state == "running":
        check(status.state in ("running", "finished"), f"its process lives, and it is called {status.state}")
        if status.state == "running":
            _check_refused(store, run_id)
            if is_stopped:
                trainings.request_stop(store, run_id)
    ended = wait_until_over(store, run_id)
    if is_stopped and ended.state != "finished":
        check(ended.state == "stopped", f"asked to stop, it is {ended.state}: {ended.message}")
        trainings.resume(store, run_id)
        ended = wait_until_over(store, run_id)
    check(ended.state == "finished", f"it is {ended.state}: {ended.message}")
    check(figures(store, run_id) == wanted, "its figures differ from those of an undisturbed run")
    second = trainings.start(store, root, "plate", small(iterations=10))
    check(wait_until_over(store, second).state == "finished", "a run begun after the jump does not finish")


def _check_refused(store: RunStore, run_id: str) -> None:
    """A second worker on one run would write into the files of the first."""
    try:
        trainings.resume(store, run_id)
    except RunBusyError:
        return
    except Exception as error:
        if trainings.live_status(store, run_id).state == "finished":
            return
        raise error
    if store.status(run_id).state != "finished":
        raise AssertionError("a second worker was started on a run that has one")


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not is_so():
        check(time.monotonic() < end, "it did not begin")
        time.sleep(0.005)
