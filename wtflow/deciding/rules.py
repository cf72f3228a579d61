"""Rules that find a threshold, each with its interval and what it costs. Pure functions of scores; an image is called
defective from the threshold on. Sources: METHOD 8.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from wtflow.deciding.cost import CostCurve, cost_curve, place_interval
from wtflow.deciding.intervals import Rate, allowed, at_most, check_share, needed_for_claim, needed_on_average, rate
from wtflow.errors import MetricError
from wtflow.metrics import best_f1_threshold
from wtflow.numbers import PERCENT_SIGN, count, percent
from wtflow.numbers import score as format_score

Rule = Literal["false_alarms", "no_miss", "miss_costs", "best_f1", "by_hand"]

DEFAULT_SHARE = 0.02
"""False alarms that a run starts with at most, where it has the normals for it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The scores that a threshold is decided by."""

    normals: np.ndarray
    """(N,) of training normals, each from a detector that did not learn from it; empty where a run has none."""
    good: np.ndarray
    """(M,) of the normal test images."""
    defective: np.ndarray
    """(D,) of the defective test images."""
    types: np.ndarray
    """(D,) the defect type of each of them."""
    normals_are: str = "training normals, none scored by a detector that learned from it"

    @property
    def all_normals(self) -> np.ndarray:
        """Every normal that its detector did not learn from, of training and test."""
        return np.concatenate([self.normals, self.good])


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule found."""

    rule: Rule
    value: float
    """The threshold, rounded to six digits without moving an image."""
    place: tuple[float, float] | None
    """95 % interval of where the rule would put it with other images of the same kind; None where it has none."""
    normals: Rate
    """Training normals from the threshold on."""
    false_alarms: Rate
    """Normal test images from the threshold on."""
    misses: Rate
    """Defective test images below it."""
    how: str
    """The rule with its number, as a part of a sentence."""
    words: str
    """What it is, what it promises and how sure that is, in sentences."""


def at_most_false_alarms(evidence: Evidence, share: float) -> Ruling:
    """The lowest threshold above which on average at most `share` of new normals score, by the order of the training
    normals. With too few of them, just above the highest; `words` say so.

    Raises MetricError without a training normal, SettingsError for a share outside (0, 1).
    """
    scores, n = np.sort(_finite(evidence.normals))[::-1], len(evidence.normals)
    if not n:
        raise MetricError(
            "There is no training normal with a score of a detector that did not learn from it.",
            fix="Score the normals of the run, or choose another rule.",
        )
    n_above = allowed(share, n)
    value = _cut_above(scores, max(n_above, 0))
    found = rate(int((scores >= value).sum()), n)
    words = (
        f"{count(found.k, 'normal')} of {n:,} score from here on ({evidence.normals_are});"
        f" the true rate is {interval_words(found)}."
    )
    if n_above < 0:
        words += (
            f" A promise of at most {percent(share)} needs {needed_on_average(share):,} normals, and there are {n:,}:"
            " this is just above the highest of them."
        )
    claim = at_most(found.k, n)
    needed = needed_for_claim(share)
    if claim <= share:
        words += f" That is enough to claim at most {percent(share)} with 95{PERCENT_SIGN} confidence."
    else:
        words += (
            f" With 95{PERCENT_SIGN} confidence it is at most {percent(claim)}; to claim {percent(share)} takes"
            f" {needed:,} normals of which none is above."
        )
    low, high = _order_interval(scores, share)
    return _ruling(evidence, "false_alarms", value, (low, high), f"at most {percent(share)} false alarms", words)


def no_missed(evidence: Evidence, types: Collection[str]) -> Ruling:
    """The highest threshold that misses no test image of these defect types (none named: of any).
    Raises MetricError for a type that the test images do not have.
    """
    known = sorted(set(map(str, evidence.types)))
    if not known:
        raise MetricError("There are no defective test images.", fix="Choose the rule by false alarms.")
    if unknown := sorted(set(types) - set(known)):
        raise MetricError(f"No test image has a defect {unknown[0]!r}.", fix=f"Choose from {', '.join(known)}.")
    chosen = sorted(types) or known
    own = _finite(evidence.defective[np.isin(evidence.types, chosen)])
    value = just_below(float(own.min()))
    names = "any type" if chosen == known else ", ".join(chosen)
    words = (
        f"All {count(len(own), 'defective test image')} of {names} score from here on. Chosen on them: of new ones up"
        f" to {percent(at_most(0, len(own)))} may lie below (95{PERCENT_SIGN} confidence)."
    )
    return _ruling(evidence, "no_miss", value, None, f"no missed defect of {names}", words)


