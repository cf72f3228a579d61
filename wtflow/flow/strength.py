"""How strong a coupling can be, and what its strength does to an exact field: closed forms. NumPy float64, no torch.

gamma = -E<noise, data> / (d s) with s^2 = E|data|^2 / d: minus the correlation of data and noise over the pairs, 0 for
independent ones and at most 1. It does not depend on the scale of the data. For Gaussian data it is the -rho of
`flow.exact`. The optimal coupling is the worst one with the noise mirrored, so its gamma is the same with the other
sign.

Sources: ours (METHOD 9), unless a function says otherwise; the worst coupling is that of [Paper] arXiv
2508.05461.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, log_ndtr

from wtflow.errors import FlowError

_Z: Final = np.linspace(-9, 9, 2001)
"""Where the densities of order statistics are summed: to 1e-9 for groups of up to some thousands."""


@lru_cache(maxsize=16)
def normal_scores(n: int) -> np.ndarray:
    """Expected values of n standard normal numbers in rising order, (n,). The last is the expected largest.

    Raises FlowError for fewer than one. Source: textbook (density of an order statistic), summed numerically.
    """
    if n < 1:
        raise FlowError(f"A group of {n} has no order.", fix="Give a group of 1 or more.")
    rank = np.arange(1, n + 1)[:, None]
    log_density = (
        gammaln(n + 1)
        - gammaln(rank)
        - gammaln(n + 1 - rank)
        + (rank - 1) * log_ndtr(_Z)
        + (n - rank) * log_ndtr(-_Z)
        - 0.5 * (_Z**2 + np.log(2 * np.pi))
    )
    found = np.exp(log_density) @ _Z * (_Z[1] - _Z[0])
    found.flags.writeable = False  # kept for the next call
    return found


def strength_in_line(values: ArrayLike) -> float:
    """gamma of the worst coupling of these numbers (n,) with n standard normal ones, on average over the noise.

    In one dimension the worst coupling pairs rising with falling order (METHOD 5.7), so it is the mean product of the
    sorted numbers with `normal_scores`, over their root mean square. Raises FlowError without a number above or below
    0.
    """
    x = np.sort(np.asarray(values, np.float64).ravel())
    size = np.sqrt(np.square(x).mean()) if x.size else 0.0
    if not size > 0:
        raise FlowError("Numbers that are all 0 oppose no noise.", fix="Give at least one other number.")
    return float((x * normal_scores(len(x))).mean() / size)


def gaussian_strength_in_line(group_size: int) -> float:
    """The same for standard normal data in groups of this size, before division by the root mean square: the mean
    square of `normal_scores`; 1 / pi for pairs.
    """
    return float(np.square(normal_scores(group_size)).mean())


def strength_of_pairs(data: ArrayLike) -> float:
    """gamma of groups of two, exactly, for data (N, d) drawn evenly and independently: E|x - x'| / (2 sqrt(pi) d s).

    Of two pairings the better gains half of |<x - x', z - z'>|; given the data this inner product is Gaussian with
    variance 2 |x - x'|^2, whatever the data are. Two draws may be the same point, so pairs of a point with itself
    count. Raises FlowError for another shape, or data that are all 0.
    """
    x = np.asarray(data, np.float64)
    if x.ndim != 2 or not x.any():
        raise FlowError(f"No pairs from data of shape {x.shape}.", fix="Give (N, d) with a value other than 0.")
    square = np.square(x).sum(1)
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * x @ x.T, 0))
    d = x.shape[1]
    return float(apart.mean() / (2 * np.sqrt(np.pi) * d * np.sqrt(square.mean() / d)))


def most_strength(mean_norm: float, mean_square: float, dimension: int, group_size: int) -> float:
    """What gamma cannot exceed in groups of this size, for any data: E|x| m / (d s), with m the expected largest of so
    many standard normal numbers; at most 1.

    Given x, the products -<x, z_j> with the noises of the group are independent and Gaussian of deviation |x|. No
    partner is better than the best of them. In high dimension gamma comes close to this. mean_norm: E|x|; mean_square:
    E|x|^2. Raises FlowError unless both are above 0.
    """
    if not (mean_norm > 0 and mean_square > 0 and dimension >= 1):
        raise FlowError("Data without length oppose no noise.", fix="Give norms above 0.")
    largest = float(normal_scores(group_size)[-1])
    return min(1.0, mean_norm * largest / np.sqrt(dimension * mean_square))


def gaussian_limit(variances: ArrayLike) -> float:
    """gamma of infinite groups of Gaussian data with these variances (d,): sum sqrt(v) / sqrt(d sum v), 1 where all are
    the same. Raises FlowError for a variance below 0, or only such of 0.
    """
    v = np.asarray(variances, np.float64).ravel()
    if not v.size or np.any(v < 0) or not v.sum() > 0:
        raise FlowError("Variances must be 0 or above, and one of them above.", fix="Give those of the features.")
    return float(np.sqrt(v).sum() / np.sqrt(v.size * v.sum()))


def gaussian_bend(rho: ArrayLike) -> np.ndarray:
    """How far paths are from straight, the mean over times of E|v - (x_1 - x_0)|^2 / d along the exact flow of standard
    Gaussian data with correlation rho.

    There x_1 = x_0, and v along the path is (2t - 1)(1 - rho) x_0 / sqrt(D), D = (1-t)^2 + t^2 + 2 rho t (1-t). Its
    mean square is 2 (1 - rho) (1 - arctan(k) / k), k = sqrt((1 - rho) / (1 + rho)): 0 for rho = 1, 2 - pi/2 for 0, 4
    for -1. Raises FlowError outside [-1, 1]. Source: ours; the measure is the straightness of Liu et al. 2022.
    """
    rho = np.asarray(rho, np.float64)
    if np.any(np.abs(rho) > 1) or not np.all(np.isfinite(rho)):
        raise FlowError("A correlation lies in [-1, 1].", fix="Move the value into its range.")
    k = np.sqrt((1 - rho) / np.maximum(1 + rho, 1e-300))
    share = np.divide(np.arctan(k), k, out=np.ones_like(k), where=k > 0)
    return 2 * (1 - rho) * (1 - share)
