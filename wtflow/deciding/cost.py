"""What a threshold is expected to cost where a missed defect costs more than a false alarm. NumPy only.

Sources: the expected cost of a decision is textbook (Provost and Fawcett 2001); the percentile bootstrap is Efron's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

N_RESAMPLED = 500
"""Resamples behind an interval: its ends then move by about a tenth of its length from seed to seed."""
SEED = 0
MOST_PLACES = 1500
"""Thresholds that a resample is judged at, at most."""


@dataclass(frozen=True, slots=True)
class CostCurve:
    """Expected cost of one image in units of a false alarm, at every threshold at which calls change, rising."""

    thresholds: np.ndarray
    """(T,): midway between neighbouring scores, and beyond both ends."""
    cost: np.ndarray
    """(T,): share of defects x times x share missed + share of normals x share of false alarms."""
    times: float
    """What a miss costs in false alarms."""
    defect_share: float
    best: float
    """The threshold of lowest cost; of equal ones the middle of the widest stretch."""
    lowest: float

    def cost_of(self, false: np.ndarray, missed: np.ndarray) -> np.ndarray:
        """The cost of shares of false alarms and misses."""
        return _cost(false, missed, self.times, self.defect_share)


def cost_curve(normals: np.ndarray, defective: np.ndarray, times: float, defect_share: float) -> CostCurve:
    """The curve of scores of normal (N,) and defective (D,) images, neither empty."""
    places = places_between(normals, defective)
    false, missed = _shares(normals, defective, places)
    cost = _cost(false, missed, times, defect_share)
    scores = np.unique(np.concatenate([normals, defective]))
    ends = np.concatenate([[places[0]], scores, [places[-1]]])
    lowest = float(cost.min())
    equal = np.flatnonzero(cost <= lowest + 1e-12)
    best = equal[np.argmax((ends[1:] - ends[:-1])[equal])]
    return CostCurve(places, cost, times, defect_share, float(places[best]), lowest)


def places_between(*groups: np.ndarray) -> np.ndarray:
    """Thresholds at which calls differ, rising (T,): below the lowest score, between neighbours, above the highest."""
    scores = np.unique(np.concatenate(groups))
    margin = (scores[-1] - scores[0]) / 50 or abs(scores[0]) / 50 or 1.0
    return np.concatenate([[scores[0] - margin], (scores[1:] + scores[:-1]) / 2, [scores[-1] + margin]])


def place_interval(
    normals: np.ndarray, defective: np.ndarray, loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[float, float]:
    """95 % of the thresholds of lowest loss when images are drawn again with replacement, each class by itself.

    loss: (shares of false alarms, shares of misses) -> what is to be low, arrays of one shape. It says how much the
    choice depends on these very images; a minimum is a rough place, so its true coverage is not exactly 95 %.
    """
    places = places_between(normals, defective)
    places = places[np.unique(np.linspace(0, len(places) - 1, min(len(places), MOST_PLACES)).round().astype(int))]
    generator = np.random.default_rng(SEED)
    best = np.empty(N_RESAMPLED)
    for i in range(N_RESAMPLED):
        false, missed = _shares(
            generator.choice(normals, len(normals)), generator.choice(defective, len(defective)), places
        )
        found = loss(false, missed)
        equal = np.flatnonzero(found <= found.min() + 1e-12)
        best[i] = places[equal[len(equal) // 2]]
    low, high = np.quantile(best, [0.025, 0.975])
    return float(low), float(high)


def _shares(normals: np.ndarray, defective: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of normals from each place on, and of defective ones below it."""
    false = 1 - np.searchsorted(np.sort(normals), places, side="left") / len(normals)
    missed = np.searchsorted(np.sort(defective), places, side="left") / len(defective)
    return false, missed


def _cost(false: np.ndarray, missed: np.ndarray, times: float, defect_share: float) -> np.ndarray:
    return defect_share * times * missed + (1 - defect_share) * false
