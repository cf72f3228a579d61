"""Studies of couplings for tests: one of a tiny run that takes seconds, and one of chosen numbers."""

import numpy as np

from wtflow.records.coupling import STEPS, CouplingStudy, FlowRow, Strength
from wtflow.studies.requests import CouplingRequest

TINY_STUDY = CouplingRequest(
    is_full=True,
    dimensions=(2,),
    group_sizes=(8,),
    n_seeds=2,
    iterations=2,
    width=8,
    n_pairs=32,
    n_positions=300,
    n_scored=10_000,
    n_resamples=40,
)
"""Of the tiny run: 2 and all components with groups of 8 and of its own 16, and whole grids."""


def chosen_study(change: float = 0.0, noise: float = 0.01, own_part: str = "positions", **changes) -> CouplingStudy:
    """Two dimensions, 4 and 100, groups of 8 and 32 (the run's own), three seeds. The worst coupling raises every
    metric by `change` in 100 dimensions; resampled images scatter by `noise`.
    """
    rng = np.random.default_rng(0)
    cells = [("positions", d, n) for d in (4, 100) for n in (8, 32) if n == 32 or d == 100] + [("images", 6400, 8)]
    gamma = {4: 0.8, 100: 0.2, 6400: 0.01}
    strengths = tuple(
        Strength(part, d, n, gamma[d], 0.001, gamma[d], 1.1 * gamma[d], 0.001, min(1.0, 1.5 * gamma[d]), 1.0)
        for part, d, n in cells
    )
    flows, values, drawn = [], [], []
    for seed in range(3):
        base = 0.8 + 0.01 * seed + noise * rng.standard_normal((2 * len(STEPS), 200))
        for part, d, n in [*cells, *{(part, d, 0) for part, d, _ in cells}]:
            for coupling, sign in (("worst", 1), ("optimal", -1)) if n else (("independent", 0),):
                g = sign * gamma[d]
                flows.append(FlowRow(part, d, n, coupling, seed, -g, abs(g), 1 + g, 1 + g, 0.9, 0.5))
                more = change * (d == 100 and coupling == "worst")
                values.append(np.full(2 * len(STEPS), 0.8 + 0.01 * seed + more))
                drawn.append(base + more + noise * rng.standard_normal(base.shape))
    facts = {
        "before": np.full((2, 2), 0.7),
        "dimensions": (4, 100),
        "group_sizes": (8, 32),
        "own_group": 32,
        "own_part": own_part,
        "image_dimension": 6400,
        "image_group": 8,
        "grid": (16, 16),
        "n_images": 40,
        "n_defective": 20,
        "n_tested": 50,
        "is_full": False,
        "n_seeds": 3,
        "iterations": 250,
        "width": 64,
        "n_positions": 40_000,
        "seconds": 90.0,
    }
    return CouplingStudy(
        strengths=strengths,
        flows=tuple(flows),
        values=np.array(values),
        drawn=np.array(drawn, np.float32),
        **facts | changes,
    )
