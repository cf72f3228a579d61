"""How a training reports its stage, percent, time left and heartbeat, and notices that it should stop."""

import contextlib
import time
from collections.abc import Generator

from wtflow.jobs import processes
from wtflow.jobs.estimate import STAGES
from wtflow.machine.progress import Counted, StopRequestedError, say
from wtflow.records.core import RunStatus
from wtflow.store.runs import RunStore

STATUS_EVERY_S = 0.5
TRUST_OWN_PACE_AFTER = 0.02
"""From this share of a stage on, the time left follows the pace so far; before, the estimate made at the start."""
PERCENT_OF_READING = 2.0


class Reporter:
    """Writes the status at most twice a second and looks for the stop file as often."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        self.expected = dict.fromkeys(STAGES, 1.0)
        self.seconds: dict[str, float] = {}
        self._process, self._host = processes.this_process(), processes.this_host()
        self._sweep = store.status(run_id).sweep
        self._stage, self._began, self._last = "", time.monotonic(), 0.0
        self._percent = 0.0
        """What was written last: a better estimate never takes progress back."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Generator[None, None, None]:
        """Time a stage and show it as the current one."""
        self._stage, self._began = name, time.monotonic()
        self._write(0, 0)
        yield
        self.seconds[name] = round(time.monotonic() - self._began, 2)
        say(f"{name}: done in {self.seconds[name]:.1f} s")

    def progress(self, done: int, total: int) -> None:
        """Cheap, so call it often. Raises StopRequestedError when the run should end."""
        now = time.monotonic()
        if now - self._last < STATUS_EVERY_S:
            return
        self._last = now
        if self.store.stop_requested_at(self.run_id) is not None or self._is_taken_over():
            raise StopRequestedError
        self._write(done, total, done.words if isinstance(done, Counted) else "")

    def _is_taken_over(self) -> bool:
        """Whether the coordinator of the run's sweep has given it to another process, because this one's computer did
        not answer: two must not write to one run.
        """
        if not self._sweep:
            return False
        now = self.store.status(self.run_id)
        return (now.pid, now.host) != (self._process.pid, self._host)

    def _write(self, done: int, total: int, message: str = "") -> None:
        share = done / total if total else 0.0
        elapsed = time.monotonic() - self._began
        position = STAGES.index(self._stage)
        here = elapsed / share if share > TRUST_OWN_PACE_AFTER else max(self.expected[self._stage], elapsed)
        past = sum(self.seconds.get(name, 0.0) for name in STAGES[:position])
        later = sum(self.expected[name] for name in STAGES[position + 1 :])
        percent = 100 * (past + here * share) / max(past + here + later, 1e-9)
        if position == 0:  # how long the others take is known once images have been read
            percent = PERCENT_OF_READING * share
        self._percent = max(self._percent, percent)
        self.store.write_status(
            self.run_id,
            RunStatus(
                state="running",
                stage=self._stage,
                step=done,
                total=total,
                percent=round(self._percent, 1),
                seconds_left=round(max(0.0, here - elapsed) + later, 1),
                pid=self._process.pid,
                pid_created=self._process.created,
                host=self._host,
                sweep=self._sweep,
                heartbeat=time.time(),
                message=message,
            ),
        )
