"""Any answer, from the run's folder or computed and kept there. Only answers that need the run's flow import torch."""

from collections.abc import Callable
from typing import Final

from wtflow.errors import StoreError
from wtflow.failures.facts import compute_facts
from wtflow.machine.progress import ShareDone
from wtflow.records.failures import ImageFacts
from wtflow.results import open_results
from wtflow.store.runs import RunStore
from wtflow.studies.answers import Answer, answer_path, load_answer, save_answer
from wtflow.studies.requests import FactsRequest, NearestRequest, Request, StepsRequest, TravelRequest, UmapRequest

Compute = Callable[[RunStore, str, Request, ShareDone], Answer]


def compute_answer(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> Answer:
    """The answer, from the run's folder if it was kept there, else computed and kept.

    Raises WTFlowError; StoreError when the run was trained or scored again meanwhile, so that the answer belongs to
    neither.
    """
    path = answer_path(store, run_id, request)
    found = load_answer(store, run_id, request)
    if found is not None:
        progress(1.0)
        return found
    answer = _COMPUTED_BY[type(request)](store, run_id, request, progress)
    if answer_path(store, run_id, request) != path:
        raise StoreError(f"Run {run_id} changed while this was computed.", fix="Compute it again.")
    save_answer(store, run_id, request, answer)
    return answer


def _from_results(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> ImageFacts:
    return compute_facts(open_results(store, run_id), lambda done, total: progress(done / total))


def _from_flow(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> Answer:
    from wtflow.studies import flow_answers  # imports torch
    from wtflow.studies.run_flow import open_flow

    return flow_answers.COMPUTED_BY[request.kind](open_flow(store, run_id), request, progress)


_COMPUTED_BY: Final[dict[type[Request], Compute]] = {
    FactsRequest: _from_results,
    NearestRequest: _from_flow,
    TravelRequest: _from_flow,
    UmapRequest: _from_flow,
    StepsRequest: _from_flow,
}
"""Request -> what computes its answer: from the results on disk, or from the network and the features too."""
