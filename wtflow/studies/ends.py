"""Where positions ended when the run scored them, read back from its maps: no network is needed. NumPy only."""

from dataclasses import dataclass

import numpy as np

from wtflow.errors import WTFlowError
from wtflow.records.core import GOOD
from wtflow.records.flow import UNMARKED
from wtflow.results import RunResults
from wtflow.scoring.edges import distance_to_edge
from wtflow.store.runs import RunStore
from wtflow.studies.positions import choose_positions
from wtflow.studies.requests import TravelRequest
from wtflow.studies.well import WELL_QUANTILE


@dataclass(frozen=True, slots=True)
class Ends:
    """Distances from the origin at t=1, in units of the radius that holds 99 % of the normal positions."""

    normal: np.ndarray
    """(N,) of positions of normal images."""
    defect: np.ndarray
    """(M,) of positions inside defects."""

    @property
    def share_outside(self) -> float | None:
        """Share of the defect positions beyond that radius; None without any."""
        return float((self.defect > 1).mean()) if len(self.defect) else None


def ends_of(store: RunStore, results: RunResults, request: TravelRequest) -> Ends | None:
    """Ends of the positions that a request means, after the run's own steps. A map of the score `endpoint` is half the
    mean square of where a position ends, so its root is the distance. None for other scores, and without normal
    images. Raises FlowError.
    """
    if results.settings.score != "endpoint" or request.at is not None:
        return None
    rows = np.array(request.rows, int) if request.rows else results.test.row.to_numpy()
    chosen = choose_positions(results, rows, request.how, request.n, request.seed)
    try:
        edges = store.edges(results.run_id)
    except WTFlowError:  # damaged: without it maps cannot be read back
        return None
    square = chosen.score.astype(float)
    if edges is not None:
        distance = distance_to_edge(*results.maps.shape[1:])[chosen.grid_row, chosen.grid_column]
        square = square * edges.after[distance]
    is_normal = chosen.group == GOOD
    if not is_normal.any():
        return None
    radius = np.sqrt(square)
    unit = float(np.quantile(radius[is_normal], WELL_QUANTILE)) or 1.0
    is_defect = ~is_normal & (chosen.group != UNMARKED)
    return Ends(radius[is_normal] / unit, radius[is_defect] / unit)
