"""How long a study of couplings takes: estimated beforehand, and corrected by what earlier ones took. Imports no
torch.
"""

import os
from collections.abc import Sequence
from typing import Final

from wtflow.machine.pace import slowness
from wtflow.results import RunResults
from wtflow.store.pace import read_paces
from wtflow.store.runs import RunStore
from wtflow.studies.coupling.plan import GRID, IMAGE_GROUP, Plan, Unit, plan_of
from wtflow.studies.requests import CouplingRequest

PACE: Final = "coupling"
"""Name of the pace of earlier studies in the store."""
MOST_CORES: Final = 8
START_S: Final = 15.0
"""Seconds until the first flow is trained: Python, torch, the run's features."""


def expected_seconds(store: RunStore, results: RunResults, request: CouplingRequest) -> float:
    """Rough seconds of a whole study on this machine as busy as it is now. Raises DamagedRunError where the run does
    not say how many components its features have.
    """
    plan = plan_of(request, results.settings, store.index(results.run_id)[1].shape[1])
    height, width = results.maps.shape[1:]
    n_images = min(len(results.test), max(1, request.n_scored // (height * width)))
    seconds = sum(unit_seconds(unit, plan, (n_images, height, width)) for unit in plan.units())
    return START_S + seconds / n_cores() * read_paces(store).get(PACE, 1.0) * slowness()


def n_cores() -> float:
    """How much faster than one core this machine is: draws and portions of a batch share its cores, less well the
    more there are.
    """
    return min(os.cpu_count() or 1, MOST_CORES) ** 0.8


def unit_seconds(unit: Unit, plan: Plan, scored: Sequence[int]) -> float:
    """Seconds of a unit on one core of the machine that they were measured on (2.9 GHz). scored: test images, rows and
    columns of their grids.
    """
    request, w = plan.request, plan.request.width
    n_flows = 2 if unit.kind == "paired" else 1
    if unit.part == "images":
        if unit.kind == "strength":
            return 3.0
        step = 8e-3 + 2.6e-11 * IMAGE_GROUP * GRID**2 * 108 * plan.n_channels * plan.image_width
        return n_flows * (plan.image_iterations * step + 0.3 + 4e-3 * scored[0])
    d, pairs = unit.dimension, plan.n_pairs
    if unit.kind == "strength":
        return 0.5 + 1e-3 * plan.n_channels + 3 * sum(pairing_seconds(d, n) for n in plan.group_sizes) * 3
    step = 3.5e-3 + 1.3e-10 * pairs * (2 * d * w + 3 * w * w)
    pairing = pairing_seconds(d, unit.group_size) * pairs / 1024 if unit.kind == "paired" else 0.0
    scoring = 0.1 + 3e-3 * scored[0] + scored[0] * scored[1] * scored[2] * w / 64 * (3.3e-6 + 1e-8 * d)
    return request.iterations * (n_flows * step + pairing) + n_flows * scoring


def pairing_seconds(d: int, group_size: int) -> float:
    """Seconds to pair 1,024 rows. Assignments take longest in low dimension, where many are nearly as good."""
    share = group_size / 1024
    return 4e-3 + 0.041 * share**1.5 + 0.9 * share**1.9 / d
