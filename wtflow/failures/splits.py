"""Does a simple fact separate wrong calls from right ones? A rank test, corrected for all facts tried, and what it
found in words.

For each fact the statistic is its AUROC between wrong and right calls, in deviations of what shuffled labels give.
Labels are shuffled for all facts at once, and each observed value is compared with the largest of every shuffle: so a
p-value holds for the whole set of facts. A second shuffle inside each defect type shows whether the fact explains more
than the type does. The cut itself is chosen on these images, so its counts describe them and are no estimate for
others.

Sources: max-T permutation test, Westfall and Young 1993; Youden 1950 for the cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from scipy.stats import rankdata

from wtflow.errors import MetricError
from wtflow.numbers import percent
from wtflow.records.failures import Split

N_SHUFFLES: Final = 2000
"""p-values then have steps of 0.0005."""
LEVEL: Final = 0.05
LEAST: Final = 5
"""With fewer wrong or right calls a fact is not tried."""


@dataclass(frozen=True, slots=True)
class FactWords:
    """The words for a fact. A sentence reads: {lower}: k of m misses {verb} less than {bound}{tail}."""

    title: str
    """Axis title, with its unit."""
    lower: str
    higher: str
    verb: str
    tail: str = ""
    write: Callable[[float], str] = "{:.2g}".format

    @property
    def is_share(self) -> bool:
        return self.write is percent


def whole(number: float) -> str:
    return f"{number:.0f}"


MISSES: Final[dict[str, FactWords]] = {
    "area": FactWords(
        "defect area (share of the image)",
        "Missed defects are smaller",
        "Missed defects are larger",
        "cover",
        " of the image",
        percent,
    ),
    "contrast": FactWords(
        "contrast to the surroundings (spreads of their colour)",
        "Missed defects stand out less by colour",
        "Missed defects stand out more by colour",
        "have a contrast of",
    ),
    "border": FactWords(
        "distance to the border (share of the side)",
        "Missed defects lie nearer to the border",
        "Missed defects lie farther from the border",
        "are centred",
        " of the side from the border",
        percent,
    ),
    "n_regions": FactWords(
        "regions of the mask",
        "Missed defects have fewer regions",
        "Missed defects have more regions",
        "have",
        " regions",
        whole,
    ),
    "nearest": FactWords(
        "distance to the nearest training normal",
        "Images of missed defects resemble a training normal more",
        "Images of missed defects resemble the training normals less",
        "lie",
        " from the nearest one",
    ),
}
"""Facts of defective images, tried between misses and hits."""

ALARMS: Final[dict[str, FactWords]] = {
    "peak_border": FactWords(
        "distance of the highest position to the border (share of the side)",
        "False alarms peak nearer to the border",
        "False alarms peak farther from the border",
        "peak",
        " of the side from the border",
        percent,
    ),
    "nearest": FactWords(
        "distance to the nearest training normal",
        "False alarms resemble a training normal more",
        "False alarms resemble the training normals less",
        "lie",
        " from the nearest one",
    ),
}
"""Facts of normal images, tried between false alarms and passed ones."""


def find_splits(
    facts: Mapping[str, np.ndarray],
    is_wrong: np.ndarray,
    group: np.ndarray,
    *,
    seed: int = 0,
    n_shuffles: int = N_SHUFFLES,
) -> tuple[Split, ...]:
    """Facts that separate wrong from right calls with p < LEVEL, the strongest first; often none.

    facts: name -> float (N,), NaN where an image lacks it; is_wrong: bool (N,); group: (N,) defect types. Facts with
    fewer than LEAST wrong or right calls, or one value alone, are not tried. Raises MetricError for lengths that
    differ.
    """
    is_wrong, group = np.asarray(is_wrong, bool), np.asarray(group)
    if any(len(values) != len(is_wrong) for values in (*facts.values(), group)):
        raise MetricError(f"Facts and groups do not fit {len(is_wrong)} calls.", fix="Give one of each per image.")
    tried = {
        name: np.asarray(values, float)
        for name, values in facts.items()
        if _can_try(np.asarray(values, float), is_wrong)
    }
    if not tried:
        return ()
    ranks = np.stack([_centred_ranks(values) for values in tried.values()], axis=1)
    generator = np.random.default_rng(seed)
    free = _p_values(ranks, is_wrong, generator.permuted(np.tile(is_wrong, (n_shuffles, 1)), axis=1))
    within = _within(ranks, is_wrong, group, n_shuffles, generator)
    found = [
        _cut(name, values, is_wrong, p, None if within is None else float(within[i]))
        for i, ((name, values), p) in enumerate(zip(tried.items(), free.tolist(), strict=True))
        if p < LEVEL
    ]
    return tuple(sorted(found, key=lambda split: (split.p, -abs(split.auroc - 0.5))))


def describe_split(split: Split, words: FactWords, wrong: str, right: str) -> str:
    """One sentence with its numbers. wrong, right: what the calls are called, such as "misses" and "hits"."""
    claim = words.lower if split.is_below else words.higher
    side = "less than" if split.is_below else "at least"
    sentence = (
        f"{claim}: {split.n_wrong_inside} of {split.n_wrong} {wrong} {words.verb} {side}"
        f" {words.write(split.bound)}{words.tail}, "
    )
    sentence += (
        f"{split.n_right_inside} of {split.n_right} {right} do (n = {split.n_wrong + split.n_right}, p"
        f" {p_words(split.p)})."
    )
    if split.p_within is not None and split.p_within >= LEVEL:
        sentence += (
            f" Within single defect types this does not show (p {p_words(split.p_within)}): it may only reflect which"
            " types are missed."
        )
    return sentence


def gathering_types(
    is_wrong: np.ndarray, group: np.ndarray, *, seed: int = 0, n_shuffles: int = N_SHUFFLES
) -> tuple[tuple[str, ...], float] | None:
    """Groups with more than the mean share of wrong calls, the largest share first, and the
    p-value that shares differ at all.

    None with fewer than two groups, fewer than LEAST wrong or right calls, or where p >= LEVEL. The statistic is
    Pearson's chi-squared with shuffled labels in place of its distribution, which small counts do not follow.
    """
    is_wrong = np.asarray(is_wrong, bool)
    names, member = np.unique(group, return_inverse=True)
    if len(names) < 2 or min(is_wrong.sum(), (~is_wrong).sum()) < LEAST:
        return None
    one_hot = np.eye(len(names))[member]
    size, mean = one_hot.sum(0), is_wrong.mean()
    shuffled = np.random.default_rng(seed).permuted(np.tile(is_wrong, (n_shuffles, 1)), axis=1)
    drawn, observed = (np.square(labels @ one_hot - mean * size) @ (1 / size) for labels in (shuffled, is_wrong))
    p = float((1 + (drawn >= observed - 1e-9).sum()) / (1 + n_shuffles))
    if p >= LEVEL:
        return None
    share = is_wrong @ one_hot / size
    return tuple(str(names[i]) for i in np.argsort(-share, kind="stable") if share[i] > mean), p


def _can_try(values: np.ndarray, is_wrong: np.ndarray) -> bool:
    known = ~np.isnan(values)
    return min((known & is_wrong).sum(), (known & ~is_wrong).sum()) >= LEAST and len(np.unique(values[known])) > 1


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with mean 0, ties shared; 0 for images without the fact, so that they add nothing to a sum."""
    known = ~np.isnan(values)
    ranks = np.zeros(len(values))
    ranks[known] = rankdata(values[known])
    ranks[known] -= ranks[known].mean()
    return ranks


