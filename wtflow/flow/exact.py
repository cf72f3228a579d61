"""Closed forms of velocity fields and flows: what a perfect network would learn. NumPy float64, no torch.

Time runs from data (t=0) to standard Gaussian noise (t=1). Everything here is the independent truth against which the
trained parts are tested and which the lessons draw. "coordinatewise" means that every argument broadcasts.

Sources: ours, derived for the linear path of [Paper] arXiv 2508.05461, unless a function says otherwise.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax

from wtflow.errors import FlowError

CHUNK_VALUES = 2**22
"""Differences held at once by `finite_velocity`: 32 MiB of float64."""


def gaussian_velocity(x: ArrayLike, t: ArrayLike, mean: ArrayLike, std: ArrayLike, rho: ArrayLike = 0.0) -> np.ndarray:
    """The field for data N(mean, std^2), coordinatewise, with correlation rho between standardised data and noise.

    v = -m + [t - (1-t) s^2 + rho s (1-2t)] / [(1-t)^2 s^2 + t^2 + 2 rho t (1-t) s] * (x - (1-t) m)

    rho: -1 worst, 0 independent, +1 optimal. Raises FlowError where the field is singular (rho=-1 at the meeting
    time, or std=0 at t=0) and for arguments out of range. Source: ours.
    """
    x, t, m, s, rho = _checked(x, t, mean, std, rho)
    variance = _path_variance(t, s, rho)
    if np.any(variance <= 0):
        raise FlowError(
            "The exact field is singular: all paths meet at this time.", fix="Choose another time, or rho above -1."
        )
    slope = (t - (1 - t) * s**2 + rho * s * (1 - 2 * t)) / variance
    return -m + slope * (x - (1 - t) * m)


def gaussian_flow_map(x: ArrayLike, t: ArrayLike, mean: ArrayLike, std: ArrayLike, rho: ArrayLike = 0.0) -> np.ndarray:
    """Where the exact flow has brought x, which starts at t=0, by time t; data as in `gaussian_velocity`.

    x_t = (1-t) m + sqrt((1-t)^2 s^2 + t^2 + 2 rho t (1-t) s) * (x - m) / s; at t=1 it is (x - m) / s for every rho.

    Raises FlowError for std=0, and for rho=-1 after the meeting time, where the way on is not determined. Source: ours.
    """
    x, t, m, s, rho = _checked(x, t, mean, std, rho)
    if np.any(s == 0):
        raise FlowError("Data without spread has no flow map: every noise starts at one point.", fix="Set std above 0.")
    if np.any((rho == -1) & (t > s / (1 + s))):
        raise FlowError(
            "After the meeting time the way of rho=-1 is not determined.",
            fix="Choose an earlier time, or rho above -1.",
        )
    return (1 - t) * m + np.sqrt(_path_variance(t, s, rho)) * (x - m) / s


def gaussian_barycentre(x: ArrayLike, mean: ArrayLike, std: ArrayLike, rho: ArrayLike = 0.0) -> np.ndarray:
    """E[noise | data = x] = rho (x - m) / s, where one exact Euler step from t=0 lands; data as in `gaussian_velocity`.

    Raises FlowError for std=0. Source: ours.
    """
    x, _, m, s, rho = _checked(x, 0.0, mean, std, rho)
    if np.any(s == 0):
        raise FlowError("Data without spread has no standardised value.", fix="Set std above 0.")
    return rho * (x - m) / s


def meeting_time(std: ArrayLike) -> np.ndarray:
    """t* = s / (1 + s), at which all lines of the population's worst coupling (rho=-1) meet in (1-t*) m.
    Source: ours.
    """
    _, _, _, s, _ = _checked(0.0, 0.0, 0.0, std, 0.0)
    return s / (1 + s)


def max_slope(std: ArrayLike) -> np.ndarray:
    """The largest slope of the field for independent Gaussian data, (1 + s^2) / (2 s), for 0 < s <= 1.

    It is reached at `max_slope_time` and grows without bound as s goes to 0. Raises FlowError otherwise. Source: ours.
    """
    s = _narrow(std)
    return (1 + s**2) / (2 * s)


def max_slope_time(std: ArrayLike) -> np.ndarray:
    """The time of `max_slope`, s (1 + s) / (1 + s^2), for 0 < s <= 1. Raises FlowError otherwise. Source: ours."""
    s = _narrow(std)
    return s * (1 + s) / (1 + s**2)


def finite_estimate(x: ArrayLike, t: float, atoms: ArrayLike) -> np.ndarray:
    """E[data | x_t = x] for data that is one of `atoms` with equal chance, independent noise; (N, d).

    The mean of the atoms a_i with softmax weights of logits -|x - (1-t) a_i|^2 / (2 t^2). x: (N, d); atoms: (A, d);
    t in (0, 1]. Raises FlowError otherwise. Source: ours.
    """
    x, atoms = np.asarray(x, np.float64), np.asarray(atoms, np.float64)
    if x.ndim != 2 or atoms.ndim != 2 or x.shape[1] != atoms.shape[1] or not len(atoms):
        raise FlowError(
            f"Points of shape {x.shape} and atoms of shape {atoms.shape} do not fit.", fix="Give (N, d) and (A, d)."
        )
    if not 0 < t <= 1:
        raise FlowError(f"Time {t} is outside (0, 1].", fix="Choose a time above 0, at most 1.")
    rows = max(1, CHUNK_VALUES // atoms.size)
    estimate = np.empty_like(x)
    for start in range(0, len(x), rows):
        difference = x[start : start + rows, None] - (1 - t) * atoms
        estimate[start : start + rows] = softmax(-np.square(difference).sum(-1) / (2 * t**2), axis=1) @ atoms
    return estimate


def finite_velocity(x: ArrayLike, t: float, atoms: ArrayLike) -> np.ndarray:
    """The field for data that is one of `atoms`, independent coupling: v = (x - E[data | x_t = x]) / t; (N, d).

    At t=0 it returns -x, the value E[noise] - x there; at an atom the limit from above is 0 instead, and the slope
    near an atom is 1/t. x: (N, d); atoms: (A, d); t in [0, 1]. Raises FlowError otherwise. Source: ours.
    """
    if t == 0:
        return -np.asarray(x, np.float64)
    return (np.asarray(x, np.float64) - finite_estimate(x, t, atoms)) / t


def mixture_velocity(x: ArrayLike, t: float, weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> np.ndarray:
    """The field for a mixture of round Gaussians N(means[k], stds[k]^2 I), independent coupling; (N, d).

    The components' own fields, weighted by how likely x comes from each. x: (N, d); weights, stds: (K,), weights
    summing to 1; means: (K, d); t in [0, 1]. Raises FlowError otherwise, and for a std of 0 at t=0. Source: ours.
    """
    x, log_joint, means, stds, _ = _mixture(x, t, weights, means, stds)
    fields = gaussian_velocity(x[:, None], t, means, stds[:, None], 0.0)  # (N, K, d)
    return (softmax(log_joint, axis=1)[..., None] * fields).sum(1)


def mixture_score(x: ArrayLike, t: float, weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> np.ndarray:
    """Gradient of `mixture_log_density` in x; (N, d). For t < 1 the field is v = -(x + t score) / (1 - t).
    Source: ours.
    """
    x, log_joint, means, _, variance = _mixture(x, t, weights, means, stds)
    pulls = -(x[:, None] - (1 - t) * means) / variance[:, None]
    return (softmax(log_joint, axis=1)[..., None] * pulls).sum(1)


def mixture_log_density(x: ArrayLike, t: float, weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> np.ndarray:
    """Log density of x_t for the mixture of `mixture_velocity`; (N,). Source: textbook."""
    return logsumexp(_mixture(x, t, weights, means, stds)[1], axis=1)


def _mixture(x: ArrayLike, t: float, weights: ArrayLike, means: ArrayLike, stds: ArrayLike) -> tuple[np.ndarray, ...]:
    """x (N, d), log of weight times density (N, K), means (K, d), stds (K,), variance of x_t per component (K,)."""
    x, weights, means, stds = (np.asarray(a, np.float64) for a in (x, weights, means, stds))
    fits = (
        x.ndim == 2
        and means.ndim == 2
        and x.shape[1] == means.shape[1]
        and weights.shape == stds.shape == means.shape[:1]
    )
    if not fits or not len(means):
        raise FlowError(
            f"Points {x.shape}, weights {weights.shape}, means {means.shape} and stds {stds.shape} do not fit.",
            fix="Give x (N, d), weights (K,), means (K, d) and stds (K,).",
        )
    if np.any(weights <= 0) or abs(weights.sum() - 1) > 1e-9:
        raise FlowError("The weights of a mixture must be above 0 and sum to 1.", fix="Divide them by their sum.")
    _checked(0.0, t, means, stds[:, None], 0.0)
    variance = _path_variance(np.float64(t), stds, np.float64(0))
    if np.any(variance <= 0):
        raise FlowError("A component without spread has no density at t = 0.", fix="Choose a time above 0.")
    squared = np.square(x[:, None] - (1 - t) * means).sum(-1)
    log_joint = np.log(weights) - squared / (2 * variance) - 0.5 * x.shape[1] * np.log(2 * np.pi * variance)
    return x, log_joint, means, stds, variance


def _path_variance(t: np.ndarray | np.float64, s: np.ndarray, rho: np.ndarray | np.float64) -> np.ndarray:
    """Variance of x_t: (1-t)^2 s^2 + t^2 + 2 rho t (1-t) s, in a form that cannot fall below 0 by rounding."""
    return ((1 - t) * s - t) ** 2 + 2 * (1 + rho) * t * (1 - t) * s


def _checked(*values: ArrayLike) -> tuple[np.ndarray, ...]:
    """x, t, mean, std, rho as float64, in range."""
    x, t, m, s, rho = (np.asarray(value, np.float64) for value in values)
    if not all(np.all(np.isfinite(value)) for value in (x, t, m, s, rho)):
        raise FlowError("A closed form got values that are not finite.", fix="Give finite numbers.")
    if np.any((t < 0) | (t > 1)) or np.any(s < 0) or np.any(np.abs(rho) > 1):
        raise FlowError(
            "Closed forms hold for t in [0, 1], std of 0 or more and rho in [-1, 1].",
            fix="Move the value into its range.",
        )
    return x, t, m, s, rho


def _narrow(std: ArrayLike) -> np.ndarray:
    s = np.asarray(std, np.float64)
    if not np.all((s > 0) & (s <= 1)):
        raise FlowError(f"The largest slope is known for 0 < std <= 1, found {std}.", fix="Choose a std in this range.")
    return s
