"""Computes the cells of a sweep through an executor, until all are finished, failed or stopped.

Everything that must survive a kill stands in the store: which run belongs to which cell, and how each run stands. So a
coordinator that begins anew takes over what goes on, continues what was cut off, and repeats nothing that is finished.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from wtflow.errors import DamagedRunError, RunBusyError, RunNotFoundError, WTFlowError
from wtflow.jobs import of_sweeps, processes, trainings
from wtflow.jobs.standing import status_now
from wtflow.machine.progress import say
from wtflow.numbers import count
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Cell, SweepStatus
from wtflow.store import sweeps
from wtflow.store.lock import locked
from wtflow.store.runs import RunStore
from wtflow.sweeps.estimate import SweepEstimate, estimate_sweep
from wtflow.sweeps.executors.base import Executor, Need
from wtflow.sweeps.order import ordered
from wtflow.sweeps.tally import Tally, is_out_of_memory

POLL_S: Final = 0.5
REPORT_EVERY_S: Final = 1.0
MOST_TRIES: Final = 3
"""How often a run is begun that was killed or ran out of memory, before it counts as failed."""
MORE_MEMORY: Final = 1.5
"""A run that ran out of memory is given so many times what it had the time before."""
_SAID_AT_MOST: Final = 3


class Coordinator:
    """One coordinator of one sweep. `run` returns when nothing is left to do."""

    def __init__(self, store: RunStore, name: str, executor: Executor, jobs: int) -> None:
        self.store, self.name, self.executor, self.jobs = store, name, executor, jobs
        self._stamp = sweeps.stamp(store, name)
        self.sweep = sweeps.read(store, name)
        self.tallies: dict[str, Tally] = {}
        self.order: list[str] = []
        self.estimate: SweepEstimate = self._take_in()
        self._reported, self._stopped_at = -REPORT_EVERY_S, math.nan
        self._began, self._work_done = time.monotonic(), 0.0

    def run(self, pause: Callable[[float], None] = time.sleep) -> SweepStatus:
        """Until all cells are over, or the sweep is asked to stop and nothing runs any more. Raises StoreError where
        nothing can be written.
        """
        while True:
            self._notice_changes()
            self._notice_ends()
            if math.isnan(self._stopped_at) and sweeps.is_stop_asked(self.store, self.name):
                self._stopped_at = time.time()
                self._stop_all()
            if math.isnan(self._stopped_at):
                self._fill()
            else:
                self._press()
            if not self._of("active") and (not math.isnan(self._stopped_at) or not self._of("waiting")):
                return self._end()
            self._report()
            pause(POLL_S)

    # -- what there is to do ------------------------------------------------------------------------------------------

    def _take_in(self) -> SweepEstimate:
        """Tallies for all cells that are not known yet: finished ones, ones that still run, and the rest, in order."""
        self._forget_orphans()
        fresh = [cell for cell in self.sweep.cells if cell.key not in self.tallies]
        for cell in fresh:
            tally = self.tallies[cell.key] = Tally(cell)
            status = self._status(cell)
            if status is None:
                continue
            if status.state == "finished" and not self.store.lack(cell.run_id):
                tally.state = "finished"
            elif status.state in ("running", "stopping") and not self.executor.adopt(cell.run_id):
                tally.is_over = True
            elif status.state in ("running", "stopping"):
                tally.state, tally.tries = "active", 1
                say(f"{cell.words}: run {cell.run_id} goes on")
        done = [key for key, tally in self.tallies.items() if tally.state == "finished"]
        found = estimate_sweep(self.store, self.sweep, self.jobs, done)
        self.order = ordered(self.sweep.cells, found.groups, found.feature_bytes)
        return found

    def _forget_orphans(self) -> None:
        """Delete runs that a killed coordinator made and could not write down: nothing has begun in them."""
        since = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.sweep.created - 1))
        known = set(self.sweep.runs.values())
        with locked(self.store):
            for run_id in self.store.ids():
                if run_id < since:
                    break
                try:
                    status = self.store.status(run_id)
                except WTFlowError:
                    continue
                if status.state == "queued" and status.sweep == self.name and run_id not in known:
                    self.store.delete(run_id)

    def _notice_changes(self) -> None:
        """Take in what was added to the sweep meanwhile."""
        stamp = sweeps.stamp(self.store, self.name)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        now = sweeps.read(self.store, self.name)
        if now.serial != self.sweep.serial:
            self.sweep = now
            self.estimate = self._take_in()
            say(f"the sweep is now {now.words}")

    def _fill(self) -> None:
        for key in self.order:
            tally = self.tallies[key]
            if tally.state != "waiting":
                continue
            need = self._need(tally)
            if not self.executor.has_room(need, len(self._of("active"))):
                return
            self._begin(tally, need)

    def _begin(self, tally: Tally, need: Need) -> None:
        """Hand a cell over. What prevents it is this cell's failure alone, unless nothing at all can be written."""
        cell, is_over = tally.cell, tally.is_over
        if self._status(cell) is None:
            note = lambda run_id: sweeps.note_run(self.store, self.name, cell.key, run_id)  # noqa: E731
            cell = tally.cell = replace(cell, run_id=of_sweeps.begin(self.store, cell, self.name, note))
        else:
            try:
                of_sweeps.begin_again(self.store, cell.run_id, self.name, is_over=is_over)
            except RunBusyError:
                return  # it has a process after all: the next look finds it
        tally.state, tally.began = "active", time.monotonic()
        tally.tries += 1
        say(f"{cell.words}: run {cell.run_id}" + (f", try {tally.tries}" if tally.tries > 1 else ""))
        self.executor.submit(cell.run_id, need)

    def _need(self, tally: Tally) -> Need:
        return Need(tally.cell.settings.threads, tally.memory_mib or self.estimate.memory_mib)

    # -- what has ended -----------------------------------------------------------------------------------------------

    def _notice_ends(self) -> None:
        over = self.executor.over()
        for tally in self._of("active"):
            status, run_id = self._status(tally.cell), tally.cell.run_id
            if status is None:
                self._is_over(tally, "stopped", "The run was deleted, or its files are damaged.")
            elif not status.is_active:
                self._judge(tally, status)
            elif run_id in over:  # its process is gone, and did not come to write how it ended
                self._judge(tally, replace(status, state="lost", message=over[run_id] or "Its process ended."))

    def _judge(self, tally: Tally, status: RunStatus) -> None:
        if status.state == "finished":
            self._is_over(tally, "finished", "")
            return
        if status.state == "stopped":
            self._is_over(tally, "stopped", status.message)
            return
        is_memory = is_out_of_memory(status.message)
        if (status.state == "lost" or is_memory) and tally.tries < MOST_TRIES and math.isnan(self._stopped_at):
            if is_memory or "SIGKILL" in status.message:
                tally.memory_mib = MORE_MEMORY * (tally.memory_mib or self.estimate.memory_mib)
            say(f"{tally.cell.words}: {status.message} It is tried again.")
            self.executor.forget(tally.cell.run_id)
            tally.state, tally.is_over = "waiting", True
            return
        self._is_over(tally, "failed" if math.isnan(self._stopped_at) else "stopped", f"{status.message} {status.fix}")

    def _is_over(self, tally: Tally, state: str, why: str) -> None:
        tally.state, tally.why = state, why.strip()
        self.executor.forget(tally.cell.run_id)
        if state == "finished" and not math.isnan(tally.began):
            self._work_done += self.estimate.cells.get(tally.cell.key, 0.0)
        say(f"{tally.cell.words}: {state}{f': {tally.why}' * bool(tally.why)}")

    # -- stopping -----------------------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        say("stopping, as asked")
        for tally in self._of("active"):
            self.executor.cancel(tally.cell.run_id)
            status = self._status(tally.cell)
            if status is not None and status.state == "queued":
                self.store.request_stop(tally.cell.run_id)  # for a worker that begins just now
                of_sweeps.take_out(self.store, tally.cell.run_id)
            else:
                trainings.request_stop(self.store, tally.cell.run_id)

    def _press(self) -> None:
        """Take the next step with runs that were asked to stop."""
        for tally in self._of("active"):
            if (status := self._status(tally.cell)) is None:
                continue
            if status.state == "queued":
                of_sweeps.take_out(self.store, tally.cell.run_id)
            else:
                with locked(self.store):
                    trainings.escalate(self.store, tally.cell.run_id)

    # -- what is said -------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY_S:
            return
        self._reported = now
        sweeps.write_status(self.store, self.name, self._standing())

    def _standing(self) -> SweepStatus:
        pid, created = processes.this_process()
        active = [(tally, status) for tally in self._of("active") if (status := self._status(tally.cell))]
        n_running = sum(status.state != "queued" for _, status in active)
        expected, under_way = self.estimate.cells, 0.0
        for tally, status in active:
            under_way += expected.get(tally.cell.key, 0.0) * status.percent / 100
        left = (
            sum(expected.get(tally.cell.key, 0.0) for tally in (*self._of("active"), *self._of("waiting"))) - under_way
        )
        n_finished = len(self._of("finished"))
        total = sum(expected.values()) + 1e-9
        n_over, n_all = sum(t.state not in ("active", "waiting") for t in self.tallies.values()), len(self.tallies)
        share_left = left / max(total, left)
        before = n_all - len(expected)  # finished before this coordinator began
        share = (before + len(expected) * (1 - share_left)) / max(1, n_all)
        return SweepStatus(
            state="running" if math.isnan(self._stopped_at) else "stopping",
            pid=pid,
            pid_created=created,
            host=processes.this_host(),
            heartbeat=time.time(),
            n_all=n_all,
            n_finished=n_finished,
            n_failed=len(self._of("failed")),
            n_running=n_running,
            percent=round(100 * (share if n_over < n_all else 1.0), 1),
            seconds_left=round(self._seconds_left(left, under_way), 1) if math.isnan(self._stopped_at) else None,
            nodes=self.executor.nodes(),
            n_tasks=len(active),
            threads=self.sweep.combinations[0].settings.threads,
        )

    def _seconds_left(self, left: float, under_way: float) -> float:
        """By the pace so far once a run's worth of work is done, before that by the estimate."""
        done, elapsed = self._work_done + under_way, time.monotonic() - self._began
        one = max(self.estimate.cells.values(), default=0.0)
        if done > one > 0 and self._work_done > 0:
            return left * elapsed / done
        return left / max(1, self.jobs)

    def _end(self) -> SweepStatus:
        failed, n = self._of("failed"), len(self.tallies)
        standing = replace(self._standing(), pid=None, pid_created=None, seconds_left=None, n_running=0, n_tasks=0)
        n_finished = standing.n_finished
        said = f"{n_finished:,} of {count(n, 'run')} {'is' if n_finished == 1 else 'are'} finished."
        reasons = [f"{tally.cell.words} failed: {tally.why}" for tally in failed[:_SAID_AT_MOST]]
        if len(failed) > _SAID_AT_MOST:
            reasons.append(f"{len(failed) - _SAID_AT_MOST:,} more failed.")
        is_whole = n_finished == n
        ended = replace(
            standing,
            state="finished" if is_whole or math.isnan(self._stopped_at) else "stopped",
            heartbeat=time.time(),
            message=" ".join([said, *reasons]),
            fix="" if is_whole else "Resume continues what is not finished.",
        )
        sweeps.write_status(self.store, self.name, ended)
        say(ended.message)
        return ended

    # -- inside -------------------------------------------------------------------------------------------------------

    def _of(self, state: str) -> list[Tally]:
        return [tally for tally in self.tallies.values() if tally.state == state]

    def _status(self, cell: Cell) -> RunStatus | None:
        """How the run of a cell stands; None where it was not begun, was deleted, or is damaged beyond reading."""
        if not cell.run_id:
            return None
        try:
            return status_now(self.store, cell.run_id)
        except (RunNotFoundError, DamagedRunError):
            return None
