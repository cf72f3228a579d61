"""Runs of a sweep: made, begun again and launched by its coordinator, not by the store's own queue."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wtflow.errors import RunBusyError
from wtflow.jobs import listing, trainings
from wtflow.jobs.standing import is_alive, status_now
from wtflow.records.core import RunStatus
from wtflow.records.sweep import Cell
from wtflow.store.lock import locked
from wtflow.store.runs import WAITING, RunStore


def begin(store: RunStore, cell: Cell, sweep: str, note: Callable[[str], None]) -> str:
    """Make the run of a cell, queued, and return its id; `note` writes it down before anybody else can look.
    Raises StoreError.
    """
    with locked(store):
        category = cell.category
        run_id = store.create(Path(category.root), category.name, cell.settings, category.reading, sweep=sweep)
        note(run_id)
    return run_id


def begin_again(store: RunStore, run_id: str, sweep: str, *, is_over: bool = False) -> None:
    """Queue a run of a sweep again: it continues from its last checkpoint. Of a finished one with a damaged file the
    results stay until the new ones are complete. is_over: its process is known to be gone, although its status does
    not tell. Raises RunBusyError while it is alive.
    """
    with locked(store):
        status = status_now(store, run_id)
        if not is_over and status.state in ("running", "stopping") and is_alive(status):
            raise RunBusyError(f"Run {run_id} is already {status.state}.", fix="Watch it on the train page.")
        if status.state == "finished":
            store.keep_finished(run_id, status)
        store.clear_stop(run_id)
        store.write_status(
            run_id,
            RunStatus(state="queued", percent=status.percent, heartbeat=time.time(), message=WAITING, sweep=sweep),
        )


def launch(store: RunStore, run_id: str, more: Mapping[str, str] | None = None) -> None:
    """Start the worker of a queued run on this computer, with `more` in its environment."""
    with locked(store):
        trainings.launch(store, run_id, more)


def take_out(store: RunStore, run_id: str) -> None:
    """Write that a run that had not begun will not."""
    with locked(store):
        if store.status(run_id).state == "queued":
            trainings.end_without_results(store, run_id, "stopped", "Taken out of the queue.")


def n_own_active(store: RunStore) -> int:
    """Trainings that people started themselves and that wait or run here."""
    return sum(one.status is not None and not one.status.sweep for one in listing.look(store).active)
