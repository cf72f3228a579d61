"""How numbers are written for people: one rule per kind, for pages, figures, reports and the shell alike.

A number and its percent sign never part at the end of a line: a no-break space stands between them.
"""

import math
from typing import Final

NBSP: Final = "\N{NBSP}"
PERCENT_SIGN: Final = f"{NBSP}%"
"""What follows a number of percents, also as the suffix of an axis."""
MISSING: Final = "–"
"""What stands where a number does not exist."""

_FINEST_PERCENT: Final = 4
"""Decimals of a percent that are told apart at most: 0.0001 % is one pixel of an image of 1000 x 1000."""
_TIMES_FROM: Final = 10
"""From this multiple on a share is written as "12 times": 1,234 % is hard to grasp."""


def percent(share: float | None) -> str:
    """A share: 34 %, 3.4 %, 0.35 %, 99.6 %. Whole from 10 to 99 %, because the images of a test are too few for more;
    below that two digits count, above it the distance to 100 does. Only 0 is "0 %" and only 1 is "100 %".
    """
    if share is None or not math.isfinite(share):
        return MISSING
    value = round(100 * share, _FINEST_PERCENT)
    if value == 0 and share > 0:
        return f"under {10**-_FINEST_PERCENT:.{_FINEST_PERCENT}f}{PERCENT_SIGN}"
    return _trimmed(value, _percent_decimals(abs(value))) + PERCENT_SIGN


def percent_range(low: float, high: float) -> str:
    """The two ends of an interval of a share, in whole percents: "21 to 48 %". Its ends are estimates themselves."""
    return f"{100 * low:.0f} to {100 * high:.0f}{PERCENT_SIGN}"


def progress(share: float) -> str:
    """How much of a job is done, in whole percents; 100 % only at the end."""
    return f"{math.floor(100 * min(max(share, 0.0), 1.0) + 1e-9)}{PERCENT_SIGN}"


def metric(value: float | None) -> str:
    """A metric between 0 and 1 with three digits: 100 images move it by about .001 at least."""
    return MISSING if value is None or math.isnan(value) else f"{value:.3f}"


def difference(value: float) -> str:
    """How far two metrics lie apart, with its sign: +0.012, −0.004."""
    return f"{value:+.3f}".replace("-", "−")


def score(value: float) -> str:
    """A score, or a distance between features, with four significant digits: enough to tell two images apart."""
    return f"{value:.4g}"


def of_threshold(value: float, threshold: float) -> str | None:
    """A score as a share of the threshold: "134 % of the threshold", "12 times the threshold". None where
    a share means nothing: the threshold is not above 0, or the score is below 0.
    """
    if not (math.isfinite(value) and threshold > 0 and value >= 0):
        return None
    share = value / threshold
    if share >= _TIMES_FROM:
        return f"{share:,.0f} times the threshold"
    return f"{percent(share)} of the threshold"


def flow_time(t: float) -> str:
    """A time of the flow: "t = 0.35". Two decimals, finer than the steps of any view; more only for a time so close
    to 0 that it would be called 0.
    """
    return f"t = {t:.1g}" if 0 < t < 0.005 else f"t = {_trimmed(t, 2)}"


def duration(seconds: float) -> str:
    """A time span in words: 0.4 s, 8 s, 2 min 10 s, 3 h 5 min. No finer than a person notices."""
    if 0 < seconds < 0.95:
        return f"{max(seconds, 0.1):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(n_bytes: float) -> str:
    """Bytes in words: 14 MB, 2.1 GB. Two digits count, as for choosing what to delete."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if n_bytes >= 0.9995 * scale:  # what would be rounded to 1000 of the next smaller unit
            return f"{n_bytes / scale:.{1 if n_bytes < 10 * scale else 0}f} {unit}"
    return f"{n_bytes:.0f} bytes"


def count(n: int, noun: str) -> str:
    """1 image, 2 images, 1,234 images."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _percent_decimals(value: float) -> int:
    """How many decimals a positive number of percents needs."""
    if value < 10:
        return 1 - math.floor(math.log10(value)) if value else 0
    away = abs(100 - value)
    return -math.floor(math.log10(away)) if 0 < away < 1 else 0


def _trimmed(value: float, decimals: int) -> str:
    """The value with at most so many decimals, without zeros at the end."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
