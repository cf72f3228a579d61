"""Any answer, read from the run's folder or computed and kept there. Imports torch for answers that need the flow."""

from collections.abc import Callable
from typing import Any, Final, cast

from wtflow.errors import StoreError
from wtflow.failures.facts import compute_facts
from wtflow.machine.progress import ShareDone
from wtflow.records.coupling import CouplingStudy
from wtflow.records.drawn import DrawnPictures
from wtflow.records.failures import ImageFacts
from wtflow.records.normals import NormalScores
from wtflow.results import open_results
from wtflow.store import derived
from wtflow.store.runs import RunStore
from wtflow.studies.answers import answer_path, ask
from wtflow.studies.coupling.kept import part_path
from wtflow.studies.requests import A, Answer, CouplingRequest, NormalsRequest, Request, RequestFor
from wtflow.studies.small_pictures import fill_small, looks_of, open_small


def compute_answer(store: RunStore, run_id: str, request: RequestFor[A], progress: ShareDone) -> A:
    """The answer, from the run's folder if it is kept there, else computed and kept.

    Raises WTFlowError; StoreError when the run was trained or scored again meanwhile, so that the answer belongs to
    neither.
    """
    question = ask(store, run_id, request)
    found = question.load()
    if found is not None:
        progress(1.0)
        return found
    answer = _COMPUTED_BY[request.kind](store, run_id, request, progress)
    if not question.is_current():
        raise StoreError(f"Run {run_id} changed while this was computed.", fix="Compute it again.")
    question.save(answer)
    derived.discard(part_path(question.path))
    return answer


def _from_results(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> ImageFacts:
    return compute_facts(open_results(store, run_id), lambda done, total: progress(done / total))


def _from_own_steps(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> Answer:
    from wtflow.studies import follow_answers  # imports torch
    from wtflow.studies.run_flow import open_flow

    return follow_answers.COMPUTED_BY[request.kind](open_flow(store, run_id), request, progress)


def _drawn(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> DrawnPictures:
    small = open_small(store, run_id, lambda: open_results(store, run_id))
    fill_small(small, looks_of(len(small.results.test)), lambda done, total: progress(done / total))
    return DrawnPictures(len(small.results.test))


def _from_flow(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> Answer:
    from wtflow.studies import flow_answers  # imports torch
    from wtflow.studies.run_flow import open_flow

    return flow_answers.COMPUTED_BY[request.kind](open_flow(store, run_id), request, progress)


def _from_features(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> NormalScores:
    from wtflow.studies.normals import score_normals  # imports torch

    return score_normals(store, run_id, cast(NormalsRequest, request), progress)


def _from_small_flows(store: RunStore, run_id: str, request: Request, progress: ShareDone) -> CouplingStudy:
    from wtflow.studies.coupling.study import compute_study  # imports torch
    from wtflow.studies.run_flow import open_flow

    part = part_path(answer_path(store, run_id, request))
    return compute_study(open_flow(store, run_id), cast(CouplingRequest, request), part, progress)


_COMPUTED_BY: Final[dict[str, Callable[[RunStore, str, Request, ShareDone], Any]]] = {
    "facts": _from_results,
    "pictures": _drawn,
    "nearest": _from_flow,
    "travel": _from_flow,
    "umap": _from_flow,
    "steps": _from_flow,
    "landscape": _from_flow,
    "yardstick": _from_own_steps,
    "overtime": _from_own_steps,
    "normals": _from_features,
    "coupling": _from_small_flows,
}
"""Kind of a request -> what computes its answer: from the results on disk, or from the network and the features too."""

WITHOUT_NETWORK: Final = ("facts", "pictures")
"""Kinds whose answers need no torch."""
