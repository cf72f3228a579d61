"""How strongly the worst coupling pairs opposites:
gamma = -mean <noise_i, data_i> / d, against dimension and group size.

Data lie evenly on the sphere of radius sqrt(d), so that every channel has variance 1; noise is standard Gaussian; pairs
are exact within groups of n. gamma is 0 for independent pairs; its value in high dimension shows how much "worst" can
still change there.

Sources: the quantity, the closed forms and the table are ours (METHOD section 3); the worst coupling is that of [Paper]
arXiv 2508.05461.
"""

from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import gammaln

from wtflow.errors import FlowError

DIMENSIONS: Final = tuple(2**k for k in range(13))
"""1 ... 4,096."""

GROUP_SIZES: Final = (2, 8, 64, 256)

TABLE_SEED: Final = 20250811

TABLE: Final[dict[tuple[int, int], tuple[float, float, int]]] = {
    (1, 2): (0.28180, 0.00102, 400000),
    (2, 2): (0.25302, 0.00068, 400000),
    (4, 2): (0.19195, 0.00047, 400000),
    (8, 2): (0.13876, 0.00033, 400000),
    (16, 2): (0.09894, 0.00023, 400000),
    (32, 2): (0.07069, 0.00052, 40000),
    (64, 2): (0.04982, 0.00037, 40000),
    (128, 2): (0.03508, 0.00026, 40000),
    (256, 2): (0.02539, 0.00018, 40000),
    (512, 2): (0.01766, 0.00013, 40000),
    (1024, 2): (0.01243, 0.00009, 40000),
    (2048, 2): (0.00893, 0.00007, 32768),
    (4096, 2): (0.00620, 0.00007, 16384),
    (1, 8): (0.64573, 0.00081, 100000),
    (2, 8): (0.65897, 0.00056, 100000),
    (4, 8): (0.54154, 0.00036, 100000),
    (8, 8): (0.40464, 0.00024, 100000),
    (16, 8): (0.29379, 0.00017, 100000),
    (32, 8): (0.20943, 0.00037, 10000),
    (64, 8): (0.14922, 0.00026, 10000),
    (128, 8): (0.10562, 0.00018, 10000),
    (256, 8): (0.07481, 0.00013, 10000),
    (512, 8): (0.05297, 0.00009, 10000),
    (1024, 8): (0.03753, 0.00006, 10000),
    (2048, 8): (0.02648, 0.00005, 8192),
    (4096, 8): (0.01881, 0.00005, 4096),
    (65536, 8): (0.00466, 0.00003, 1000),
    (1, 64): (0.77836, 0.00054, 20000),
    (2, 64): (0.85552, 0.00042, 20000),
    (4, 64): (0.82027, 0.00028, 20000),
    (8, 64): (0.67338, 0.00017, 20000),
    (16, 64): (0.50958, 0.00011, 20000),
    (32, 64): (0.37163, 0.00022, 2000),
    (64, 64): (0.26700, 0.00015, 2000),
    (128, 64): (0.19027, 0.00010, 2000),
    (256, 64): (0.13505, 0.00007, 2000),
    (512, 64): (0.09575, 0.00005, 2000),
    (1024, 64): (0.06771, 0.00004, 2000),
    (2048, 64): (0.04789, 0.00003, 1024),
    (4096, 64): (0.03387, 0.00003, 512),
    (1, 256): (0.79324, 0.00068, 3000),
    (2, 256): (0.87842, 0.00054, 3000),
    (4, 256): (0.88960, 0.00037, 3000),
    (8, 256): (0.77651, 0.00023, 3000),
    (16, 256): (0.60839, 0.00014, 3000),
    (32, 256): (0.45184, 0.00025, 300),
    (64, 256): (0.32709, 0.00018, 300),
    (128, 256): (0.23406, 0.00012, 300),
    (256, 256): (0.16634, 0.00008, 300),
    (512, 256): (0.11797, 0.00006, 300),
    (1024, 256): (0.08352, 0.00004, 300),
    (2048, 256): (0.05913, 0.00003, 256),
    (4096, 256): (0.04184, 0.00003, 128),
}
"""(dimension, group size) -> gamma, its standard error, number of groups. Each cell is `measure` with the generator
of [TABLE_SEED, dimension, group size].
"""

