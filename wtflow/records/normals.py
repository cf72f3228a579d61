"""Scores of training normals that no detector gave which had learned from them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class NormalScores:
    """One score per training normal, higher is worse, as the run's detector would score it had it not seen it."""

    sample_ids: tuple[str, ...]
    scores: np.ndarray
    """float64 (N,)."""
    fold: np.ndarray
    """int (N,): the part that was left out together with it; -1: kept aside from training, scored by the run's own."""
