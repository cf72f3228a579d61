"""What every executor does: it takes runs that are queued in the store, and says which of them are over."""

from dataclasses import dataclass
from typing import Protocol

from wtflow.records.sweep import Node


@dataclass(frozen=True, slots=True)
class Need:
    """What one run takes: threads, and memory in MiB."""

    threads: int
    memory_mib: float


class Executor(Protocol):
    """Computes runs by their worker, `python -m wtflow.jobs.train_worker RUN`, on one folder that all share. How a run
    went stands in the run's own status; an executor adds only what that cannot tell.
    """

    def has_room(self, need: Need, n_active: int) -> bool:
        """Whether another run may be handed over now, with n_active handed over and not over."""
        ...

    def submit(self, run_id: str, need: Need) -> None:
        """Have a queued run computed, now or when there is a place for it. Raises StoreError."""
        ...

    def adopt(self, run_id: str) -> bool:
        """Whether a run that a coordinator before left goes on by itself; if so, it is taken note of."""
        ...

    def over(self) -> dict[str, str]:
        """Runs whose process is known to be over since the last call, with what is known of why, or nothing."""
        ...

    def forget(self, run_id: str) -> None:
        """A run is over: what was set aside for it is free."""
        ...

    def cancel(self, run_id: str) -> None:
        """Take back a run that has not begun. One that has is asked to stop by its stop file."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """The computers that it uses."""
        ...

    def close(self) -> None: ...