def miss_costs(evidence: Evidence, times: float, defect_share: float | None = None) -> tuple[Ruling, CostCurve]:
    """The threshold of lowest expected cost where a missed defect costs as much as `times` false alarms, and the curve.

    defect_share: of the images that the threshold will be used on; None: as in the test set.
    Raises MetricError without defective or normal images.
    """
    normals, defective = _finite(evidence.all_normals), _finite(evidence.defective)
    if not len(normals) or not len(defective):
        raise MetricError(
            "The cost of misses needs defective test images and normal ones.", fix="Choose the rule by false alarms."
        )
    if not 0 < times < np.inf:
        raise MetricError(f"A miss cannot cost {times} false alarms.", fix="Give a number above 0, such as 10.")
    share = len(defective) / (len(defective) + len(evidence.good)) if defect_share is None else defect_share
    share = share if share == 1 else check_share(share)
    curve = cost_curve(normals, defective, times, share)
    value = _settled(curve.best, normals, defective)
    place = place_interval(normals, defective, lambda false, missed: curve.cost_of(false, missed))
    where = "as in the test set" if defect_share is None else "as given"
    words = (
        f"Lowest expected cost: {format_score(curve.lowest)} false alarms an image, where {percent(share)} of the"
        f" images are defective ({where}). Judged by {count(len(normals), 'normal')} and"
        f" {count(len(defective), 'defective image')}; with other images of the same kind it would lie between"
        f" {format_score(place[0])} and {format_score(place[1])} (bootstrap)."
    )
    how = f"a miss costs {times:g} false alarm{'s' * (times != 1)}"
    if defect_share is not None:
        how += f", {percent(share)} of the images are defective"
    return _ruling(evidence, "miss_costs", value, place, how, words), curve


def highest_f1(evidence: Evidence) -> Ruling:
    """The threshold of highest F1 on the test images, chosen on them. Raises MetricError where one class is missing."""
    good, defective = _finite(evidence.good), _finite(evidence.defective)
    best = best_f1_threshold(np.concatenate([good, defective]), np.arange(len(good) + len(defective)) >= len(good))
    if best is None:
        raise MetricError("F1 needs normal and defective test images.", fix="Choose the rule by false alarms.")
    n_good, n_bad = len(good), len(defective)
    place = place_interval(
        good, defective, lambda false, missed: 1 - 2 * (1 - missed) * n_bad / ((2 - missed) * n_bad + false * n_good)
    )
    words = (
        "Chosen on the test images themselves, so the figures at this threshold are optimistic. With other images of"
        f" the same kind it would lie between {format_score(place[0])} and {format_score(place[1])} (bootstrap)."
    )
    return _ruling(evidence, "best_f1", best, place, "highest F1 on the test images", words)


def by_hand(evidence: Evidence, value: float) -> Ruling:
    """A threshold that somebody chose freely, with what it costs."""
    ruling = _ruling(evidence, "by_hand", value, None, "set by hand", "")
    if not len(evidence.normals):
        return replace(ruling, words="Chosen freely.")
    return replace(
        ruling,
        words=f"Chosen freely. {count(ruling.normals.k, 'normal')} of {ruling.normals.n:,} score from here on"
        f" ({evidence.normals_are}); the true rate is {interval_words(ruling.normals)}.",
    )


def interval_words(found: Rate) -> str:
    """The interval of a rate, such as "0.5 % to 3.6 % (95 % interval)"."""
    return f"{percent(found.low)} to {percent(found.high)} (95{PERCENT_SIGN} interval)"


def just_below(value: float) -> float:
    """The highest number of six digits that is not above `value`, as numbers are written into addresses."""
    return _six_digits(value, -1)


def just_above(value: float) -> float:
    """The lowest number of six digits above `value`."""
    rounded = _six_digits(value, 1)
    return rounded if rounded > value else _six_digits(np.nextafter(value, np.inf), 1)


def _six_digits(value: float, side: int) -> float:
    found = float(f"{value:.6g}")
    if value and side * found < side * value:
        step = 10.0 ** (np.floor(np.log10(abs(value))) - 5)
        found = float(f"{found + side * step:.6g}")
    return found


def _cut_above(falling: np.ndarray, n_above: int) -> float:
    """A threshold with at most n_above of these scores from it on: midway to the next higher one, or just above."""
    below = falling[min(n_above, len(falling) - 1)] if n_above < len(falling) else np.nextafter(falling[-1], -np.inf)
    higher = falling[falling > below]
    if not len(higher):
        return just_above(float(below))
    middle = float(f"{below + (higher[-1] - below) / 2:.6g}")
    return middle if below < middle <= higher[-1] else float(higher[-1])


def _settled(value: float, *scores: np.ndarray) -> float:
    """The value with six digits, where that moves no image to the other side."""
    rounded = float(f"{value:.6g}")
    moves = any(((group >= rounded) != (group >= value)).any() for group in scores)
    return value if moves else rounded


def _order_interval(falling: np.ndarray, share: float) -> tuple[float, float]:
    """Distribution-free 95 % interval of the score that `share` of normals exceed; its ends are normals' scores, the
    highest and the lowest where there are too few.
    """
    from scipy.stats import binom

    n = len(falling)
    low, high = int(binom.ppf(0.025, n, share)), int(binom.ppf(0.975, n, share)) + 1
    return float(falling[min(high, n) - 1]), float(falling[max(low, 1) - 1])


def _ruling(
    evidence: Evidence, rule: Rule, value: float, place: tuple[float, float] | None, how: str, words: str
) -> Ruling:
    normals, good = (rate(int((group >= value).sum()), len(group)) for group in (evidence.normals, evidence.good))
    missed = rate(int((evidence.defective < value).sum()), len(evidence.defective))
    return Ruling(rule, value, place, normals, good, missed, how, words)


def _finite(scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(scores, dtype=np.float64).ravel()
    if not np.isfinite(scores).all():
        raise MetricError("An image score is not finite.", fix="Score the run again.")
    return scores
