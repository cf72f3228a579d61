"""Has the camera or the light changed, rather than the parts? NumPy only.

A bad part shows in one place of one image. Another camera, lens or light changes many images together: how light and
sharp they are, where the part lies, what their features are on average; and maps are then raised all over. Each measure
is compared with that of the run's training normals in three ways. It must lie beyond what chance gives: as many
normals, drawn again and again, differ so much from the rest in one of a thousand cases only. It must be large: a
thousand images tell a difference that means nothing. And many images must show it, not a few that are odd.

Sources: the bootstrap, Efron and Tibshirani 1993; the population stability index is a symmetric Kullback-Leibler
divergence over bins, as in credit scoring; the rest ours.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from wtflow.compare.intervals import wilson_interval
from wtflow.inspecting.drift_words import sentence_of, too_few, words_of
from wtflow.records.compare import Interval
from wtflow.records.drift import Drift, Measure, Shift
from wtflow.records.inspect import Inspected
from wtflow.records.looks import Looks
from wtflow.records.spacing import spaced

FEWEST: Final = 10
"""Images, with fewer of which nothing is said."""
FEWEST_NORMALS: Final = 20
LEAST: Final = 1.0
"""Spreads of the normals that a shift must have to matter: half of the images then lie beyond 84 % of the normals."""
LEAST_OF_FEATURES: Final = 0.5
"""The same for the root mean square over the components of mean features, few of which any change moves."""
RARE: Final = 3.3
"""Standard deviations of what chance gives: of a Gaussian one of a thousand cases is farther away."""
LEAST_SHARE: Final = 1 / 3
"""Of the images that must lie, on the side of the shift, beyond 95 % of the normals."""
N_DRAWN: Final = 400
MOST: Final = 2000
"""Images that are compared at most, evenly chosen: more make no sentence better."""
MOST_SHOWN: Final = 6
FARTHEST: Final = 5.0
"""Spreads that an image counts as away at most, so that a few odd ones move no mean of features."""
QUANTILE: Final = 0.99
SCALARS: Final[tuple[Measure, ...]] = ("brightness", "sharpness", "centre_row", "centre_column", "level")


def drift_of(rows: Sequence[Inspected], means: np.ndarray, normals: Looks | None, seed: int = 0) -> Drift:
    """What inspected images tell of camera and light. means: (M, K), of the rows. normals: None where they were not
    measured.
    """
    sound = [i for i, row in enumerate(rows) if not row.problem and np.isfinite(means[i]).all()]
    n, n_normals = len(sound), 0 if normals is None else len(normals)
    if normals is None or n < FEWEST or n_normals < FEWEST_NORMALS:
        return Drift("too few", too_few(n, n_normals, FEWEST, FEWEST_NORMALS), n, n_normals)
    chosen = [sound[int(i)] for i in spaced(n, min(MOST, n))]
    generator = np.random.default_rng(seed)
    away: dict[str, np.ndarray] = {}
    shifts = []
    for name in SCALARS:
        now, before = np.array([getattr(rows[i], name) for i in chosen]), _normals_of(normals, name)
        shift, away[name] = _scalar(name, now, before, generator)
        shifts.append(shift)
    shift, away["features"] = _features(means[chosen].astype(float), normals.means.astype(float), generator)
    shifts.append(shift)
    scores = np.array([rows[i].score for i in sound])
    fair = normals.fair_scores
    quantile = float(np.quantile(fair, QUANTILE))
    k = int((scores > quantile).sum())
    index, by_chance = stability(scores, fair, generator)
    leading = leading_of(shifts)
    shown = [] if leading is None else np.argsort(-away[leading.name], kind="stable")[:MOST_SHOWN]
    return Drift(
        kind="none" if leading is None else "changed",
        sentence=""
        if leading is None
        else sentence_of(leading, shifts, len(chosen), n_normals, scores_moved=index > by_chance),
        n=n,
        n_normals=n_normals,
        shifts=tuple(shifts),
        above=Interval(k / n, *wilson_interval(k, n)),
        quantile=quantile,
        n_scores=len(fair),
        psi=index,
        psi_by_chance=by_chance,
        images=tuple(rows[chosen[int(i)]].image for i in shown),
    )


def leading_of(shifts: Sequence[Shift]) -> Shift | None:
    """The shift that tells best of camera or light; None where neither has changed. Features alone count only where
    maps are raised as well: parts of another kind have other features, too.
    """
    by_name = {shift.name: shift for shift in shifts}
    changed = [shift for shift in shifts if shift.is_changed and shift.name not in ("features", "level")]
    if not changed and by_name["features"].is_changed and by_name["level"].is_changed:
        changed = [by_name["features"]]
    return max(changed, key=lambda shift: shift.spreads, default=None)


def stability(scores: np.ndarray, normals: np.ndarray, generator: np.random.Generator) -> tuple[float, float]:
    """Population stability index of scores (n,) against those of normals (N,), and what chance reaches in one of
    twenty cases with as few. Bins hold as many normals each. Of either `MOST` are compared at most.
    """
    scores, normals = (one[spaced(len(one), min(MOST, len(one)))] for one in (scores, normals))
    n_bins = 10 if len(normals) >= 100 else 5
    edges = np.quantile(normals, np.linspace(0, 1, n_bins + 1)[1:-1])

    def counts(values: np.ndarray) -> np.ndarray:
        bins = np.searchsorted(edges, values, side="right")
        return np.stack([(bins == k).sum(-1) for k in range(n_bins)], axis=-1)

    def index(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        p, q = ((n + 0.5) / (n.sum(-1, keepdims=True) + 0.5 * n_bins) for n in (one, other))
        return ((p - q) * np.log(p / q)).sum(-1)

    drawn, again = (
        counts(normals[generator.integers(len(normals), size=(N_DRAWN, size))]) for size in (len(scores), len(normals))
    )
    return float(index(counts(scores), counts(normals))), float(np.quantile(index(drawn, again), 0.95))


# -- inside ------------------------------------------------------------------------------------------------------------


def _normals_of(normals: Looks, name: str) -> np.ndarray:
    """Values of normals: of map levels those of normals that the flow never saw, where there are enough."""
    if name != "level":
        return np.asarray(getattr(normals, name), float)
    return normals.levels[normals.is_held_out] if normals.is_held_out.sum() >= FEWEST_NORMALS else normals.levels


def _scalar(
    name: Measure, now: np.ndarray, normals: np.ndarray, generator: np.random.Generator
) -> tuple[Shift, np.ndarray]:
    """The shift of one number per image, and how far each image is away on its side, in spreads (n,)."""
    if name in ("sharpness", "level"):  # their spread grows with their size
        now, normals = (np.log(np.maximum(one, 1e-9)) for one in (now, normals))
    middle, spread = float(np.median(normals)), robust_spread(normals)
    signed = (float(np.median(now)) - middle) / spread
    again = np.median(normals[generator.integers(len(normals), size=(N_DRAWN, len(normals)))], axis=1)
    drawn = np.median(normals[generator.integers(len(normals), size=(N_DRAWN, len(now)))], axis=1)
    by_chance = RARE * float((drawn - again).std()) / spread
    own = np.median(now[generator.integers(len(now), size=(N_DRAWN, len(now)))], axis=1)
    low, high = np.quantile(own - again, [0.025, 0.975])
    difference = float(np.median(now)) - middle
    side = 1.0 if signed >= 0 else -1.0
    away = side * (now - middle) / spread
    beyond = int((away > np.quantile(side * (normals - middle) / spread, 0.95)).sum())
    changed = abs(signed) > max(by_chance, LEAST) and beyond >= LEAST_SHARE * len(now)
    shift = Shift(
        name=name,
        words=words_of(name, side) if changed else "",
        now=_back(name, float(np.median(now))),
        normals=_back(name, middle),
        difference=Interval(difference, min(float(low), difference), max(float(high), difference)),
        spreads=abs(signed),
        by_chance=by_chance,
        n_beyond=beyond,
        is_changed=bool(changed),
    )
    return shift, away


def _features(now: np.ndarray, normals: np.ndarray, generator: np.random.Generator) -> tuple[Shift, np.ndarray]:
    """The same of mean features (n, K) and (N, K)."""
    middle, spread = normals.mean(0), np.maximum(normals.std(0), 1e-6)
    new, old = (np.clip((one - middle) / spread, -FARTHEST, FARTHEST) for one in (now, normals))
    offset = new.mean(0) - old.mean(0)
    distance = _root_mean_square(offset)
    drawn, again = (
        generator.multinomial(size, np.full(len(old), 1 / len(old)), N_DRAWN) / size for size in (len(new), len(old))
    )
    null = _root_mean_square((drawn - again) @ old)
    by_chance = float(null.mean() + RARE * null.std())
    direction = offset / max(float(np.linalg.norm(offset)), 1e-12)
    away, usual = new @ direction, old @ direction
    beyond = int((away > np.quantile(usual, 0.95)).sum())
    own = generator.multinomial(len(new), np.full(len(new), 1 / len(new)), N_DRAWN) / len(new)
    low, high = np.quantile(_root_mean_square(own @ new - again @ old), [0.025, 0.975])
    changed = distance > max(by_chance, LEAST_OF_FEATURES) and beyond >= LEAST_SHARE * len(new)
    shift = Shift(
        name="features",
        words=words_of("features", 1.0) if changed else "",
        now=0.0,
        normals=0.0,
        difference=Interval(float(distance), min(float(low), float(distance)), max(float(high), float(distance))),
        spreads=float(distance),
        by_chance=by_chance,
        n_beyond=beyond,
        is_changed=bool(changed),
    )
    return shift, away / max(float(usual.std()), 1e-12)


def robust_spread(values: np.ndarray) -> float:
    """The spread of values whose tails may be long: by the middle half of them, above 0."""
    low, high = np.quantile(values, [0.25, 0.75])
    return max(float(high - low) / 1.349, 1e-6 * max(abs(float(np.median(values))), 1.0))


def _root_mean_square(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(values).mean(-1))


def _back(name: str, value: float) -> float:
    return float(np.exp(value)) if name in ("sharpness", "level") else value
