"""Exact intervals of a rate that was counted, and how many normals a claim about it needs. NumPy and SciPy only.

Sources: Clopper and Pearson 1934 for the interval; Wilks 1941 for what order statistics tell about any continuous
distribution.
"""

import math
from dataclasses import dataclass

from wtflow.errors import SettingsError
from wtflow.numbers import percent

CONFIDENCE = 0.95
"""Of every interval and every claim."""


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n images, and the exact two-sided interval of the share behind it, 0 to 1 without any image."""

    k: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """None without any image."""
        return self.k / self.n if self.n else None


def rate(k: int, n: int, confidence: float = CONFIDENCE) -> Rate:
    """k of n with its Clopper-Pearson interval: in repeated samples it holds the true share at least so often."""
    outside = (1 - confidence) / 2
    return Rate(k, n, _beta(outside, k, n - k + 1) if k else 0.0, _beta(1 - outside, k + 1, n - k) if k < n else 1.0)


def at_most(k: int, n: int, confidence: float = CONFIDENCE) -> float:
    """The share that k of n allow to claim: "at most so much", one-sided; 1 where all n count, or there are none."""
    return _beta(confidence, k + 1, n - k) if k < n else 1.0


def allowed(share: float, n: int) -> int:
    """How many of n normals may lie above a threshold so that on average at most `share` of new ones do; -1: even with
    none above it more might.

    A new normal is as likely to have any rank among n + 1, so with j above the threshold the mean is (j + 1) / (n + 1)
    at most.
    """
    return math.floor(check_share(share) * (n + 1) + 1e-9) - 1


def needed_on_average(share: float) -> int:
    """Fewest normals with which a threshold can promise on average that at most `share` of new normals lie above."""
    return max(1, math.ceil(1 / check_share(share) - 1 - 1e-9))


def needed_for_claim(share: float, k: int = 0, confidence: float = CONFIDENCE) -> int:
    """Fewest normals of which k may lie above a threshold and that still allow to claim "at most `share`" with this
    confidence: 299 for 1 % and none above.
    """
    low, high = k, k + 1
    while at_most(k, high, confidence) > share:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at_most(k, middle, confidence) > share else (low, middle)
    return high


def check_share(share: float) -> float:
    """The same share. Raises SettingsError unless it lies above 0 and below 1."""
    if not 0 < share < 1:
        raise SettingsError(
            f"A share of {share} is not between 0 and 1.", fix=f"Give one such as 0.02, which is {percent(0.02)}."
        )
    return share


def _beta(q: float, a: float, b: float) -> float:
    from scipy.special import betaincinv  # slow to import, and not every page needs it

    return float(betaincinv(a, b, q))