METHOD: Final[dict[tuple[int, int], float]] = {
    (2, 8): 0.65,
    (2, 64): 0.83,
    (2, 256): 0.87,
    (16, 8): 0.30,
    (16, 64): 0.51,
    (16, 256): 0.61,
    (128, 8): 0.11,
    (128, 64): 0.19,
    (128, 256): 0.23,
    (1024, 8): 0.037,
    (1024, 64): 0.068,
    (1024, 256): 0.084,
    (65536, 8): 0.0046,
}
"""The figures of METHOD section 3, as written there, with two digits, from smaller samples.

All lie within 0.01 of `TABLE` except (2, 64), which is too small by 0.026."""


def measure(dimension: int, group_size: int, n_groups: int, rng: np.random.Generator) -> tuple[float, float]:
    """gamma over `n_groups` groups, each with its own data and noise, and its standard error (from
    the spread of groups).

    Raises FlowError for fewer than 2 groups, a group smaller than 2 or a dimension below 1. Source: ours; the solver is
    `scipy.optimize.linear_sum_assignment`.
    """
    if dimension < 1 or group_size < 2 or n_groups < 2:
        raise FlowError(
            f"gamma of {n_groups} groups of {group_size} in dimension {dimension} is not defined.",
            fix="Give a dimension of 1 or more, groups of 2 or more, and at least 2 of them.",
        )
    strengths = np.empty(n_groups)
    for i in range(n_groups):
        data = rng.standard_normal((group_size, dimension))
        data *= np.sqrt(dimension) / np.linalg.norm(data, axis=1, keepdims=True)
        inner = data @ rng.standard_normal((group_size, dimension)).T
        strengths[i] = -inner[linear_sum_assignment(inner)].mean() / dimension
    return float(strengths.mean()), float(strengths.std(ddof=1) / np.sqrt(n_groups))


def strength_of_pairs(dimension: int) -> float:
    """gamma of groups of 2, exactly: E|x - x'| / (2 d sqrt(pi)) for two points on the sphere of radius sqrt(d).

    Of the two pairings the better gains half of |<x - x', z - z'>|. Given the data, this inner product is Gaussian with
    variance 2 |x - x'|^2. The mean distance of two points on the unit sphere is 2^(d-1) Gamma(d/2)^2 /
    (sqrt(pi) Gamma(d - 1/2)). Source: ours; the distance is textbook.
    """
    d = dimension
    log_distance = (d - 1) * np.log(2) + 2 * gammaln(d / 2) - 0.5 * np.log(np.pi) - gammaln(d - 0.5)
    return float(np.exp(log_distance) / (2 * np.sqrt(np.pi * d)))


def strength_of_all(dimension: int) -> float:
    """The most that gamma can be, E|noise| / sqrt(d): every noise lies exactly opposite its data. Infinite groups reach
    it. Source: ours.
    """
    return chi_mean(dimension) / float(np.sqrt(dimension))


def chi_mean(dimension: int) -> float:
    """Mean norm of standard Gaussian noise, sqrt(2) Gamma((d+1)/2) / Gamma(d/2); a little below sqrt(d). Source:
    textbook (chi law).
    """
    return float(np.sqrt(2) * np.exp(gammaln((dimension + 1) / 2) - gammaln(dimension / 2)))


def chi_std(dimension: int) -> float:
    """Standard deviation of that norm, sqrt(d - mean^2); close to 1/sqrt(2) in high dimension. Source:
    textbook (chi law).
    """
    return float(np.sqrt(dimension - chi_mean(dimension) ** 2))