def _p_values(ranks: np.ndarray, is_wrong: np.ndarray, shuffled: np.ndarray) -> np.ndarray:
    """(F,) p-values of rank sums (N, F) under the labels, against the largest of every shuffle (R, N)."""
    drawn = shuffled @ ranks
    deviation = np.maximum(drawn.std(0), 1e-12)
    largest = np.abs((drawn - drawn.mean(0)) / deviation).max(1)
    observed = np.abs((is_wrong @ ranks - drawn.mean(0)) / deviation)
    # The tolerance: shuffles that give the same sum in another order of adding count as equal.
    return (1 + (largest[:, None] >= observed - 1e-9).sum(0)) / (1 + len(shuffled))


def _within(
    ranks: np.ndarray, is_wrong: np.ndarray, group: np.ndarray, n_shuffles: int, generator: np.random.Generator
) -> np.ndarray | None:
    """(F,) p-values with labels shuffled inside each group; None where that leaves every label in its place."""
    shuffled = np.tile(is_wrong, (n_shuffles, 1))
    is_mixed = False
    for name in np.unique(group):
        own = np.flatnonzero(group == name)
        is_mixed |= 0 < is_wrong[own].sum() < len(own)
        shuffled[:, own] = generator.permuted(shuffled[:, own], axis=1)
    return _p_values(ranks, is_wrong, shuffled) if is_mixed else None


def _cut(name: str, values: np.ndarray, is_wrong: np.ndarray, p: float, p_within: float | None) -> Split:
    """The single value that separates best (Youden), rounded as it is written, with the counts at the rounded value."""
    known = ~np.isnan(values)
    values, is_wrong = values[known], is_wrong[known]
    n_wrong, n_right = int(is_wrong.sum()), int((~is_wrong).sum())
    ranks = rankdata(values)
    auroc = float((ranks[is_wrong].sum() - n_wrong * (n_wrong + 1) / 2) / (n_wrong * n_right))
    distinct = np.unique(values)
    is_count = (distinct == distinct.round()).all()
    bounds = (
        distinct[1:] if is_count else np.unique([_two_digits(middle) for middle in (distinct[1:] + distinct[:-1]) / 2])
    )
    is_below = auroc < 0.5
    side = partial(np.less if is_below else np.greater_equal, values)
    gained = [(side(bound) & is_wrong).sum() / n_wrong - (side(bound) & ~is_wrong).sum() / n_right for bound in bounds]
    bound = float(bounds[int(np.argmax(gained))])
    inside = side(bound)
    return Split(
        name,
        bound,
        is_below,
        n_wrong,
        int((inside & is_wrong).sum()),
        n_right,
        int((inside & ~is_wrong).sum()),
        auroc,
        p,
        p_within,
    )


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def counted(n: int, calls: str) -> str:
    """A number of calls with their name: "1 miss", "3 misses"; `calls` is a name as `describe_split` takes it."""
    return f"{n} {_SINGULAR.get(calls, calls) if n == 1 else calls}"


_SINGULAR = {"misses": "miss", "hits": "hit", "false alarms": "false alarm"}


def p_words(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"
