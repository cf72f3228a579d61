"""What a figure shows instead of thousands of positions: quantiles, a fair sample, the shell. NumPy only."""

from collections.abc import Sequence

import numpy as np

from wtflow.numbers import percent
from wtflow.records.flow import PositionSet, Spread
from wtflow.records.spacing import spaced

BAND = (5, 50, 95)
"""Percentiles of every band and its line."""

_Z95 = 1.6448536269514722  # 95 % quantile of the standard normal


def noise_shell(n_channels: int) -> Spread:
    """Norm of standard Gaussian noise in d dimensions: 5 % quantile, sqrt(d), 95 % quantile.

    The quantiles of the chi law come from Wilson and Hilferty's cube root, within 0.1 % from d=16 on and 1 % from d=6
    on. Source: Wilson and Hilferty, "The distribution of chi-square" (1931).
    """
    spread = 2 / (9 * n_channels)
    low, high = (np.sqrt(n_channels * max(1 - spread + sign * _Z95 * np.sqrt(spread), 0.0) ** 3) for sign in (-1, 1))
    return float(low), float(np.sqrt(n_channels)), float(high)


def band(values: np.ndarray) -> np.ndarray:
    """(3, S) percentiles of BAND over the positions of (S, N) values; what is not finite is left out, NaN where
    nothing is left.
    """
    values = np.asarray(values, dtype=float)
    if values.size and np.isfinite(values).all():
        return np.percentile(values, BAND, axis=1)
    rows = [row[np.isfinite(row)] for row in values]
    return np.array([np.percentile(row, BAND) if row.size else [np.nan] * 3 for row in rows]).reshape(-1, 3).T


def fair_sample(positions: PositionSet, most: int) -> dict[str, np.ndarray]:
    """Group -> indices of its positions, `most` at the most in all:
    rare groups stay whole, common ones are thinned evenly.
    """
    members = {name: np.flatnonzero(positions.group == name) for name in positions.groups}
    chosen, left = {}, most
    for n_waiting, name in zip(
        range(len(members), 0, -1), sorted(members, key=lambda name: members[name].size), strict=True
    ):
        n = min(members[name].size, max(1, left // n_waiting))
        chosen[name] = members[name][spaced(members[name].size, n)]
        left -= n
    return {name: chosen[name] for name in positions.groups}


def counted(name: str, n_drawn: int, n: int) -> str:
    """A group's name in a legend, with how many of its positions are drawn."""
    return f"{name} ({n_drawn:,} of {n:,})" if n_drawn < n else f"{name} ({n:,})"


def plane_titles(explained: Sequence[float] | None, method: str = "pca") -> tuple[str, str]:
    """Titles of the two axes of a projection; of principal axes also how much of the variance each explains."""
    if method == "umap":
        return "UMAP axis 1", "UMAP axis 2"
    shares = ("", "") if explained is None else tuple(f" ({percent(share)} of variance)" for share in explained)
    return f"principal axis 1{shares[0]}", f"principal axis 2{shares[1]}"
