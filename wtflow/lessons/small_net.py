"""A velocity network small enough for training in a browser: (x, y, t) -> 64 tanh -> 64 tanh -> velocity.
NumPy only.

`assets/learn/well_net.js` holds the same network and the same training in the browser; a test and a check on the page
compare the two. All weights lie in one vector, in the order of `SHAPES`, matrices row by row with a row per output.

Sources: flow matching on the linear path, reversed in time, as [Paper] arXiv 2508.05461; Adam of Kingma and Ba 2015.
Sizes are ours.
"""

import math
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from wtflow.config import Coupling
from wtflow.errors import FlowError

WIDTH: Final = 64
SHAPES: Final = ((WIDTH, 3), (WIDTH,), (WIDTH, WIDTH), (WIDTH,), (2, WIDTH), (2,))
N_WEIGHTS: Final = sum(math.prod(shape) for shape in SHAPES)

BATCH: Final = 256
GROUP: Final = 64
"""Pairing is exact within this many pairs: few enough for the browser, and in two dimensions
nearly as strong as with more.
"""

RATE: Final = 4e-3
_BETAS, _TINY = (0.9, 0.999), 1e-8  # Adam's usual values


def unpack(weights: np.ndarray) -> list[np.ndarray]:
    """The matrices and offsets in a vector (N_WEIGHTS,), as views. Raises FlowError for another length."""
    if weights.shape != (N_WEIGHTS,):
        raise FlowError(
            f"A small network has {N_WEIGHTS} weights, found shape {weights.shape}.",
            fix="Write the file again: python -m wtflow.lessons.well",
        )
    ends = np.cumsum([math.prod(shape) for shape in SHAPES])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(weights, ends), SHAPES, strict=True)]


def velocity(weights: np.ndarray, x: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """v (N, 2) at places x (N, 2) and time t, one for all or (N,). float64."""
    return _layers(unpack(weights.astype(np.float64)), x, t)[-1]


def travel(weights: np.ndarray, x: np.ndarray, steps: int) -> np.ndarray:
    """Places (steps + 1, N, 2) of starts x (N, 2) at t = 0, 1/steps, ..., 1: Euler."""
    places = [np.asarray(x, np.float64)]
    for k in range(steps):
        places.append(places[-1] + velocity(weights, places[-1], k / steps) / steps)
    return np.stack(places)


def score(endpoint: np.ndarray) -> np.ndarray:
    """Half the mean square over the last axis: the endpoint score. Source: [Paper]."""
    return 0.5 * np.square(endpoint).mean(-1)


def couple(x: np.ndarray, noise: np.ndarray, kind: Coupling) -> np.ndarray:
    """The noise (B, 2) in the order of its data x (B, 2), paired exactly within groups of `GROUP` consecutive rows."""
    if kind == "independent":
        return noise
    paired = np.empty_like(noise)
    for start in range(0, len(x), GROUP):
        rows = slice(start, start + GROUP)
        inner = x[rows] @ noise[rows].T
        paired[rows] = noise[rows][linear_sum_assignment(inner, maximize=kind == "optimal")[1]]
    return paired


def train(points: np.ndarray, kind: Coupling, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Weights (N_WEIGHTS,) fitted to points (n, 2), each drawn with equal chance, under a coupling. float64.

    Raises FlowError without points.
    """
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise FlowError(
            f"A small network learns points in the plane, found an array of shape {points.shape}.",
            fix="Draw at least one point.",
        )
    weights = start_weights(rng)
    first, second = np.zeros(N_WEIGHTS), np.zeros(N_WEIGHTS)
    for step in range(1, steps + 1):
        x = points[rng.integers(0, len(points), BATCH)]
        noise = couple(x, rng.standard_normal((BATCH, 2)), kind)
        t = rng.random(BATCH)
        _, slope = loss_and_slope(weights, x, noise, t)
        first += (1 - _BETAS[0]) * (slope - first)
        second += (1 - _BETAS[1]) * (slope * slope - second)
        rate = RATE * 0.5 * (1 + math.cos(math.pi * step / steps)) / (1 - _BETAS[0] ** step)
        weights -= rate * first / (np.sqrt(second / (1 - _BETAS[1] ** step)) + _TINY)
    return weights


def start_weights(rng: np.random.Generator) -> np.ndarray:
    """Before training: Gaussian with variance 1 / inputs, offsets of the first layer spread so that its units bend
    in different places.
    """
    parts = [
        rng.standard_normal(shape) / math.sqrt(shape[1]) if len(shape) == 2 else np.zeros(shape) for shape in SHAPES
    ]
    parts[1] = rng.standard_normal(WIDTH)
    return np.concatenate([part.ravel() for part in parts])


def loss_and_slope(weights: np.ndarray, x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean over pairs of |v(x_t, t) - (noise - x)|^2 / 2, half a square per coordinate, and its gradient
    (N_WEIGHTS,). x, noise: (B, 2); t: (B,).
    """
    _, _, w2, _, w3, _ = unpack(weights)
    inputs, hidden1, hidden2, v = _layers(unpack(weights), (1 - t[:, None]) * x + t[:, None] * noise, t)
    miss = v - (noise - x)
    to3 = miss / len(x)
    to2 = (to3 @ w3) * (1 - hidden2**2)
    to1 = (to2 @ w2) * (1 - hidden1**2)
    slopes = [to1.T @ inputs, to1.sum(0), to2.T @ hidden1, to2.sum(0), to3.T @ hidden2, to3.sum(0)]
    return float(0.5 * np.square(miss).sum(1).mean()), np.concatenate([slope.ravel() for slope in slopes])


def _layers(parts: list[np.ndarray], x: np.ndarray, t: np.ndarray | float) -> tuple[np.ndarray, ...]:
    """Inputs (N, 3), both hidden layers (N, WIDTH) and the output (N, 2)."""
    w1, b1, w2, b2, w3, b3 = parts
    inputs = np.column_stack([x, 2 * np.broadcast_to(t, len(x)) - 1])
    hidden1 = np.tanh(inputs @ w1.T + b1)
    hidden2 = np.tanh(hidden1 @ w2.T + b2)
    return inputs, hidden1, hidden2, hidden2 @ w3.T + b3
