"""Data on a line that two lessons share: one Gaussian or two groups, with their exact field, density and flow.

Data are N(m, s^2) with m one of some means, equally likely; noise is independent. The twin in the browser is
`mixtureAt` and `mixtureEnd` in assets/learn/math.js.
"""

from typing import Final

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri_exp

from wtflow.flow import exact

ONE: Final = np.array([0.5])
TWO: Final = np.array([-1.1, 1.1])
MEANS: Final = (ONE, TWO)
"""Means by the index of the choice `NAMES`."""
NAMES: Final = ("one Gaussian", "two groups")


def velocity(x: np.ndarray, t: float, means: np.ndarray, s: float) -> np.ndarray:
    """The field at x (N,). Raises FlowError for t outside [0, 1]. Source: METHOD 5.6."""
    return exact.mixture_velocity(x[:, None], t, *_mixture(means, s))[:, 0]


def slope(x: np.ndarray, t: float, means: np.ndarray, s: float) -> np.ndarray:
    """The score function d log q_t / dx at x (N,). Source: METHOD 5.6."""
    return exact.mixture_score(x[:, None], t, *_mixture(means, s))[:, 0]


def density(x: np.ndarray, t: float, means: np.ndarray, s: float) -> np.ndarray:
    """q_t at x (N,), the density of x_t. Source: textbook."""
    return np.exp(exact.mixture_log_density(x[:, None], t, *_mixture(means, s)))


def variance(t: np.ndarray | float, s: np.ndarray | float) -> np.ndarray:
    """V(t) = (1-t)^2 s^2 + t^2 of x_t for a Gaussian of thickness s; t broadcasts with s. Source: METHOD 5.2."""
    return np.square((1 - np.asarray(t)) * np.asarray(s)) + np.square(t)


def mean_square(t: float, means: np.ndarray, s: float) -> float:
    """E x_t^2 = (1-t)^2 mean(m^2) + V(t)."""
    return float((1 - t) ** 2 * np.mean(means**2) + variance(t, s))


def end(x: np.ndarray, means: np.ndarray, s: float) -> np.ndarray:
    """Where the exact flow brings x (N,) from t=0 by t=1: paths on a line keep their order, so as much of the noise
    lies below the end as of the data below x. Exact also far from the data. Source: METHOD 5.13.
    """
    z = (np.asarray(x, np.float64)[:, None] - means) / s
    below, above = (logsumexp(log_ndtr(side * z), axis=1) - np.log(len(means)) for side in (1, -1))
    return np.where(below < above, ndtri_exp(np.minimum(below, above)), -ndtri_exp(np.minimum(below, above)))


def sample(g: np.ndarray, means: np.ndarray, s: float) -> np.ndarray:
    """Data (N,) from independent standard normal values g (N, 2): the second chooses the group."""
    which = np.minimum((len(means) * ndtr(g[:, 1])).astype(int), len(means) - 1)
    return means[which] + s * g[:, 0]


def _mixture(means: np.ndarray, s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(means)
    return np.full(n, 1 / n), means[:, None], np.full(n, s)
