"""Where a run's detector was written to, so that a run that is in use elsewhere is not taken for a spare one."""

import contextlib
import time

from wtflow.errors import DamagedRunError, StoreError
from wtflow.permission import in_passing
from wtflow.store import layout
from wtflow.store.files import read_json, write_json
from wtflow.store.runs import RunStore

MOST_KEPT = 50


@in_passing()
def note_export(store: RunStore, run_id: str, name: str) -> None:
    """Write down that the detector of a run was written to a file of this name. Where nothing can be written, nothing
    happens.
    """
    with contextlib.suppress(StoreError):
        entries = [*exports_of(store, run_id), {"name": name, "date": time.time()}]
        write_json(store.folder(run_id) / layout.EXPORTED, {"exports": entries[-MOST_KEPT:]})


def exports_of(store: RunStore, run_id: str) -> list[dict[str, object]]:
    """Name and date of each file, oldest first; none where nothing valid tells."""
    try:
        found = read_json(store.home / run_id / layout.EXPORTED).get("exports")
    except DamagedRunError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
