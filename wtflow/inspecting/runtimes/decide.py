"""Which runtime pays off, as a function of what was measured. No torch."""

import math
from collections.abc import Sequence

from wtflow.numbers import count, percent
from wtflow.records.runtimes import Measured

LEAST_GAIN = 1.3
"""How many times as fast as torch another runtime must be."""
FEWEST_CHECKED = 8
"""Images that it must have called as torch does before it is chosen by itself."""
N_PASSES = 3
"""Passes over each checked image: torch in float32, torch in its own precision, and a runtime."""


def earns_back(seconds: float, torch_per_second: float, gain: float) -> float:
    """Images from which on `seconds` once are earned back by a runtime `gain` times as fast: n with
    n / torch - n / (gain * torch) = seconds. Infinite without a gain.
    """
    return math.inf if gain <= 1 else seconds * torch_per_second * gain / (gain - 1)


def costs(
    making_s: float, torch_per_second: float, n_cores: int, n_checked: int, n_timed: int, n_runtimes: int
) -> float:
    """Seconds that choosing takes, at most, where no runtime is slower than torch. n_checked images are compared on one
    core, n_timed on all by torch and every runtime.
    """
    passes = n_checked * (N_PASSES - 1 + n_runtimes) * n_cores + n_timed * (1 + n_runtimes)
    return making_s + passes / torch_per_second


def best_of(measured: Sequence[Measured]) -> Measured | None:
    """The fastest of those that may be used by themselves; None where torch is to be kept."""
    fit = [one for one in measured if one.is_equal and one.gain >= LEAST_GAIN and one.n_checked >= FEWEST_CHECKED]
    return max(fit, key=lambda one: one.per_second, default=None)


def words_of(measured: Measured) -> str:
    """What was measured of one runtime."""
    if not measured.is_equal:
        n = measured.n_verdicts_differ
        differ = f"{count(n, 'verdict')} {'differs' if n == 1 else 'differ'}"
        return (
            f"{measured.title} does not agree with torch on {count(measured.n_checked, 'image')}: {differ},"
            f" scores by up to {percent(measured.score_share)}, maps by up to {percent(measured.map_share)}."
        )
    busy = ", while other programs kept the cores busy" * measured.was_busy
    return (
        f"{measured.title}: {measured.per_second:.1f} images a second where torch scored"
        f" {measured.torch_per_second:.1f} ({measured.gain:.2f} times{busy}), equal verdicts on"
        f" {count(measured.n_checked, 'image')}, scores within {percent(measured.score_share)}."
    )


def why_torch(measured: Sequence[Measured]) -> str:
    """Why none of these is used."""
    said = " ".join(words_of(one) for one in measured)
    few = f" {count(FEWEST_CHECKED, 'image')} are needed to check it on." * any(
        one.n_checked < FEWEST_CHECKED for one in measured
    )
    return f"torch: {said} Another runtime is used from {LEAST_GAIN} times on.{few}"
