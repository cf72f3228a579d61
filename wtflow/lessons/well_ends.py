"""Where starts end, by a small network and by the exact field of the data, and how far apart the two fields are.

Sources: [Paper] arXiv 2508.05461 for the endpoint score and one step; the exact field is ours (METHOD 5.1, 5.5).
"""

import numpy as np

from wtflow.flow import exact
from wtflow.lessons import small_net


def one_step_score(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(N,) endpoint score of starts (N, 2) after a single step from t=0."""
    return small_net.score(small_net.travel(weights, x, 1)[-1])


def exact_path(x: np.ndarray, atoms: np.ndarray, steps: int) -> np.ndarray:
    """Places (steps + 1, N, 2) of starts x (N, 2) along the exact field of the atoms under independent noise: Euler."""
    places = [np.asarray(x, np.float64)]
    for k in range(steps):
        places.append(places[-1] + exact.finite_velocity(places[-1], k / steps, atoms) / steps)
    return np.stack(places)


def exact_gap(weights: np.ndarray, atoms: np.ndarray, x: np.ndarray, t: float) -> np.ndarray:
    """(N,) length of learned minus exact velocity at places (N, 2) and time t; exact for independent pairs."""
    return np.linalg.norm(small_net.velocity(weights, x, t) - exact.finite_velocity(x, t, atoms), axis=1)


def beside(atoms: np.ndarray, n: int = 12, gap: float = 0.05) -> np.ndarray:
    """Up to n places, each `gap` from another atom, all around: (n, 2)."""
    count = min(n, len(atoms))
    chosen = [k * len(atoms) // count for k in range(count)]
    angle = 2.4 * np.arange(count)
    return atoms[chosen] + gap * np.stack([np.cos(angle), np.sin(angle)], axis=1)
