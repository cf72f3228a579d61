"""Answers on the run's own steps: what one path is compared with, and the scores over time. Imports torch."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from wtflow.machine.progress import ShareDone
from wtflow.records.follow import OverTime, Yardstick
from wtflow.studies.follow_paths import compute_yardstick
from wtflow.studies.follow_time import compute_over_time
from wtflow.studies.positions import choose_positions
from wtflow.studies.requests import Answer, OverTimeRequest, YardstickRequest
from wtflow.studies.run_flow import RunFlow


def _yardstick(flow: RunFlow, request: YardstickRequest, progress: ShareDone) -> Yardstick:
    rows = flow.results.test.row.to_numpy()
    return compute_yardstick(flow, choose_positions(flow.results, rows, "balanced", request.n, request.seed), progress)


def _over_time(flow: RunFlow, request: OverTimeRequest, progress: ShareDone) -> OverTime:
    return compute_over_time(flow, progress)


COMPUTED_BY: Final[Mapping[str, Callable[[RunFlow, Any, ShareDone], Answer]]] = {
    "yardstick": _yardstick,
    "overtime": _over_time,
}
"""Kind of a request -> what computes its answer."""
