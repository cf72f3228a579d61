"""Which run was opened last, kept beside the runs, so that it is still known after the browser or the app was closed.

It is a convenience: a file that is absent, damaged or cannot be written costs the next visit one choice, no more.
"""

import contextlib

from wtflow.errors import DamagedRunError, StoreError
from wtflow.permission import may_train
from wtflow.store import layout
from wtflow.store.files import read_json, write_json
from wtflow.store.runs import RunStore


def opened_last(store: RunStore) -> str | None:
    """The id of the run that was opened last, whether or not it is still there; None where nothing valid tells."""
    try:
        found = read_json(store.home / layout.OPENED).get("run_id")
    except DamagedRunError:
        return None
    return found if layout.is_run_id(found) else None


def remember_opened(store: RunStore, run_id: str) -> None:
    """Write down that this run was opened. Where nothing can be written, nothing happens; nor for who may
    only look: what others find open is not theirs to choose.
    """
    if may_train() and opened_last(store) != run_id:
        with contextlib.suppress(StoreError):
            write_json(store.home / layout.OPENED, {"run_id": run_id})
