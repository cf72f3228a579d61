"""A few images answered while a person waits, in this process, where the detector may be open already. Loads torch."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from wtflow.detector.opened import open_any
from wtflow.errors import WTFlowError
from wtflow.inspecting import tasks
from wtflow.inspecting.work import inspect_here
from wtflow.records.core import RunStatus
from wtflow.records.inspect import Inspection
from wtflow.store import inspections
from wtflow.store.runs import RunStore


def inspect_now(
    store: RunStore,
    detector: str,
    uploads: Sequence[tuple[str, bytes]],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Inspection:
    """An inspection of images that came through the browser, done when it returns. progress: gets (images done, images
    in all), and may raise to end it: what was scored is kept, and `tasks.resume` goes on. Raises WTFlowError where
    nothing can be scored.
    """
    opened = open_any(store, detector)  # takes the longest, and nothing is kept if it fails
    made = tasks.create(store, detector, [], uploads=uploads)
    try:
        return inspect_here(
            store, made.inspection_id, lambda now: progress(now.counts.n_done, len(uploads)), opened=opened
        )
    except WTFlowError:
        raise  # its status says why
    except BaseException:
        # A page that is left raises what is no Exception. This process goes on, so the status has to say that it ended.
        latest = inspections.read_inspection(store, made.inspection_id)
        ended = RunStatus(state="stopped", heartbeat=time.time(), message="The page was left before it was done.")
        inspections.write_progress(store, replace(latest, status=ended))
        raise
