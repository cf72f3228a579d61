"""An inspection beside the one before it: is the share called defective another one, beyond chance?

Both are judged at the threshold of the newer one: scores of one detector mean the same in both, and a threshold that
was moved in between must not look like a change of the parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from wtflow.compare.intervals import difference_interval, wilson_interval
from wtflow.inspecting.drift import stability
from wtflow.numbers import count, percent, percent_range
from wtflow.records.inspect import Inspected, Inspection

FEWEST: Final = 20
"""Of fewer images the interval of a share is so wide that a comparison says nothing."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of n images that could be read, k have scores at or above a threshold; the interval of their share (95 %)."""

    k: int
    n: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        return self.k / self.n if self.n else None

    @property
    def words(self) -> str:
        return f"{percent(self.value)} (95\N{NBSP}% interval {percent_range(self.low, self.high)})"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two shares at one threshold, and the interval of the newer minus the older (95 %)."""

    now: Share
    before: Share
    low: float
    high: float
    psi: float | None = None
    """Population stability index of the newer scores over the older ones; None with fewer than FEWEST of either."""
    psi_by_chance: float | None = None
    """What chance reaches in one of twenty cases with as many images."""

    @property
    def score_words(self) -> str:
        """Whether scores as a whole lie where they lay before, in a sentence; empty where too few tell."""
        if self.psi is None or self.psi_by_chance is None:
            return ""
        how = "lie otherwise than" if self.psi > self.psi_by_chance else "lie as"
        return f"Scores {how} before (stability index {self.psi:.2f}; chance alone reaches {self.psi_by_chance:.2f})."

    @property
    def words(self) -> str:
        """What has changed, in a sentence."""
        both = (
            f"{percent(self.now.value)} of {count(self.now.n, 'image')} here, {percent(self.before.value)} of"
            f" {count(self.before.n, 'image')} before"
        )
        if not self.now.n or not self.before.n:
            return f"Of one of the two no image could be read: {both}."
        if self.low > 0 or self.high < 0:
            change = "More are" if self.low > 0 else "Fewer are"
            nearer, farther = sorted((abs(self.low), abs(self.high)))
            return (
                f"{change} called defective than before: {both}; the difference is {100 * nearer:.1f} to"
                f" {100 * farther:.1f} points, beyond chance."
            )
        return f"The share called defective is the same as before as far as so few images tell: {both}."


def share_called(rows: Sequence[Inspected], threshold: float) -> Share:
    """The share of images whose score is at or above a threshold, with Wilson's interval."""
    scores = [one.score for one in rows if not one.problem]
    k = sum(score >= threshold for score in scores)
    return Share(k, len(scores), *wilson_interval(k, len(scores)))


def compare(now: Sequence[Inspected], before: Sequence[Inspected], threshold: float) -> Compared:
    """Two inspections by one detector at one threshold."""
    new, old = share_called(now, threshold), share_called(before, threshold)
    low, high = difference_interval(new.k, new.n, old.k, old.n)
    scores, older = (np.array([row.score for row in rows if not row.problem]) for rows in (now, before))
    if min(len(scores), len(older)) < FEWEST:
        return Compared(new, old, low, high)
    return Compared(new, old, low, high, *stability(scores, older, np.random.default_rng(0)))


def one_before(inspection: Inspection, all_of_them: Sequence[Inspection]) -> Inspection | None:
    """The latest older inspection by the same detector; None where there is none, or where fewer than `FEWEST` images
    of either could be read.
    """
    if inspection.facts is None or _n_read(inspection) < FEWEST:
        return None
    older = [
        one
        for one in all_of_them
        if one.facts is not None
        and one.facts.fingerprint == inspection.facts.fingerprint
        and one.created < inspection.created
        and _n_read(one) >= FEWEST
    ]
    return max(older, key=lambda one: one.created, default=None)


def _n_read(inspection: Inspection) -> int:
    return inspection.counts.n_done - inspection.counts.n_broken
