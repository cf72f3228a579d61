"""How long an answer will take, estimated beforehand from what the run itself measured. Imports no torch."""

from typing import Final

from wtflow.config import Settings
from wtflow.flow.solvers import evaluations
from wtflow.machine.pace import slowness
from wtflow.results import RunResults
from wtflow.scoring.edges import N_IMAGES
from wtflow.store.pace import read_paces
from wtflow.store.runs import RunStore
from wtflow.studies.requests import StepsRequest, UmapRequest
from wtflow.studies.umap_clock import START_S, expected_stages, is_compiled, stage_seconds


def own_evaluations(settings: Settings) -> int:
    """Evaluations per position in the run's own scoring."""
    if settings.score == "deviation":
        return 1
    return settings.mismatch_samples if settings.score == "mismatch" else evaluations(settings.solver, settings.steps)


def steps_seconds(results: RunResults, request: StepsRequest) -> float | None:
    """Seconds to score the test images with every setting of the plan and the run's own, at the
    pace of the run's own scoring.

    A little high, because what each pass does besides the flow is counted with every evaluation. Features that the
    cache no longer has take additional time. None where the run measured nothing.
    """
    pace, own = (results.metrics.get("rates") or {}).get("score"), (results.settings.solver, results.settings.steps)
    if not pace:
        return None
    total = sum(evaluations(*one) for one in {*request.plan, own})
    return float(pace) * len(results.test) * total / own_evaluations(results.settings)


def umap_of_travel_seconds(store: RunStore, request: UmapRequest, n_positions: int, n_channels: int) -> float:
    """Rough seconds of a UMAP of n_positions in a separate process on this machine as busy as it is now, at the pace of
    earlier ones that the store keeps; with the compiling where UMAP was never loaded here.
    """
    travel = request.travel
    stages = stage_seconds(
        n_positions,
        min(request.n_fit, n_positions),
        n_channels,
        request.metric,
        evaluations(travel.solver, travel.steps) if request.times == "end" else 0,
        is_compiled=is_compiled(),
    )
    return sum(expected_stages(stages, read_paces(store), slowness()).values())


OVER_TIME_PASSES: Final = 2.0
"""What scoring after every step costs against scoring at the end: the steps are made twice, and each map is enlarged.
Measured with four steps.
"""


def over_time_seconds(results: RunResults) -> float:
    """Rough seconds to score the test images, and the training normals that levels are read from, after every step."""
    pace = float((results.metrics.get("rates") or {}).get("score") or 0.05)
    n = len(results.test) + 2 * N_IMAGES
    share = own_evaluations(results.settings.changed({"score": "endpoint"})) / own_evaluations(results.settings)
    return START_S + OVER_TIME_PASSES * share * pace * n
