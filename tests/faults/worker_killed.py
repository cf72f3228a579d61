"""A training is killed at random moments and while it writes; resumed, it ends with the very figures of one that nobody
disturbed.
"""

import os
import random
import signal
import time
from pathlib import Path

from faults.forked import IN_CHILD, warm_workers
from faults.killing import Dying, counting
from faults.outcome import Round, check
from faults.places import (
    children,
    contents,
    figures,
    images,
    left_in,
    small,
    wait_until_over,
)
from wtflow.jobs import processes, trainings
from wtflow.jobs.estimate import STAGES
from wtflow.jobs.standing import process_of
from wtflow.store import layout
from wtflow.store.runs import RunStore

KILLS = 200
MOST_IN_A_ROW = 3
"""Times that one run is killed before it may finish."""
REAL_EVERY = 25
"""Each so many-th worker is started as the app starts it; the others are forked, which saves the import of torch."""


def run(this: Round) -> None:
    n_wanted, n_started = this.count(KILLS), [0]

    def is_real() -> bool:
        n_started[0] += 1
        return n_started[0] % REAL_EVERY == 0

    os.environ["WTFLOW_MAX_RUNS"] = "1"
    root, store = images(this.folder / "images"), RunStore(this.folder / "runs")
    with warm_workers(is_real):
        whole = trainings.start(store, root, "plate", small())
        check(wait_until_over(store, whole).state == "finished", store.log_tail(whole))
        wanted, before = figures(store, whole), contents(store.folder(whole))
        seconds, n_calls = store.metrics(whole)["seconds"], _calls_of_a_run(store, root, this.folder / "calls")
        while this.tried < n_wanted:
            if this.chance.random() < 0.5:
                _forget_features(store)
            run_id = trainings.start(store, root, "plate", small())
            for _ in range(this.chance.randint(1, MOST_IN_A_ROW)):
                _kill_once(this, store, run_id, seconds, n_calls, wanted)
                check(contents(store.folder(whole)) == before, "another run changed")
                if trainings.live_status(store, run_id).state == "finished" or this.tried >= n_wanted:
                    break
            _finish(this, store, run_id, wanted)
        this.leave("after all kills", left_in(store))
        processes.reap()
        this.leave("after all kills", children())


def _kill_once(this: Round, store: RunStore, run_id: str, seconds: dict, n_calls: int, wanted: str) -> None:
    """Kill the worker of a run that was just started, look, and resume it."""
    way = this.chance.choice(["moment", "stage", "stage", "call", "call"])
    words = f"kill {this.tried + 1}, {run_id}, by {way}"
    status = trainings.live_status(store, run_id)
    with this.attempt(words):
        if way == "call":  # the next worker dies by itself; this one makes room for it
            _kill(store, run_id, status)
            wait_until_over(store, run_id)
            IN_CHILD[:] = [Dying(this.chance.randint(1, n_calls))]
            try:
                _resume(store, run_id)
            finally:
                IN_CHILD.clear()
            stage = _stage_at_end(store, run_id)
        else:
            _wait_for_moment(this.chance, store, run_id, way, seconds)
            stage = trainings.live_status(store, run_id).stage
            _kill(store, run_id, trainings.live_status(store, run_id))
        ended = wait_until_over(store, run_id)
        this.of_which[f"at {stage}" if ended.state == "lost" else "after it had finished"] += 1
        check(ended.state in ("lost", "finished"), f"it is {ended.state}: {ended.message}")
        listed = {one.run_id: one for one in trainings.live_summaries(store)}
        check(listed[run_id].problem == "", listed[run_id].problem)
        if ended.state == "finished":
            check(figures(store, run_id) == wanted, "a finished run has other figures")
        else:
            _resume(store, run_id)


def _finish(this: Round, store: RunStore, run_id: str, wanted: str) -> None:
    ended = wait_until_over(store, run_id)
    try:
        check(ended.state == "finished", f"resumed, it is {ended.state}: {ended.message}")
        check(figures(store, run_id) == wanted, "its figures differ from those of an undisturbed run")
        check("Traceback" not in store.log_tail(run_id), "its log holds a traceback")
    except Exception as error:
        this.lost.append(f"{run_id} after its kills: {error}")
        return
    this.leave(run_id, [name for name in left_in(store) if name.startswith(run_id)])
    trainings.delete(store, run_id)


def _calls_of_a_run(store: RunStore, root: Path, into: Path) -> int:
    """How many calls into the system's files a whole training makes."""
    _forget_features(store)
    IN_CHILD[:] = [counting(into)]
    try:
        run_id = trainings.start(store, root, "plate", small())
        check(wait_until_over(store, run_id).state == "finished", store.log_tail(run_id))
    finally:
        IN_CHILD.clear()
    trainings.delete(store, run_id)
    return int(into.read_text())


def _wait_for_moment(chance: random.Random, store: RunStore, run_id: str, way: str, seconds: dict) -> None:
    """A random moment of the whole run, or of one stage of it."""
    if way == "moment":
        time.sleep(chance.uniform(0, 1.1 * sum(seconds.values())))
        return
    wanted = chance.choice(["start", *seconds])
    order = ["start", *STAGES]
    while (now := trainings.live_status(store, run_id)).is_active:
        if now.stage in order and order.index(now.stage) >= order.index(wanted):
            break
        time.sleep(0.002)
    time.sleep(chance.uniform(0, seconds.get(wanted, 0.1)))


def _kill(store: RunStore, run_id: str, status) -> None:
    if status.state in ("running", "stopping") and (process := process_of(status)) is not None:
        os.kill(process.pid, signal.SIGKILL)


def _resume(store: RunStore, run_id: str) -> None:
    if trainings.live_status(store, run_id).state != "finished":
        trainings.resume(store, run_id)


def _stage_at_end(store: RunStore, run_id: str) -> str:
    stage = "start"
    end = time.monotonic() + 120
    while (now := trainings.live_status(store, run_id)).is_active and time.monotonic() < end:
        stage = now.stage or stage
        time.sleep(0.005)
    return store.status(run_id).stage or stage


def _forget_features(store: RunStore) -> None:
    for path in (store.home / layout.CACHE).glob("*.npy"):
        path.unlink()
