"""Trainings started and stopped, 500 times, several at once: none hangs, none is lost, and nothing stays."""

import os
import time
from pathlib import Path

from faults.forked import open_files, warm_workers
from faults.outcome import Round, check
from faults.places import children, figures, half_written, images, left_in, small, wait_until_over
from wtflow.jobs import processes, trainings
from wtflow.store.runs import RunStore

CYCLES = 500
CATEGORIES = ("a", "b", "c", "d", "e", "f")
AT_ONCE = "4"
"""Trainings that may run; the other categories wait in the queue, and are taken out of it."""
LONGEST_S = 0.6
"""Until a run is asked to stop."""
RESUMED = 0.6
"""Share of stopped runs that go on; the others are deleted, and a new one begins."""


def run(this: Round) -> None:
    os.environ["WTFLOW_MAX_RUNS"] = AT_ONCE
    root, store = images(this.folder / "images", *CATEGORIES), RunStore(this.folder / "runs")
    with warm_workers():
        whole = trainings.start(store, root, "a", small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, n_files = figures(store, whole), len(open_files())
        trainings.delete(store, whole)
        _cycle(this, store, root)
        for run_id in store.ids():
            trainings.delete(store, run_id)
        last = trainings.start(store, root, "a", small())
        if wait_until_over(store, last).state != "finished" or figures(store, last) != wanted:
            this.lost.append("a run begun after all cycles does not finish with the figures of one before them")
        this.leave("after all cycles", left_in(store) + half_written(store))
        processes.reap()
        this.leave("after all cycles", children())
        if len(open_files()) > n_files:
            this.left.append("the app's process holds more open files than before")


def _cycle(this: Round, store: RunStore, root: Path) -> None:
    """Poll as the pages do, and start, stop, resume and delete as people might."""
    n_wanted = this.count(CYCLES)
    stop_at: dict[str, float] = {}
    asked: dict[str, float] = {}
    runs = dict.fromkeys(CATEGORIES, "")
    while this.tried < n_wanted or asked or stop_at:
        trainings.reconcile(store)
        for category, run_id in runs.items():
            if not run_id:
                if this.tried < n_wanted:
                    runs[category] = trainings.start(store, root, category, small(iterations=20_000))
                    stop_at[runs[category]] = time.monotonic() + this.chance.uniform(0, LONGEST_S)
                continue
            status = trainings.live_status(store, run_id)
            if run_id in stop_at and time.monotonic() >= stop_at[run_id]:
                trainings.request_stop(store, run_id)
                asked[run_id] = time.monotonic()
                del stop_at[run_id]
            elif run_id in asked and not status.is_active:
                with this.attempt(f"cycle {this.tried + 1}, {run_id}", f"{status.state}"):
                    check(
                        status.state in ("stopped", "finished"),
                        f"asked to stop, it is {status.state}: {status.message}",
                    )
                del asked[run_id]
                if this.tried < n_wanted and status.state == "stopped" and this.chance.random() < RESUMED:
                    trainings.resume(store, run_id)
                    stop_at[run_id] = time.monotonic() + this.chance.uniform(0, LONGEST_S)
                else:
                    trainings.delete(store, run_id)
                    runs[category] = ""
            elif run_id in asked and time.monotonic() - asked[run_id] > 600:
                raise AssertionError(f"{run_id} is still {status.state} ten minutes after it was asked to stop")
            elif run_id not in asked and run_id not in stop_at:
                runs[category] = ""
        time.sleep(0.01)
