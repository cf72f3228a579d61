"""What pages open with, computed once a training has finished, so that nobody waits for it on a first visit.

A process of its own does it (`studies.start_tasks`, ahead of time): the run is finished before, and the next training
need not wait. Imports no torch.
"""

from wtflow.config import Settings
from wtflow.jobs.studies import start_tasks
from wtflow.machine.progress import say
from wtflow.store.runs import RunStore
from wtflow.studies.requests import (
    OverTimeRequest,
    PicturesRequest,
    Request,
    YardstickRequest,
    default_paths,
    default_wells,
)


def first_requests(settings: Settings) -> tuple[Request, ...]:
    """What pages ask a run with these settings when nobody has chosen anything; what takes longest comes last."""
    paths, wells = default_paths(settings.solver), default_wells(settings.solver)
    quick = dict.fromkeys((paths, wells.travel, PicturesRequest(), YardstickRequest(), OverTimeRequest()))
    return (*quick, wells) if settings.umap_after else (*quick,)


def prepare(store: RunStore, run_id: str) -> None:
    """Start the process for a run that has just finished, if its settings ask for it. The run stays finished even if
    that fails.
    """
    settings = store.config(run_id).settings
    if not settings.prepare_pages:
        return
    try:
        if (store.scores(run_id).split == "test").any():
            start_tasks(store, run_id, first_requests(settings), is_ahead=True)
    except Exception as error:  # raised, it would turn the finished run into a failed one
        say(f"what pages open with is not computed ahead: {error}")
